package io.fusecache.tiers.cloud.file;

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
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Names of a folder in the order of their UTF-8 bytes, which is that of their code points: those after a given one, all of
 * them or as many as there is room for. Does not change.
 *
 * <p>A folder tells its names in no order, so it is read whole each time; of what is read, only what comes first is kept.
 */
final class SortedNames {
    private static final Logger LOG = LoggerFactory.getLogger(SortedNames.class);
    /** Told once: such files are there at every listing. */
    private static final AtomicBoolean TOLD_UNREADABLE = new AtomicBoolean();

    /** What a name takes beside its bytes: the head of its array, and a reference to it. */
    private static final int NAME_BYTES = 20;

    /** How much is kept; twice that while a folder is read. */
    record Room(int names, long bytes) {}

    private final byte[] after;
    private final List<byte[]> names;
    private final boolean more;

    private SortedNames(byte[] after, List<byte[]> names, boolean more) {
        this.after = after;
        this.names = names;
        this.more = more;
    }

    /** @param after empty for all; a folder that is gone has none */
    static SortedNames read(Path folder, String after, Room room, Predicate<String> shown) throws IOException {
        Selection first = new Selection(bytes(after), room);
        try (DirectoryStream<Path> paths = Files.newDirectoryStream(folder)) {
            for (Path path : paths) {
                String name = KeyPaths.name(path).orElse(null);
                if (name == null) {
                    tellUnreadable(path);
                } else if (shown.test(name)) {
                    first.add(bytes(name));
                }
            }
        } catch (DirectoryIteratorException failed) {
            throw failed.getCause();
        } catch (NoSuchFileException | NotDirectoryException gone) {
            return new SortedNames(bytes(after), List.of(), false);
        }
        return first.sorted();
    }

    private static void tellUnreadable(Path path) {
        if (TOLD_UNREADABLE.compareAndSet(false, true)) {
            LOG.warn("{}: names that are not UTF-8 are not shown in the bucket, here and elsewhere", path.toUri());
        }
    }

    private static byte[] bytes(String name) {
        return name.getBytes(StandardCharsets.UTF_8);
    }

    int size() {
        return names.size();
    }

    String name(int index) {
        return new String(names.get(index), StandardCharsets.UTF_8);
    }

    String last() {
        return name(names.size() - 1);
    }

    /** Whether the folder has names after the last one here. */
    boolean more() {
        return more;
    }

    /** Whether what comes next after {@code name} is to be found here. */
    boolean goOnAfter(String name) {
        byte[] done = bytes(name);
        return Arrays.compareUnsigned(after, done) <= 0 && (!more || Arrays.compareUnsigned(done, names.getLast()) < 0);
    }

    int firstAfter(String name) {
        byte[] done = bytes(name);
        int low = 0;
        int high = names.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (Arrays.compareUnsigned(names.get(middle), done) <= 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** The first names of all that are added. */
    private static final class Selection {
        private final byte[] after;
        private final Room room;
        private final List<byte[]> names = new ArrayList<>();
        private long bytes;
        private byte @Nullable [] end;

        Selection(byte[] after, Room room) {
            this.after = after;
            this.room = room;
        }

        void add(byte[] name) {
            if (Arrays.compareUnsigned(name, after) <= 0 || (end != null && Arrays.compareUnsigned(name, end) > 0)) {
                return;
            }
            names.add(name);
            bytes += NAME_BYTES + name.length;
            if (names.size() > 2L * room.names() || bytes > 2 * room.bytes()) {
                cut();
            }
        }

        private void cut() {
            names.sort(Arrays::compareUnsigned);
            int kept = 0;
            long taken = 0;
            while (kept < names.size() && kept < room.names() && (kept == 0 || taken < room.bytes())) {
                taken += NAME_BYTES + names.get(kept).length;
                kept++;
            }
            if (kept < names.size()) {
                names.subList(kept, names.size()).clear();
                end = names.getLast();
            }
            bytes = taken;
        }

        SortedNames sorted() {
            cut();
            return new SortedNames(after, List.copyOf(names), end != null);
        }
    }
}
