package io.fusecache.tiers.cloud.file;

import io.fusecache.tiers.cloud.ObjectStore.Depth;
import io.fusecache.tiers.cloud.ObjectStore.Listed;
import io.fusecache.tiers.cloud.ObjectStore.Page;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One page of the keys in a folder, name by name in the order of their bytes, a folder before what is in it. The last key of
 * a page is where the next one goes on.
 *
 * <p>A folder's names are read whole for every page, so pages are large; but only as many are kept as the page may need, and
 * only those are looked at. What goes away while it is listed is left out.
 */
final class FolderListing {
    private static final Logger LOG = LoggerFactory.getLogger(FolderListing.class);
    /** Told once: such files are there at every listing. */
    private static final AtomicBoolean TOLD_UNREADABLE_NAME = new AtomicBoolean();

    private final AttributeRecords records;
    private final Depth depth;
    private final int most;
    private final List<Listed> objects = new ArrayList<>();
    private final List<String> directories = new ArrayList<>();
    private String last = "";
    private boolean full;

    private FolderListing(AttributeRecords records, Depth depth, int most) {
        this.records = records;
        this.depth = depth;
        this.most = most;
    }

    static Page page(
            KeyPaths keys, AttributeRecords records, String prefix, Depth depth, @Nullable String after, int most)
            throws IOException {
        FolderListing listing = new FolderListing(records, depth, most);
        Path folder = keys.folder(prefix);
        if (after == null && !prefix.isEmpty()) {
            listing.addMarker(prefix, folder);
        }
        listing.walk(prefix, folder, after == null ? "" : after.substring(prefix.length()));
        return new Page(listing.objects, listing.directories, listing.full ? listing.last : null);
    }

    /** @param after what has been listed below {@code prefix}: all names up to its first component, and so on below that */
    private void walk(String prefix, Path folder, String after) throws IOException {
        int slash = after.indexOf('/');
        String doneName = slash < 0 ? after : after.substring(0, slash);
        if (slash >= 0 && depth == Depth.TREE) {
            walk(prefix + doneName + "/", folder.resolve(doneName), after.substring(slash + 1));
        }
        Names names;
        for (String done = doneName; !full; done = names.last()) {
            names = names(prefix, folder, done);
            for (Entry entry : names.entries()) {
                add(prefix, entry);
                if (full) {
                    return;
                }
            }
            if (!names.more()) {
                return;
            }
        }
    }

    private void add(String prefix, Entry entry) throws IOException {
        Optional<FileStamp> found = FileStamp.find(entry.path);
        if (found.isEmpty()) {
            return;
        }
        FileStamp stamp = found.get();
        String key = prefix + entry.name;
        switch (stamp.kind()) {
            case OBJECT -> addObject(key, entry.path, stamp);
            case FOLDER -> addFolder(key + "/", entry.path);
            case FOREIGN -> LOG.debug("'{}' is a link or a special file: no object", key);
        }
    }

    private void addFolder(String key, Path path) throws IOException {
        if (depth == Depth.TREE) {
            addMarker(key, path);
            if (!full) {
                walk(key, path, "");
            }
        } else if (begin(key)) {
            directories.add(key);
        }
    }

    private void addObject(String key, Path path, FileStamp stamp) throws IOException {
        try {
            Map<String, String> attributes = full() ? Map.of() : records.read(key, path, stamp);
            if (begin(key)) {
                objects.add(new Listed(key, stamp.size(), stamp.etag(), stamp.modifiedTime(), attributes));
            }
        } catch (NoSuchFileException gone) {
            LOG.debug("'{}' went away while it was listed", key);
        }
    }

    /** A folder that is marked, or that nothing else shows, is an object itself. */
    private void addMarker(String key, Path folder) throws IOException {
        try {
            if (FolderTree.empty(folder) || records.marked(key, folder)) {
                FileStamp stamp = FileStamp.of(folder);
                if (stamp.folder() && begin(key)) {
                    objects.add(new Listed(key, 0, stamp.etag(), stamp.modifiedTime(), Map.of()));
                }
            }
        } catch (NoSuchFileException gone) {
            LOG.debug("'{}' went away while it was listed", key);
        }
    }

    private boolean full() {
        return objects.size() + directories.size() == most;
    }

    /** Whether the key has room on this page. */
    private boolean begin(String key) {
        if (full()) {
            full = true;
            return false;
        }
        last = key;
        return true;
    }

    private record Entry(String name, Path path) implements Comparable<Entry> {
        @Override
        public int compareTo(Entry other) {
            return compare(name, other.name);
        }
    }

    /** The first names after another, in order; {@code more}: not all of them. */
    private record Names(List<Entry> entries, boolean more) {
        String last() {
            return entries.getLast().name();
        }
    }

    /** In the order of their UTF-8 bytes, which is that of their code points. */
    private static int compare(String one, String other) {
        return Arrays.compareUnsigned(one.getBytes(StandardCharsets.UTF_8), other.getBytes(StandardCharsets.UTF_8));
    }

    private Names names(String prefix, Path folder, String after) throws IOException {
        PriorityQueue<Entry> first = new PriorityQueue<>(Comparator.reverseOrder());
        boolean more = false;
        try (DirectoryStream<Path> paths = Files.newDirectoryStream(folder)) {
            for (Path path : paths) {
                Optional<String> name = KeyPaths.name(path);
                if (name.isEmpty()) {
                    tellUnreadable(path);
                } else if (shown(prefix, name.get()) && (after.isEmpty() || compare(name.get(), after) > 0)) {
                    first.add(new Entry(name.get(), path));
                }
                // One more than a page has, since that is what says that it is full.
                if (first.size() > most + 1) {
                    first.remove();
                    more = true;
                }
            }
        } catch (DirectoryIteratorException failed) {
            throw failed.getCause();
        } catch (NoSuchFileException | NotDirectoryException gone) {
            return new Names(List.of(), false);
        }
        List<Entry> entries = new ArrayList<>(first);
        entries.sort(Comparator.naturalOrder());
        return new Names(entries, more);
    }

    private static boolean shown(String prefix, String name) {
        return prefix.isEmpty()
                ? !name.equals(KeyPaths.RESERVED)
                : !prefix.equals(KeyPaths.RESERVED + "/") || !KeyPaths.keptOut(name);
    }

    private static void tellUnreadable(Path path) {
        if (TOLD_UNREADABLE_NAME.compareAndSet(false, true)) {
            LOG.warn("{}: names that are not UTF-8 are not shown in the bucket, here and elsewhere", path.toUri());
        }
    }
}
