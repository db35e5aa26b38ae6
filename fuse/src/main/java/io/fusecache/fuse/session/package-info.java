/**
 * A FUSE connection served: INIT negotiated, requests read and handed out, each answered once, the kernel notified.
 *
 * <p>In come a mount point, options and a {@link io.fusecache.fuse.session.FuseHandler}; out go requests to it, and its
 * answers to the kernel. What follows is what a handler has to know of the kernel (read in its sources, and seen on 6.18).
 *
 * <h2>One I/O mode per inode (fs/fuse/iomode.c)</h2>
 *
 * The kernel counts the opens of an inode, upwards for those that use its page cache, downwards for those that do not.
 *
 * <ul>
 *   <li>Cached: an open answered with neither DIRECT_IO nor PASSTHROUGH.
 *   <li>Passed through: answered with PASSTHROUGH and a backing id. Only DIRECT_IO, PARALLEL_DIRECT_WRITES and NOFLUSH may
 *       go with it; KEEP_CACHE may not. With DIRECT_IO as well, reads and writes come to the handler and mmap goes to the
 *       backing file.
 *   <li>Direct: DIRECT_IO alone. It takes no mode, until it is mapped shared.
 * </ul>
 *
 * The rules: while one open passes through, <em>every</em> open of that inode must, with the same registered
 * {@link io.fusecache.fuse.session.BackingFile} (the id, not merely the same file). While one open is cached, none may pass
 * through. An answer that breaks a rule is not refused as an answer: the application's open(2) fails with EIO, and RELEASE
 * comes for the handle. The mode lasts to the last RELEASE, mappings included; it says nothing about stat(2).
 *
 * <p>What passes through: read, write, mmap, splice, and O_APPEND, with the rights of who registered the file. What does
 * not: truncation and times (SETATTR), FSYNC, FALLOCATE, LSEEK for holes, COPY_FILE_RANGE, xattrs, locks, FLUSH and
 * RELEASE. After a write the kernel grows its idea of the size and drops the other attributes, so the next stat(2) is a
 * GETATTR: answer it from the backing file. A backing file's file system may not be stacked deeper than the stack depth of
 * INIT allows, registering needs CAP_SYS_ADMIN, and WRITEBACK_CACHE rules passthrough out.
 *
 * <h2>What an epoch does (fs/fuse/dir.c)</h2>
 *
 * Every name in the kernel's cache carries the epoch that its LOOKUP was sent in. {@link
 * io.fusecache.fuse.session.Notifier#incEpoch} adds one to the connection's; nothing else happens then, and nothing is
 * waited for. At its next use in a path, a name of an older epoch is not asked about but dropped (d_invalidate): it and
 * the unused names below it leave the cache, what is mounted below is taken off, and LOOKUP is sent. Names that do not
 * exist are treated alike. Attributes and pages are not touched.
 *
 * <p>Open files and mappings go on unaffected. So does a working directory: calls relative to it do not look it up, and
 * getcwd(2) answers as before, even when a directory above it has been walked over. Once its own old name is walked over,
 * it is without a name: getcwd(2) answers ENOENT until LOOKUP is answered. The same node id and generation puts the old
 * directory back under the name, as if nothing had been; another node, or none, leaves those that stand in it in an unlinked
 * directory. So node ids must be stable: the same inode, the same id.
 *
 * <h2>Who may wait for whom</h2>
 *
 * A request that waits holds kernel locks; a notification wants some. {@link io.fusecache.fuse.session.Notifier} says which,
 * method by method. In short: {@code poll}, {@code resend} and {@code incEpoch} from anywhere; {@code invalInode} with a negative
 * offset too, and {@code prune}; {@code invalInode} on a range and {@code store} wait for READ and WRITE of that inode;
 * {@code invalEntry}, {@code expireEntry} and {@code delete} wait for every LOOKUP, CREATE, UNLINK, RENAME and READDIR of that
 * directory. A handler that answers a directory operation only after such a call for the same directory has come
 * back, in this process or, by way of a lease recalled, in another, hangs.
 *
 * <h2>Interrupts</h2>
 *
 * A signal to the asker sends INTERRUPT, and the asker goes on waiting for the answer. {@link
 * io.fusecache.fuse.session.Reply#onInterrupt} is how a handler that waits learns of it.
 *
 * <h2>The end</h2>
 *
 * umount(2) does not wait for RELEASE requests in flight: {@link io.fusecache.fuse.session.FuseHandler#destroy} closes what
 * is left. A FLUSH, on the other hand, is part of close(2): what it does is done when close(2) returns. After umount(2) has
 * returned, the session still has its descriptors to close: {@link io.fusecache.fuse.session.FuseSession#awaitUnmount}.
 */
@NullMarked
package io.fusecache.fuse.session;

import org.jspecify.annotations.NullMarked;
