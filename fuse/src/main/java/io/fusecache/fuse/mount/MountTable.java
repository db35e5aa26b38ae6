package io.fusecache.fuse.mount;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** The mounts of this process's namespace, as /proc/self/mountinfo lists them. */
public final class MountTable {
    private static final Path MOUNTINFO = Path.of("/proc/self/mountinfo");

    private MountTable() {}

    /** One mount: where, of what type, from what, as which device. */
    public record Entry(Path mountPoint, String type, String source, int deviceMajor, int deviceMinor) {}

    /**
     * The topmost mount on exactly this directory. Asks the table, never the mount: it may hang, or be dead.
     *
     * @param directory absolute, without links
     */
    public static Optional<Entry> find(Path directory) throws IOException {
        Entry found = null;
        for (Entry entry : parse(Files.readAllLines(MOUNTINFO, StandardCharsets.ISO_8859_1))) {
            if (entry.mountPoint().equals(directory)) {
                found = entry;
            }
        }
        return Optional.ofNullable(found);
    }

    static List<Entry> parse(List<String> lines) {
        return lines.stream().map(MountTable::entry).toList();
    }

    private static Entry entry(String line) {
        // id parent major:minor root mountpoint options [optional fields] - type source super-options
        String[] fields = line.split(" ", -1);
        int dash = 6;
        while (!fields[dash].equals("-")) {
            dash++;
        }
        String[] device = fields[2].split(":", -1);
        return new Entry(
                Path.of(unescape(fields[4])),
                fields[dash + 1],
                unescape(fields[dash + 2]),
                Integer.parseInt(device[0]),
                Integer.parseInt(device[1]));
    }

    /** Blank, tab, newline and backslash come as a backslash and three octal digits; other bytes as they are. */
    static String unescape(String text) {
        byte[] in = text.getBytes(StandardCharsets.ISO_8859_1);
        byte[] out = new byte[in.length];
        int n = 0;
        for (int i = 0; i < in.length; i++) {
            if (in[i] == '\\' && i + 3 < in.length) {
                out[n++] = (byte) Integer.parseInt(text.substring(i + 1, i + 4), 8);
                i += 3;
            } else {
                out[n++] = in[i];
            }
        }
        return new String(out, 0, n, StandardCharsets.UTF_8);
    }
}
