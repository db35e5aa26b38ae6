package io.fusecache.fuse.session;

import io.fusecache.fuse.wire.AttributesReply;
import io.fusecache.fuse.wire.Bytes;
import io.fusecache.fuse.wire.DirectoryBuffer;
import io.fusecache.fuse.wire.EntryReply;
import io.fusecache.fuse.wire.FileLock;
import io.fusecache.fuse.wire.OpenReply;
import io.fusecache.fuse.wire.StatfsReply;
import io.fusecache.fuse.wire.StatxReply;
import java.lang.foreign.MemorySegment;

/**
 * The answer to one request, given exactly once, from any thread.
 *
 * <p>The methods that answer say whether the kernel took it: false when the connection is gone, or the session has
 * answered EIO because it is closing. A second answer is an {@link IllegalStateException}: a mistake of the caller. A reply
 * that is dropped unanswered answers EIO when the collector finds it, so that nobody waits for ever.
 *
 * <p>With the answer, the buffers of the request and of {@link #buffer} go back to the session; nothing may touch them
 * any more.
 */
public interface Reply {
    /** @param errno the error number, positive: {@link io.fusecache.fuse.wire.Errno} */
    boolean error(int errno);

    /** Success without a word: UNLINK, RMDIR, RENAME, FLUSH, RELEASE, FSYNC, SETXATTR, SETLK, ACCESS, FALLOCATE... */
    boolean ok();

    /** LOOKUP, MKNOD, MKDIR, SYMLINK, LINK: counts one lookup of the node. */
    boolean entry(EntryReply entry);

    /** GETATTR, SETATTR. */
    boolean attributes(AttributesReply attributes);

    /** READLINK. */
    boolean link(Bytes target);

    /** OPEN, OPENDIR. */
    boolean opened(OpenReply open);

    /** CREATE, TMPFILE: counts one lookup of the node. */
    boolean created(EntryReply entry, OpenReply open);

    /**
     * READ; GETXATTR and LISTXATTR of a size other than 0.
     *
     * @param content no longer than the request's size; a shorter READ is the end of the file. On the heap or native, in
     *     {@link #buffer} for the fewest copies
     */
    boolean data(MemorySegment content);

    /** READ, from an open file of this process: by splice where that pays, else by a copy. Ends where the file does. */
    boolean dataFromFile(int fd, long offset, int length);

    /** WRITE. */
    boolean written(int bytes);

    /** COPY_FILE_RANGE, in the width that the request wants. */
    boolean copied(long bytes);

    /** STATFS. */
    boolean statfs(StatfsReply statfs);

    /** GETXATTR and LISTXATTR of size 0: how long the value is. */
    boolean xattrSize(int bytes);

    /** READDIR and READDIRPLUS: entries of {@link #directory}; counts a lookup of each node that a PLUS listing names. */
    boolean listing(DirectoryBuffer directory);

    /** GETLK: the lock that is in the way, or one of type {@link FileLock#UNLOCKED}. */
    boolean lock(FileLock lock);

    /** LSEEK. */
    boolean offset(long offset);

    /** STATX. */
    boolean statx(StatxReply statx);

    /** BMAP. */
    boolean block(long block);

    /** POLL: the events that are there. */
    boolean events(int events);

    /** IOCTL. */
    boolean ioctl(int result, MemorySegment output);

    /** FORGET, BATCH_FORGET: says that there is no answer. Need not be called. */
    void none();

    /**
     * A native buffer of {@code size} bytes to answer from; waits while all are in use. It goes back with the answer. One
     * for each reply.
     *
     * @throws IllegalArgumentException when the session's buffers are not that large: no request asks for more
     */
    MemorySegment buffer(int size);

    /** A listing to be filled, of a READDIR's size, in a buffer of {@link #buffer}. */
    DirectoryBuffer directory(int size, boolean plus);

    /** Whether it has been given, by anyone. */
    boolean isAnswered();

    /** Whether the asker got a signal: EINTR is an answer it understands. */
    boolean isInterrupted();

    /**
     * Runs {@code action} when the asker gets a signal; at once when it already has. It runs on a reader thread: it says
     * so to whoever waits, and returns. One for each reply. The request still wants its answer.
     */
    void onInterrupt(Runnable action);
}
