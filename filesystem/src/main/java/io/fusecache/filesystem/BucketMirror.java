package io.fusecache.filesystem;

import io.fusecache.cache.CloudTier;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.Listing;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NewInode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes what others put into the bucket appear: a directory is listed when it is first used, and again when it is used and
 * its listing is older than the refresh time. A bucket that does not answer costs nobody a name that is known already.
 */
final class BucketMirror {
    private static final Logger LOG = LoggerFactory.getLogger(BucketMirror.class);
    private static final int MAX_DIRECTORIES = 1 << 16;

    /** Of a directory that moves while it is listed. */
    private static final int MAX_TRIES = 3;

    /** Ours, in the root of the prefix: records that no other tool needs to see, and no name of the tree. */
    static final String RESERVED = ".fusecache";

    /** After a listing that failed, the next one is tried this much later. */
    private static final Duration AFTER_FAILURE = Duration.ofSeconds(5);

    private final Metadata metadata;
    private final CloudTier cloud;
    private final NewInode fallback;
    private final Duration refresh;
    private final InstantSource clock;
    private final Executor executor;

    /** Until when a listing counts as fresh, in milliseconds of the clock. */
    private final Map<Long, Long> freshUntil = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Long> eldest) {
            return size() > MAX_DIRECTORIES;
        }
    };

    private final ConcurrentHashMap<Long, CompletableFuture<Boolean>> underWay = new ConcurrentHashMap<>();

    BucketMirror(
            Metadata metadata, CloudTier cloud, FileSystemOptions options, InstantSource clock, Executor executor) {
        this.metadata = metadata;
        this.cloud = cloud;
        this.fallback = options.foreign();
        this.refresh = options.bucketRefresh();
        this.clock = clock;
        this.executor = executor;
    }

    /** Whether names of this directory may be answered as they are. */
    boolean isFresh(long directory) {
        Long until;
        synchronized (freshUntil) {
            until = freshUntil.get(directory);
        }
        return until != null && clock.millis() < until;
    }

    /** Whether it was listed at all since this node started. */
    boolean isKnown(long directory) {
        synchronized (freshUntil) {
            return freshUntil.containsKey(directory);
        }
    }

    /** Made here just now: the bucket has nothing of it. */
    void created(long directory) {
        fresh(directory, refresh);
    }

    private void fresh(long directory, Duration until) {
        synchronized (freshUntil) {
            freshUntil.put(directory, clock.millis() + until.toMillis());
        }
    }

    /** Returns when the listing is fresh, or could not be had. */
    void refresh(long directory) throws ErrnoException {
        CompletableFuture<Boolean> mine = new CompletableFuture<>();
        CompletableFuture<Boolean> other = underWay.putIfAbsent(directory, mine);
        if (other != null) {
            boolean listed = other.join();
            if (!listed) {
                LOG.debug("directory {} could not be listed in the bucket", directory);
            }
            return;
        }
        boolean listed = false;
        try {
            listed = isFresh(directory) || list(directory, refresh).isPresent();
        } finally {
            underWay.remove(directory, mine);
            mine.complete(listed);
        }
    }

    /**
     * Lists it, however fresh it is: what was in the bucket when this was called is there on all nodes when it returns.
     *
     * @return how many names changed
     * @throws ErrnoException EIO where the bucket does not answer
     */
    int relist(long directory) throws ErrnoException {
        CompletableFuture<Boolean> mine = new CompletableFuture<>();
        for (CompletableFuture<Boolean> other = underWay.putIfAbsent(directory, mine);
                other != null;
                other = underWay.putIfAbsent(directory, mine)) {
            // Begun before, it may have seen less.
            boolean ignored = other.join();
        }
        OptionalInt changed = OptionalInt.empty();
        try {
            changed = list(directory, Duration.ZERO);
        } finally {
            underWay.remove(directory, mine);
            mine.complete(changed.isPresent());
        }
        return changed.orElseThrow(
                () -> new ErrnoException(Errno.EIO, "the bucket could not be listed: the node's log says why"));
    }

    void refreshLater(long directory) {
        if (underWay.containsKey(directory)) {
            return;
        }
        executor.execute(() -> {
            try {
                refresh(directory);
            } catch (ErrnoException e) {
                LOG.debug("background listing of directory {}", directory, e);
            }
        });
    }

    /** How many names changed, where it is not younger than that; empty where the bucket did not answer. */
    private OptionalInt list(long directory, Duration youngest) throws ErrnoException {
        for (int i = 1; ; i++) {
            try {
                return listOnce(directory, youngest);
            } catch (ErrnoException e) {
                if (e.errno() == Errno.EOPNOTSUPP) {
                    // Nothing in the bucket can be below it.
                    fresh(directory, refresh);
                    return OptionalInt.of(0);
                }
                if (e.errno() != Errno.EAGAIN || i == MAX_TRIES) {
                    throw e;
                }
            }
        }
    }

    private OptionalInt listOnce(long directory, Duration youngest) throws ErrnoException {
        Listing listing = metadata.beginListing(directory);
        if (listing.lastImported() != null) {
            Duration age = Duration.between(listing.lastImported().toInstant(), clock.instant());
            if (!age.isNegative() && age.compareTo(youngest) < 0) {
                fresh(directory, youngest.minus(age));
                return OptionalInt.of(0);
            }
        }
        try {
            int names = take(listing);
            LOG.debug("{} names of directory {} changed by its listing", names, directory);
            fresh(directory, refresh);
            return OptionalInt.of(names);
        } catch (IOException e) {
            LOG.warn("the bucket could not be listed at '{}': {}", listing.keyPrefix(), e.getMessage());
            fresh(directory, AFTER_FAILURE);
            return OptionalInt.empty();
        }
    }

    /** While the coordinator takes over one page, the bucket is asked for those after it. */
    private int take(Listing listing) throws IOException, ErrnoException {
        CloudTier.Pages pages = cloud.list(listing.keyPrefix());
        int names = 0;
        FileName after = null;
        Optional<List<ListedObject>> page = pages.next();
        Optional<List<ListedObject>> following = pages.next();
        while (page.isPresent()) {
            CompletableFuture<Optional<List<ListedObject>>> ahead = next(pages);
            List<ListedObject> objects = withoutReserved(page.get(), listing.directory());
            FileName through = after;
            for (ListedObject object : objects) {
                through = FileName.later(through, object.name());
            }
            if (following.isEmpty() || through != null) {
                names +=
                        metadata.importListing(listing, objects, after, following.isEmpty() ? null : through, fallback);
            }
            after = through;
            page = following;
            following = await(ahead);
        }
        return names;
    }

    private CompletableFuture<Optional<List<ListedObject>>> next(CloudTier.Pages pages) {
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        return pages.next();
                    } catch (IOException failed) {
                        throw new UncheckedIOException(failed);
                    }
                },
                executor);
    }

    private static <T> T await(CompletableFuture<T> future) throws IOException {
        try {
            return future.join();
        } catch (CompletionException failed) {
            if (failed.getCause() instanceof UncheckedIOException unanswered) {
                throw unanswered.getCause();
            }
            throw failed;
        }
    }

    private static List<ListedObject> withoutReserved(List<ListedObject> objects, long directory) {
        if (directory != io.fusecache.metadata.Inode.ROOT) {
            return objects;
        }
        List<ListedObject> ours = new ArrayList<>(objects);
        ours.removeIf(object -> object.name().toString().equals(RESERVED));
        return ours;
    }
}
