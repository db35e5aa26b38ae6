package io.fusecache.metadata;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The attributes of a file as the metadata of its object: lower-case keys and ASCII values, as S3 user metadata,
 * Azure blob metadata and an extended attribute of a file can all carry them.
 *
 * <p>{@code fusecache-mode} octal permissions, {@code fusecache-owner} "uid:gid", {@code fusecache-mtime} and
 * {@code fusecache-btime} "seconds.nanoseconds". Values that do not parse are as absent: a stranger may have put them.
 */
public record ObjectAttributes(int permissions, int uid, int gid, Timestamp modified, Timestamp born) {
    private static final String MODE = "fusecache-mode";
    private static final String OWNER = "fusecache-owner";
    private static final String MODIFIED = "fusecache-mtime";
    private static final String BORN = "fusecache-btime";

    public static ObjectAttributes of(Inode inode) {
        return new ObjectAttributes(inode.permissions(), inode.uid(), inode.gid(), inode.modified(), inode.born());
    }

    public Map<String, String> toMap() {
        Map<String, String> map = new HashMap<>();
        map.put(MODE, Integer.toOctalString(permissions));
        map.put(OWNER, uid + ":" + gid);
        map.put(MODIFIED, text(modified));
        map.put(BORN, text(born));
        return Map.copyOf(map);
    }

    /** The attributes that {@code map} carries, or empty where it lacks one or one does not parse. */
    public static Optional<ObjectAttributes> parse(Map<String, String> map) {
        String mode = map.get(MODE);
        String owner = map.get(OWNER);
        String modified = map.get(MODIFIED);
        String born = map.get(BORN);
        if (mode == null || owner == null || modified == null || born == null) {
            return Optional.empty();
        }
        try {
            int colon = owner.indexOf(':');
            return Optional.of(new ObjectAttributes(
                    Integer.parseInt(mode, 8) & 07777,
                    Integer.parseUnsignedInt(owner.substring(0, Math.max(colon, 0))),
                    Integer.parseUnsignedInt(owner.substring(colon + 1)),
                    timestamp(modified),
                    timestamp(born)));
        } catch (IllegalArgumentException foreign) {
            return Optional.empty();
        }
    }

    private static String text(Timestamp time) {
        return "%d.%09d".formatted(time.seconds(), time.nanos());
    }

    private static Timestamp timestamp(String text) {
        int dot = text.indexOf('.');
        return new Timestamp(
                Long.parseLong(text.substring(0, Math.max(dot, 0))), Integer.parseInt(text.substring(dot + 1)));
    }
}
