package io.fusecache.tiers.cloud;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CloudTier;
import io.fusecache.cache.ReadOutcome;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.Timestamp;
import io.fusecache.tiers.cloud.ObjectStore.Depth;
import io.fusecache.tiers.cloud.ObjectStore.Listed;
import io.fusecache.tiers.cloud.ObjectStore.Page;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tier 3 over any {@link ObjectStore}.
 *
 * <p>A large read goes as several ranges at once, a large put as several parts; the number of requests is bounded for the
 * tier as a whole, and puts get a part of it, so that uploads never starve reads. Buffers for what is being put come
 * from the arena, one part each. A request that fails is tried again (see {@link Attempts}).
 *
 * <p>Order in which things are waited for, so that nothing waits in a circle: a put or move slot, a buffer, a request slot.
 */
public final class BucketTier implements CloudTier {
    private static final Logger LOG = LoggerFactory.getLogger(BucketTier.class);

    private static final Duration SWEPT_EVERY = Duration.ofHours(1);
    private static final Duration LONGEST_END = Duration.ofSeconds(5);

    private final ObjectStore store;
    private final BucketOptions options;
    private final ExecutorService workers;
    private final ScheduledExecutorService timer;
    private final RequestSlots requests;
    private final HedgedReads reads;
    private final Attempts attempts;
    private final PutSlots slots;
    private final PartedPut large;
    private final MoveSlots moves;
    private final Copies copies;

    private final LeftOutKeys leftOut;

    /** Owns the store from now on, and closes it. */
    public BucketTier(ObjectStore store, BufferArena buffers, BucketOptions options) {
        this(store, buffers, options, null, Thread::sleep);
    }

    /** Uploads that end early are gone on with, in this process or the next one that has these notes; or dropped after a while. */
    public BucketTier(ObjectStore store, BufferArena buffers, BucketOptions options, UploadNotes notes) {
        this(store, buffers, options, notes, Thread::sleep);
    }

    BucketTier(
            ObjectStore store,
            BufferArena buffers,
            BucketOptions options,
            @Nullable UploadNotes notes,
            Attempts.Sleeper sleeper) {
        if (options.partBytes() > buffers.largestLease()) {
            throw new IllegalArgumentException("parts of %d bytes: the arena hands out at most %d"
                    .formatted(options.partBytes(), buffers.largestLease()));
        }
        this.store = store;
        this.options = options;
        this.workers = Executors.newThreadPerTaskExecutor(
                Thread.ofVirtual().name("bucket-", 0).factory());
        this.timer = deadlines();
        this.requests = new RequestSlots(options.requests());
        this.leftOut = new LeftOutKeys(store.name());
        this.reads = new HedgedReads(store, buffers, requests, workers, timer, options.rangeBytes());
        this.attempts = new Attempts(
                options,
                requests,
                timer,
                sleeper,
                () -> ThreadLocalRandom.current().nextLong());
        this.slots = new PutSlots(buffers, options);
        this.large = new PartedPut(store, options, attempts, slots, workers, notes);
        this.moves = new MoveSlots(attempts, Math.max(1, options.requests() / 3));
        this.copies = new Copies(store, moves, large, workers, sleeper);
        if (notes != null) {
            Future<?> ignored = timer.scheduleWithFixedDelay(
                    () -> workers.execute(large::sweep), 0, SWEPT_EVERY.toMillis(), TimeUnit.MILLISECONDS);
        }
    }

    /** Of which one that is over in time leaves nothing behind. */
    private static ScheduledExecutorService deadlines() {
        ScheduledThreadPoolExecutor timer = new ScheduledThreadPoolExecutor(
                1, Thread.ofPlatform().daemon().name("bucket-deadlines").factory());
        timer.setRemoveOnCancelPolicy(true);
        return timer;
    }

    /**
     * What became of requests, since start.
     *
     * @param repeated had to be sent again
     * @param throttled were refused because they were too many
     * @param limit in flight at most, at this moment
     * @param hedged sent a second time, because the answer to the first was late
     * @param hedgesWon of those, whose answer came first
     * @param hedgedBytes of those, what they asked for
     */
    public record Requests(long repeated, long throttled, int limit, long hedged, long hedgesWon, long hedgedBytes) {}

    public Requests requests() {
        return new Requests(
                attempts.repeated(),
                requests.throttled(),
                requests.limit(),
                reads.hedges(),
                reads.won(),
                reads.hedgedBytes());
    }

    @Override
    public ReadOutcome read(ObjectRef object, long offset, MemorySegment target) throws IOException {
        long size = target.byteSize();
        int ranges = Math.toIntExact(Math.max(1, (size + options.rangeBytes() - 1) / options.rangeBytes()));
        AtomicBoolean missed = new AtomicBoolean();
        Crew.workOff(ranges, options.requests(), workers, range -> {
            long from = (long) range * options.rangeBytes();
            MemorySegment piece = target.asSlice(from, Math.min(options.rangeBytes(), size - from));
            if (!missed.get() && !readRange(object, offset + from, piece)) {
                missed.set(true);
            }
        });
        return missed.get() ? new ReadOutcome.Miss() : new ReadOutcome.Hit(Math.toIntExact(size));
    }

    private boolean readRange(ObjectRef object, long offset, MemorySegment target) throws IOException {
        return attempts.run(
                "reading bytes %d to %d of '%s'".formatted(offset, offset + target.byteSize(), object.key()),
                () -> reads.read(object, offset, target));
    }

