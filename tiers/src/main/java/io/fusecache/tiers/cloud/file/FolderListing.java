package io.fusecache.tiers.cloud.file;

import io.fusecache.tiers.cloud.ObjectStore.Depth;
import io.fusecache.tiers.cloud.ObjectStore.Listed;
import io.fusecache.tiers.cloud.ObjectStore.Page;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One page of the keys in a folder, name by name in the order of their bytes, a folder before what is in it. The last key of
 * a page is where the next one goes on. What goes away while it is listed is left out.
 */
final class FolderListing {
    private static final Logger LOG = LoggerFactory.getLogger(FolderListing.class);

    /** What is kept of one folder for further pages. */
    private static final long MOST_NAME_BYTES = 4L << 20;

    private final KeyPaths keys;
    private final AttributeRecords records;
    private final Depth depth;
    private final int most;
    private final List<Listed> objects = new ArrayList<>();
    private final List<String> directories = new ArrayList<>();
    private @Nullable SortedNames level;
    private String last = "";
    private boolean full;

    private FolderListing(KeyPaths keys, AttributeRecords records, Depth depth, int most, @Nullable SortedNames level) {
        this.keys = keys;
        this.records = records;
        this.depth = depth;
        this.most = most;
        this.level = level;
    }

    static Page page(
            KeyPaths keys,
            AttributeRecords records,
            BegunListings begun,
            String prefix,
            Depth depth,
            @Nullable String continuation,
            int most)
            throws IOException {
        BegunListings.Place place = begun.place(continuation);
        FolderListing listing = new FolderListing(keys, records, depth, most, begun.find(place));
        Path folder = keys.folder(prefix);
        String after = place.after();
        if (after == null && !prefix.isEmpty()) {
            listing.addMarker(prefix, folder);
        }
        listing.walk(prefix, folder, after == null ? "" : after.substring(prefix.length()));
        begun.keep(place, listing.full ? listing.level : null);
        return new Page(listing.objects, listing.directories, listing.full ? place.continuation(listing.last) : null);
    }

    /** @param after what has been listed below {@code prefix}: all names up to its first component, and so on below that */
    private void walk(String prefix, Path folder, String after) throws IOException {
        int slash = after.indexOf('/');
        String done = slash < 0 ? after : after.substring(0, slash);
        if (slash >= 0 && depth == Depth.TREE) {
            walk(prefix + done + "/", keys.entry(folder, done), after.substring(slash + 1));
        }
        String at = done;
        while (!full) {
            SortedNames names = names(prefix, folder, at);
            for (int i = names.firstAfter(at); i < names.size() && !full; i++) {
                add(prefix, names.name(i), folder);
            }
            if (full || !names.more()) {
                return;
            }
            at = names.last();
        }
    }

    /** What comes next after {@code done} is the first of these after it. */
    private SortedNames names(String prefix, Path folder, String done) throws IOException {
        if (depth == Depth.TREE) {
            // One more than a page has, since that is what says that it is full.
            SortedNames.Room room = new SortedNames.Room(most + 1, Long.MAX_VALUE / 2);
            return SortedNames.read(folder, done, room, name -> shown(prefix, name));
        }
        SortedNames known = level;
        if (known == null || !known.goOnAfter(done)) {
            SortedNames.Room room = new SortedNames.Room(Integer.MAX_VALUE, MOST_NAME_BYTES);
            known = SortedNames.read(folder, done, room, name -> shown(prefix, name));
            level = known;
        }
        return known;
    }

    private void add(String prefix, String name, Path folder) throws IOException {
        Path path = keys.entry(folder, name);
        Optional<FileStamp> found = FileStamp.find(path);
        if (found.isEmpty()) {
            return;
        }
        FileStamp stamp = found.get();
        String key = prefix + name;
        switch (stamp.kind()) {
            case OBJECT -> addObject(key, path, stamp);
            case FOLDER -> addFolder(key + "/", path);
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

    private static boolean shown(String prefix, String name) {
        return prefix.isEmpty()
                ? !name.equals(KeyPaths.RESERVED)
                : !prefix.equals(KeyPaths.RESERVED + "/") || !KeyPaths.keptOut(name);
    }
}
