package io.fusecache.testkit.random;

/**
 * One operation on the tree, made through the mount of a node (counted from 0). Paths are relative to the tree's root. Files
 * are closed when an operation ends, but for those that are held for reading.
 */
public sealed interface TreeOperation {
    /** The flag of renameat2(2). */
    enum RenameFlag {
        NONE(0),
        NOREPLACE(1),
        EXCHANGE(2);

        private final int bits;

        RenameFlag(int bits) {
            this.bits = bits;
        }

        int bits() {
            return bits;
        }
    }

    /** With O_EXCL. */
    record Create(int node, String path, int mode) implements TreeOperation {}

    record Mkdir(int node, String path, int mode) implements TreeOperation {}

    record Mkfifo(int node, String path, int mode) implements TreeOperation {}

    record Symlink(int node, String target, String path) implements TreeOperation {}

    record Link(int node, String from, String to) implements TreeOperation {}

    /** A file without a name gets one: O_TMPFILE in the directory, and linkat(2). */
    record LinkTemporary(int node, String directory, String to, int length, int fill) implements TreeOperation {}

    /** Makes it, or empties it. */
    record Write(int node, String path, int length, int fill) implements TreeOperation {}

    record Append(int node, String path, int length, int fill) implements TreeOperation {}

    record Update(int node, String path, int offset, int length, int fill) implements TreeOperation {}

    record Truncate(int node, String path, int size) implements TreeOperation {}

    record Read(int node, String path) implements TreeOperation {}

    record Status(int node, String path) implements TreeOperation {}

    record Names(int node, String path) implements TreeOperation {}

    record Rename(int node, String from, String to, RenameFlag flag) implements TreeOperation {}

    record Unlink(int node, String path) implements TreeOperation {}

    record Rmdir(int node, String path) implements TreeOperation {}

    record Chmod(int node, String path, int mode) implements TreeOperation {}

    record Chown(int node, String path, int uid, int gid) implements TreeOperation {}

    /** Sets both times to this moment. */
    record Touch(int node, String path, int seconds, int nanos) implements TreeOperation {}

    record SetAttribute(int node, String path, String name, int length, int fill) implements TreeOperation {}

    record RemoveAttribute(int node, String path, String name) implements TreeOperation {}

    /** Opens for reading, and keeps open; closes what the slot held before. */
    record Hold(int node, int slot, String path) implements TreeOperation {}

    record ReadHeld(int node, int slot) implements TreeOperation {}

    record Release(int node, int slot) implements TreeOperation {}

    /** Everything, as this node sees it. */
    record Compare(int node) implements TreeOperation {}

    /** {@link Surroundings.Incident} */
    record Happen(String name, boolean closed) implements TreeOperation {}
}
