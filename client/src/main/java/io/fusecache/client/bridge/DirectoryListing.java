package io.fusecache.client.bridge;

import io.fusecache.filesystem.FileSystem;
import io.fusecache.filesystem.Node;
import io.fusecache.fuse.session.Reply;
import io.fusecache.fuse.wire.DirectoryBuffer;
import io.fusecache.fuse.wire.FileName;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import java.util.List;

/** Fills the kernel's buffer from where a listing left off. Cookies 1 and 2 are "." and "..", 0 is the start. */
final class DirectoryListing {
    private static final long DOT = 1;
    private static final long DOT_DOT = 2;

    /** What an entry takes at least: asks for no more of them than may fit. */
    private static final int PLAIN_ENTRY_BYTES = 32;

    private static final int PLUS_ENTRY_BYTES = 160;

    private final FileSystem files;
    private final Metadata metadata;
    private final KernelTypes types;
    private final Validity validity;

    DirectoryListing(FileSystem files, Metadata metadata, KernelTypes types, Validity validity) {
        this.files = files;
        this.metadata = metadata;
        this.types = types;
        this.validity = validity;
    }

    /** fsync(2) of a directory: all that was done in it outlives the machine. */
    void sync(Reply reply) throws ErrnoException {
        metadata.settle();
        reply.ok();
    }

    void fill(DirectoryBuffer buffer, long directory, long after, int size) throws ErrnoException {
        long cookie = after;
        if (cookie < DOT) {
            if (!dots(buffer, files.attributes(directory), FileName.DOT, DOT)) {
                return;
            }
            cookie = DOT;
        }
        if (cookie < DOT_DOT) {
            if (!dots(buffer, files.parent(directory), FileName.DOT_DOT, DOT_DOT)) {
                return;
            }
            cookie = DOT_DOT;
        }
        long asked = validity.asked(false);
        int limit = Math.max(1, size / (buffer.plus() ? PLUS_ENTRY_BYTES : PLAIN_ENTRY_BYTES));
        List<DirectoryEntry> entries = files.list(directory, cookie, limit);
        for (DirectoryEntry entry : entries) {
            if (!add(buffer, directory, entry, asked)) {
                return;
            }
        }
    }

    private static boolean dots(DirectoryBuffer buffer, Inode inode, FileName name, long next) {
        return buffer.plus()
                ? buffer.add(KernelTypes.bareEntry(inode), name, next)
                : buffer.add(inode.ino(), inode.mode(), name, next);
    }

    private boolean add(DirectoryBuffer buffer, long directory, DirectoryEntry entry, long asked)
            throws ErrnoException {
        FileName name = FileName.of(entry.name().toBytes());
        Inode inode = entry.inode();
        if (!buffer.plus()) {
            return buffer.add(inode.ino(), inode.mode(), name, entry.cookie());
        }
        Node node = files.tryNode(entry);
        return buffer.add(
                node == null ? KernelTypes.bareEntry(inode) : types.entry(directory, name, node, asked),
                name,
                entry.cookie());
    }
}
