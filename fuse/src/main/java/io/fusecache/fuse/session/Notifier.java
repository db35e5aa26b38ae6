package io.fusecache.fuse.session;

import io.fusecache.fuse.sys.PosixException;
import io.fusecache.fuse.wire.FileName;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.CompletableFuture;

/**
 * Messages to the kernel that answer nothing: what it has cached is no longer so.
 *
 * <p>Every method returns when the kernel has done it. Which locks it takes on the way is with each; a lock that a waiting
 * request holds must not be wanted by whoever the request waits for. All but {@link #poll}, {@link #resend} and
 * {@link #incEpoch} also wait while the mount is being torn down.
 *
 * <p>False says that the kernel does not know the node or the name, so has nothing cached: as good as done. An exception
 * says that the kernel is too old for it (EINVAL), or the connection is gone (ENODEV, ENOTCONN).
 */
public interface Notifier {
    /**
     * Drops the attributes and ACLs of a node, and the page cache of {@code length} bytes from {@code offset}: length 0 or
     * less means to the end, a negative offset the attributes alone.
     *
     * <p>With a negative offset takes no lock that waits. Otherwise it waits for every page of the range that is being
     * read or written: never call it from a thread that is to answer a READ or WRITE of that node, or that such a one
     * waits for. Passed-through files have no pages in this cache.
     */
    boolean invalInode(long nodeId, long offset, long length) throws PosixException;

    /**
     * Drops a name from a directory's cache, with all that is below it and mounts on it; and the directory's attributes.
     *
     * <p>Takes the directory's lock. The kernel holds that while LOOKUP, CREATE, MKDIR, UNLINK, RENAME and the like in that
     * directory wait for their answer (several lookups at a time share it): never call it where such an answer may depend
     * on the call's return.
     */
    boolean invalEntry(long parent, FileName name) throws PosixException;

    /**
     * Makes a name be looked up again at its next use, without dropping what is below it. The same lock. Needs
     * HAS_EXPIRE_ONLY.
     */
    boolean expireEntry(long parent, FileName name) throws PosixException;

    /**
     * Tells that a name was deleted: like {@link #invalEntry}, and what watches the directory (inotify) sees it go.
     *
     * <p>Takes the directory's lock and then the child's. Refused (EBUSY, ENOTEMPTY) where the child is a mount point or a
     * directory that is not empty.
     */
    boolean delete(long parent, long child, FileName name) throws PosixException;

    /** Puts bytes into the page cache of a node, growing its size. Waits for the lock of each page of the range. */
    boolean store(long nodeId, long offset, MemorySegment data) throws PosixException;

    /**
     * Asks for what the page cache has of a range, up to the first page it has not.
     *
     * <p>Takes no lock that waits; the bytes come as a request later. The future fails with an {@link java.io.IOException}
     * where the node is unknown, and when the session ends first.
     */
    CompletableFuture<Retrieved> retrieve(long nodeId, long offset, int size);

    /** Bytes of a page cache, on the heap. */
    record Retrieved(long offset, MemorySegment data) {}

    /** Wakes who polls with this handle, of a POLL request. Takes no lock that waits. */
    void poll(long kernelHandle) throws PosixException;

    /**
     * Makes the kernel send all requests again that were read and not answered, marked as resent. For a session that takes
     * a connection over. Takes no lock that waits. Needs HAS_RESEND.
     */
    void resend() throws PosixException;

    /**
     * Makes every name of the whole mount be looked up again at its next use. Takes no lock at all: safe from anywhere.
     * What it does to working directories and open files is in the package documentation. Needs protocol 7.44.
     */
    void incEpoch() throws PosixException;

    /**
     * Drops nodes that nobody uses from the kernel's caches, so that FORGET comes for them; those in use stay. Takes no lock
     * that waits for a request. Needs protocol 7.45.
     */
    void prune(long... nodeIds) throws PosixException;
}