    @Override
    public ObjectRef put(
            String key, long size, Map<String, String> attributes, RangeReader content, Over over, Permit permit)
            throws IOException {
        if (size > Math.min(options.partBytes(), store.limits().largestPut())) {
            return large.put(key, size, attributes, content, over, permit);
        }
        ObjectRef object = slots.withBuffer(key, size, buffer -> {
            if (size > 0) {
                // A failure of the file that is being put, and not of the bucket, is not tried again.
                content.read(0, buffer);
            }
            return attempts.run("putting '" + key + "'", permit, () -> store.put(key, buffer, attributes, over));
        });
        large.overtake(key);
        return object;
    }

    @Override
    public boolean guardsRanges() {
        return store.guardsRanges();
    }

    @Override
    public long largestObject() {
        return store.limits().parts().largestObject();
    }

    @Override
    public Optional<ObjectRef> copy(ObjectRef from, String toKey, Over over, Permit permit) throws IOException {
        return copies.copy(from, toKey, over, permit);
    }

    @Override
    public void delete(String key, Permit permit) throws IOException {
        moves.run("deleting '" + key + "'", permit, () -> {
            store.delete(key);
            return true;
        });
    }

    @Override
    public boolean delete(ObjectRef object, Permit permit) throws IOException {
        return moves.run("deleting '" + object.key() + "'", permit, () -> store.delete(object));
    }

    @Override
    public Duration timeout() {
        return options.timeout();
    }

    /**
     * {@inheritDoc}
     *
     * <p>Where the bucket has an object {@code a} and keys below {@code a/}, the directory is shown. Keys whose next
     * component can name no file (empty, "..", longer than 255 bytes) are left out.
     */
    @Override
    public Pages list(String prefix) {
        return store.listsInOrder() ? pages(prefix) : new SortedPages(pages(prefix));
    }

    private Pages pages(String prefix) {
        return new Pages() {
            private @Nullable String continuation;
            private boolean ended;
            private @Nullable FileName furthest;

            @Override
            public Optional<List<ListedObject>> next() throws IOException {
                if (ended) {
                    return Optional.empty();
                }
                String from = continuation;
                Page page = attempts.run("listing '" + prefix + "'", () -> store.list(prefix, Depth.LEVEL, from));
                continuation = page.continuation();
                ended = continuation == null;
                List<ListedObject> names = names(prefix, page);
                if (store.listsInOrder()) {
                    furthest = inOrder(prefix, furthest, names);
                }
                return Optional.of(names);
            }
        };
    }

    private List<ListedObject> names(String prefix, Page page) {
        Map<FileName, ListedObject> names = new TreeMap<>();
        for (Listed object : page.objects()) {
            FileName name = name(prefix, object.key(), false);
            if (name != null) {
                names.putIfAbsent(
                        name,
                        new ListedObject(
                                name, false, object.size(), object.etag(), object.modified(), object.attributes()));
            }
        }
        for (String directory : page.directories()) {
            FileName name = name(prefix, directory, true);
            if (name != null) {
                ListedObject hidden = names.put(name, new ListedObject(name, true, 0, "", Timestamp.EPOCH, Map.of()));
                if (hidden != null && !hidden.directory()) {
                    leftOut.add(prefix + name, "a directory has that name");
                }
            }
        }
        return List.copyOf(names.values());
    }

    /** Returns the furthest name so far. What follows from a name that is not listed relies on the order. */
    private @Nullable FileName inOrder(String prefix, @Nullable FileName furthest, List<ListedObject> names)
            throws IOException {
        FileName next = furthest;
        for (ListedObject object : names) {
            if (!object.directory() && furthest != null && object.name().compareTo(furthest) < 0) {
                throw new IOException("%s lists '%s' after '%s' below '%s': not in the order of keys"
                        .formatted(store.name(), object.name(), furthest, prefix));
            }
            next = FileName.later(next, object.name());
        }
        return next;
    }

    /** What comes after the prefix, up to a slash at the end for {@code directory}; null for the prefix itself and for what is no name. */
    private @Nullable FileName name(String prefix, String key, boolean directory) {
        if (key.length() <= prefix.length()) {
            return null;
        }
        try {
            return FileName.of(key.substring(prefix.length(), key.length() - (directory ? 1 : 0)));
        } catch (ErrnoException unusable) {
            leftOut.add(key, unusable.reason());
            return null;
        }
    }

    /** Keys seen in listings since start that no path can lead to, 10,000 at most. */
    public int keysLeftOut() {
        return leftOut.count();
    }

    @Override
    public Optional<StoredObject> head(String key) throws IOException {
        return attempts.run("looking up '" + key + "'", () -> store.head(key));
    }

    @Override
    public void check() throws IOException {
        attempts.run("checking " + store.name(), () -> {
            store.check();
            return true;
        });
    }

    /** Ends what is under way. Its buffers are back by then, unless a request does not let itself be ended. */
    @Override
    public void close() {
        workers.shutdownNow();
        timer.shutdownNow();
        store.close();
        try {
            if (!workers.awaitTermination(LONGEST_END.toNanos(), TimeUnit.NANOSECONDS)) {
                LOG.warn("{}: requests go on {} s after they were ended", store.name(), LONGEST_END.toSeconds());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public String toString() {
        return "%s, %d requests at once (%d of them puts), ranges of %d MiB, parts of %d MiB, %d attempts of %s each"
                .formatted(
                        store.name(),
                        options.requests(),
                        options.puts(),
                        options.rangeBytes() >> 20,
                        options.partBytes() >> 20,
                        options.attempts(),
                        seconds(options.timeout()));
    }

    private static String seconds(Duration time) {
        return time.toMillis() % 1000 == 0 ? time.toSeconds() + " s" : time.toMillis() + " ms";
    }
}
