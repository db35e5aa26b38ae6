package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.Node;
import io.fusecache.coordinator.state.VolumeRecord;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Inode;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Which object key a file has: the prefix of the volume and the path of its first name, byte for byte.
 *
 * <p>Some paths no key can spell: those that are not UTF-8, or longer than the 1024 bytes that S3 allows. Their
 * objects are {@code .fusecache/objects/INO}, as are those of files that are out of place for a while (two files that
 * change places, a removed file that is still read). Those of files in the trash are {@code .fusecache/trash/INO}.
 */
final class ObjectKeys {
    static final String RESERVED = ".fusecache";
    static final int MAX_BYTES = 1024;

    private ObjectKeys() {}

    static String prefix(Execution run) {
        String prefix = VolumeRecord.in(run.state()).keyPrefix();
        return prefix == null ? "" : prefix;
    }

    /** Where the object of a file belongs. */
    static String ofFile(Execution run, Node node) {
        FileName name = node.name();
        if (node.inode().links() > 0 && name != null) {
            String directory = ofDirectory(run, node.parent());
            String key = directory == null ? null : append(directory, name, "");
            if (key != null) {
                return key;
            }
        }
        return node.inode().kept() ? inTrash(run, node.ino()) : aside(run, node.ino());
    }

    private static String inTrash(Execution run, long ino) {
        return prefix(run) + RESERVED + "/trash/" + Long.toHexString(ino);
    }

    static String aside(Execution run, long ino) {
        return prefix(run) + RESERVED + "/objects/" + Long.toHexString(ino);
    }

    /** What the keys below a directory begin with, ending in '/' (for the root: the prefix); null where none can. */
    static @Nullable String ofDirectory(Execution run, long ino) {
        Deque<FileName> names = new ArrayDeque<>();
        for (long at = ino; at != Inode.ROOT; ) {
            Node node = run.find(at);
            if (node == null || node.name() == null || node.inode().links() == 0) {
                return null;
            }
            names.push(node.name());
            at = node.parent();
        }
        String key = prefix(run);
        for (FileName name : names) {
            key = append(key, name, "/");
            if (key == null) {
                return null;
            }
        }
        return key;
    }

    static @Nullable String append(String directory, FileName name, String end) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(name.toBytes()))
                    .toString();
            String key = directory + text + end;
            return key.getBytes(StandardCharsets.UTF_8).length <= MAX_BYTES ? key : null;
        } catch (CharacterCodingException notUtf8) {
            return null;
        }
    }
}
