package io.fusecache.tiers.cloud.file;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.UserDefinedFileAttributeView;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The attributes of objects and the marks of directories.
 *
 * <p>An object's attributes are text in the extended attribute {@code user.fusecache} of its file: a first line that says
 * for which modification time and size they were put, then {@code name=value} lines. They are void once another tool has
 * changed the file, as if it had put an object of its own. The mark of a directory is the first line {@code marker}.
 *
 * <p>Where the file system has no extended attributes, or no room in them, the same text is in
 * {@code .fusecache/attributes/HASH-OF-KEY/ETAG}, written before the object appears and removed after it went, so that
 * object and attributes change together there too.
 */
final class AttributeRecords {
    private static final String NAME = "fusecache";
    private static final String HEAD = "fusecache 1 ";
    private static final String MARK = "marker";
    private static final int MAX_BYTES = 64 << 10;
    private static final int USUAL_BYTES = 4 << 10;
    private static final int HASH_DIGITS = 32;

    private final Path folder;
    private final boolean extended;

    /** @param extended whether to use extended attributes where the file system has them */
    AttributeRecords(Path folder, boolean extended) {
        this.folder = folder;
        this.extended = extended;
    }

    /** Gives the file at {@code path}, which will be the object at {@code key}, its attributes. */
    void write(String key, Path path, FileStamp stamp, Map<String, String> attributes) throws IOException {
        if (!attributes.isEmpty()) {
            write(key, path, stamp.etag(), text(stamp.content(), attributes));
        }
    }

    Map<String, String> read(String key, Path path, FileStamp stamp) throws IOException {
        String text = readExtended(path);
        if (text == null || !text.startsWith(HEAD + stamp.content() + "\n")) {
            text = readBeside(key, stamp.etag());
        }
        return text == null ? Map.of() : parse(text);
    }

    /** The object with that ETag is gone from {@code key}: so is what lies beside it. */
    void forget(String key, String etag) throws IOException {
        Path record = beside(key, etag);
        if (Files.deleteIfExists(record)) {
            removeIfEmpty(parent(record));
        }
    }

    /** Marks the folder of a marker key, durably if the folder is. */
    void mark(String key, Path path) throws IOException {
        if (!marked(key, path)) {
            write(key, path, MARK, HEAD + MARK + "\n");
        }
    }

    boolean marked(String key, Path path) throws IOException {
        String text = readExtended(path);
        return (text != null && text.startsWith(HEAD + MARK + "\n")) || readBeside(key, MARK) != null;
    }

    void unmark(String key, Path path) throws IOException {
        try {
            if (readExtended(path) != null) {
                view(path).delete(NAME);
            }
        } catch (NoSuchFileException gone) {
            // With the folder its mark is gone.
        }
        forget(key, MARK);
    }

    private void write(String key, Path path, String etag, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        if (bytes.length > MAX_BYTES) {
            throw new IOException(
                    "attributes of '%s' take %d bytes: at most %d".formatted(key, bytes.length, MAX_BYTES));
        }
        if (extended) {
            try {
                view(path).write(NAME, ByteBuffer.wrap(bytes));
                return;
            } catch (NoSuchFileException gone) {
                throw gone;
            } catch (FileSystemException noneOrNoRoom) {
                // Beside it, then; a disk that is full says so there again.
            }
        }
        Path record = beside(key, etag);
        Files.createDirectories(parent(record));
        Path draft = record.resolveSibling(etag + ".new");
        Files.write(draft, bytes);
        Files.move(draft, record, StandardCopyOption.ATOMIC_MOVE);
    }

    private @Nullable String readExtended(Path path) throws IOException {
        if (!extended) {
            return null;
        }
        UserDefinedFileAttributeView view = view(path);
        for (int size = USUAL_BYTES; ; size = MAX_BYTES) {
            try {
                if (!view.list().contains(NAME)) {
                    return null;
                }
                ByteBuffer bytes = ByteBuffer.allocate(size);
                view.read(NAME, bytes);
                return new String(bytes.array(), 0, bytes.position(), StandardCharsets.UTF_8);
            } catch (NoSuchFileException gone) {
                throw gone;
            } catch (FileSystemException noneOrLarger) {
                if (size == MAX_BYTES || !largerThan(view, size)) {
                    return null;
                }
            }
        }
    }

    private static boolean largerThan(UserDefinedFileAttributeView view, int bytes) {
        try {
            return view.size(NAME) > bytes;
        } catch (IOException none) {
            return false;
        }
    }

    private @Nullable String readBeside(String key, String etag) throws IOException {
        // What is usual is looked for first, as an exception for each key of a long listing takes most of its time.
        if (Files.notExists(folder)) {
            return null;
        }
        try {
            return Files.readString(beside(key, etag));
        } catch (NoSuchFileException none) {
            return null;
        }
    }

    private Path beside(String key, String etag) {
        try {
            byte[] hash = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
            return folder.resolve(HexFormat.of().formatHex(hash).substring(0, HASH_DIGITS))
                    .resolve(etag);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every JDK has SHA-256", e);
        }
    }

    private static Path parent(Path path) {
        Path parent = path.getParent();
        if (parent == null) {
            throw new AssertionError(path + " lies in no folder");
        }
        return parent;
    }

    private static void removeIfEmpty(Path directory) throws IOException {
        try {
            Files.deleteIfExists(directory);
        } catch (DirectoryNotEmptyException used) {
            // Another version of the object has its record there.
        }
    }

    private static UserDefinedFileAttributeView view(Path path) {
        return Optional.ofNullable(
                        Files.getFileAttributeView(path, UserDefinedFileAttributeView.class, LinkOption.NOFOLLOW_LINKS))
                .orElseThrow(() -> new AssertionError("no extended attributes in this JDK"));
    }

    private static String text(String content, Map<String, String> attributes) {
        StringBuilder text = new StringBuilder(HEAD).append(content).append('\n');
        new TreeMap<>(attributes)
                .forEach((name, value) -> text.append(escape(name))
                        .append('=')
                        .append(escape(value))
                        .append('\n'));
        return text.toString();
    }

    private static Map<String, String> parse(String text) {
        Map<String, String> attributes = new HashMap<>();
        text.lines().skip(1).forEach(line -> {
            int equals = line.indexOf('=');
            if (equals > 0) {
                attributes.put(unescape(line.substring(0, equals)), unescape(line.substring(equals + 1)));
            }
        });
        return Map.copyOf(attributes);
    }

    private static String escape(String text) {
        return text.replace("%", "%25")
                .replace("\n", "%0a")
                .replace("\r", "%0d")
                .replace("=", "%3d");
    }

    private static String unescape(String text) {
        return text.replace("%3d", "=")
                .replace("%0d", "\r")
                .replace("%0a", "\n")
                .replace("%25", "%");
    }
}
