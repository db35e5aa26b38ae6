package io.fusecache.tiers.cloud.file;

import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.TimeUnit;

/**
 * A directory entry at one moment. Inode number, modification time and size make the ETag of an object: a put gives it
 * another inode, and whoever writes into the file gives it another time.
 */
record FileStamp(Kind kind, long inode, long size, FileTime modified) {
    enum Kind {
        OBJECT,
        FOLDER,
        /** A symbolic link, a device, ...: not part of the bucket. */
        FOREIGN
    }

    /** What is at {@code path}, links not followed; empty where nothing is. */
    static Optional<FileStamp> find(Path path) throws IOException {
        try {
            return Optional.of(of(path));
        } catch (NoSuchFileException absent) {
            return Optional.empty();
        } catch (FileSystemException failed) {
            if (belowFile(path)) {
                return Optional.empty();
            }
            throw failed;
        }
    }

    /** Whether something that is no folder is where a folder above {@code path} should be (ENOTDIR, which Java does not tell). */
    static boolean belowFile(Path path) {
        Path above = path.getParent();
        while (above != null && !Files.exists(above, LinkOption.NOFOLLOW_LINKS)) {
            above = above.getParent();
        }
        return above != null && !Files.isDirectory(above, LinkOption.NOFOLLOW_LINKS);
    }

    static FileStamp of(Path path) throws IOException {
        Map<String, Object> seen = Files.readAttributes(
                path, "unix:ino,size,lastModifiedTime,isRegularFile,isDirectory", LinkOption.NOFOLLOW_LINKS);
        Kind kind = seen(seen, "isRegularFile", Boolean.class)
                ? Kind.OBJECT
                : seen(seen, "isDirectory", Boolean.class) ? Kind.FOLDER : Kind.FOREIGN;
        return new FileStamp(
                kind,
                seen(seen, "ino", Long.class),
                seen(seen, "size", Long.class),
                seen(seen, "lastModifiedTime", FileTime.class));
    }

    private static <T> T seen(Map<String, Object> attributes, String name, Class<T> type) {
        return type.cast(Objects.requireNonNull(attributes.get(name), name));
    }

    boolean object() {
        return kind == Kind.OBJECT;
    }

    boolean folder() {
        return kind == Kind.FOLDER;
    }

    String etag() {
        return Long.toHexString(inode) + "-" + content();
    }

    /** What stays the same where the file is copied with its times. */
    String content() {
        return Long.toHexString(modified.to(TimeUnit.NANOSECONDS)) + "-" + Long.toHexString(size);
    }

    Timestamp modifiedTime() {
        return Timestamp.of(modified.toInstant());
    }
}
