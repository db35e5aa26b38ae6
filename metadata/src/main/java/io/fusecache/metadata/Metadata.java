package io.fusecache.metadata;

import io.fusecache.metadata.lock.FileLocks;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * The namespace of one volume, as one node uses it.
 *
 * <p>Every operation is atomic, and durable when it returns: at the coordinator, but where directories are delegated to this node
 * and {@link #settle} says otherwise. Once it has returned, every node sees it:
 * read leases on what it changed have been recalled before. Answers to reads come with a read lease and are cached until
 * it is recalled; the {@code cached} methods answer from that cache alone and never block.
 *
 * <p>All methods may be called from any thread. All but the {@code cached} ones may block on the network: while the
 * coordinator cannot be reached they wait up to the bound that the implementation was built with and then throw EIO.
 * A request that was sent is resent after a reconnection and executed once.
 *
 * <p>Permissions are the kernel's business (default_permissions): nothing here checks the caller's rights. Errors are
 * those of the man page of the call named at each method, in the order that Linux checks them.
 */
public interface Metadata extends AutoCloseable {
    // reading

    /** The inode that {@code name} leads to. ENOENT, ENOTDIR, ESTALE where {@code parent} is no more. */
    Inode lookup(long parent, FileName name) throws ErrnoException;

    /** ESTALE where there is no such inode. */
    Inode inode(long ino) throws ErrnoException;

    /**
     * Whether there is such an inode, by the coordinator's word alone, after all that this session has sent before. With a read
     * lease: its end is announced by a recall.
     */
    boolean exists(long ino) throws ErrnoException;

    /** As {@link #lookup} from leased knowledge: null where a question to the coordinator is needed. Throws ENOENT as well. */
    @Nullable Inode cachedLookup(long parent, FileName name) throws ErrnoException;

    /** As {@link #inode} from leased knowledge, else null. */
    @Nullable Inode cachedInode(long ino);

    /**
     * Entries after {@code cookie} in ascending order of cookie, at most {@code limit}; empty at the end. Entries that
     * exist throughout a listing are seen exactly once, whatever else changes. ENOTDIR.
     */
    List<DirectoryEntry> list(long directory, long cookie, int limit) throws ErrnoException;

    /** The directory that holds {@code directory}; the root's is itself. */
    Inode parent(long directory) throws ErrnoException;

    /** The committed content: covered by the inode's read lease. EISDIR or EINVAL where it is no regular file. */
    FileVersion content(long ino) throws ErrnoException;

    VolumeUsage usage() throws ErrnoException;

    // names

    /** mknod(2), mkdir(2), symlink(2), open(2) with O_CREAT and O_EXCL. EEXIST, ENOTDIR, ENOSPC, ENAMETOOLONG, ESTALE. */
    Inode create(long parent, FileName name, NewInode inode) throws ErrnoException;

    /** O_TMPFILE: an inode of no name, kept while this session holds it open or until it is linked. */
    Inode createUnnamed(long parent, NewInode inode) throws ErrnoException;

    /** link(2). Returns the inode with its new link count. EEXIST, EMLINK, EPERM for a directory. */
    Inode link(long ino, long newParent, FileName newName) throws ErrnoException;

    /**
     * unlink(2). Returns the inode as it is now; where its link count is 0, this session holds it until
     * {@link #releaseUnlinked}. EISDIR, ENOENT.
     */
    Inode unlink(long parent, FileName name) throws ErrnoException;

    /** rmdir(2). Same return as {@link #unlink}. ENOTEMPTY, ENOTDIR. */
    Inode rmdir(long parent, FileName name) throws ErrnoException;

    /**
     * renameat2(2), with its {@code flags} (RENAME_NOREPLACE 1, RENAME_EXCHANGE 2, RENAME_WHITEOUT 4). Returns the inode
     * that was replaced, if any, held as after {@link #unlink} where its link count is 0.
     */
    Optional<Inode> rename(long parent, FileName name, long newParent, FileName newName, int flags)
            throws ErrnoException;

    /**
     * This node has no more use of inodes whose link count is 0, and caches them no more. Does not wait: what is returned is complete,
     * one way or the other, when the coordinator has answered or will not.
     */
    CompletableFuture<?> releaseUnlinked(Set<Long> inodes);

    // attributes

    Inode setAttributes(long ino, AttributeChange change) throws ErrnoException;

    /**
     * Programs of this node read these inodes at these times, which shows where relatime wants it to. No change time comes with it,
     * and no other node is recalled: it sees the new access time when it asks for the inode next.
     */
    void touch(Map<Long, Timestamp> accessed) throws ErrnoException;

    /** getxattr(2). ENODATA. */
    byte[] attribute(long ino, FileName name) throws ErrnoException;

    List<FileName> attributeNames(long ino) throws ErrnoException;

    /** A flag of {@link #setAttribute}: whoever sets this ACL may not keep the set-group-id bit. */
    int CLEAR_SET_GROUP_ID = 0x100;

    /**
     * setxattr(2) with {@code flags} XATTR_CREATE 1, XATTR_REPLACE 2 and {@link #CLEAR_SET_GROUP_ID}. EEXIST, ENODATA,
     * E2BIG, ENOSPC. An access ACL changes the permissions, as {@link #setAttributes} of permissions changes an access ACL;
     * EINVAL for one that is none, EACCES for a default one of what is no directory.
     */
    void setAttribute(long ino, FileName name, byte[] value, int flags) throws ErrnoException;

    /** removexattr(2). ENODATA, but an ACL that is not there is removed all the same. */
    void removeAttribute(long ino, FileName name) throws ErrnoException;

    // content

    /**
     * Takes the write lease for this node. Taking it again while it is held is free. Where another node holds it, waits up to
     * {@code wait} for that to end; a holder that is gone loses it meanwhile, once its lease has run out.
     */
    WriteLease beginWrite(long ino, Duration wait) throws ErrnoException;

    /** Gives the write lease back. Does not wait for the answer; requests sent later are executed later. */
    void endWrite(long ino);

    /**
     * Waits up to {@code wait} while another node holds the write lease, as {@link #beginWrite} does, and takes nothing. The node
     * that holds it still, or empty where it is free or this node's.
     */
    Optional<NodeId> awaitWriter(long ino, Duration wait) throws ErrnoException;

    /**
     * Makes new content the committed one and this node its first holder: {@code content.version()} is the base that
     * was written on plus one. Needs the write lease: ESTALE where it was lost or the base is not the last version.
     *
     * @param modified the modification time of the new content
     * @param changed the change time as the writing node's programs saw it last; the inode keeps a later one of its own, so
     *     that no commit makes a file look changed that its writer has looked at since
     * @param usedBytes what its blocks take
     */
    Inode commit(FileVersion content, Timestamp modified, Timestamp changed, long usedBytes) throws ErrnoException;

    /**
     * Adds checksums to a committed version that had none. False where it is not the last version any more. Needs no
     * lease; the caller is the node that committed it.
     */
    boolean seal(long ino, long version, int[] checksums) throws ErrnoException;

    /**
     * Returns when what was answered about the inode outlives the machines, as everything does that the coordinator answered itself. A
     * node that answers without it needs to be told.
     */
    default void settle(long ino) throws ErrnoException {}

    /** The same of everything. */
    default void settle() throws ErrnoException {}

    /** Whether the inode was made by this node and will never be in the namespace: whoever has its bytes keeps them for people. */
    default boolean lost(long ino) {
        return false;
    }

    // who holds what

    /** This node has these blocks ({@code null}: all), to be told to others. Batched, does not wait, best effort. */
    void advertise(long ino, long version, @Nullable BitSet blocks);

    /** This node has no block of that version any more. Batched, does not wait. */
    void withdraw(long ino, long version);

    /** Live nodes, this one left out, that said they have blocks of it. */
    List<Holder> holders(long ino, long version) throws ErrnoException;

    List<NodeAddress> nodes() throws ErrnoException;

    /** The file locks of this node's programs. */
    FileLocks locks();

    // the bucket

    /**
     * Leave to upload, or empty where the version is not the last one, the inode is removed and not kept, or its key is busy
     * with work of before ({@link CloudWork}), to be tried again when that is done.
     */
    Optional<UploadTicket> beginUpload(long ino, long version) throws ErrnoException;

    /** Makes this node's ticket for the file valid for as long as it was at first. False where it has none any more. */
    boolean renewUpload(long ino) throws ErrnoException;

    /**
     * The bucket has it now, as {@code object}. A version that is not the last any more is recorded as far as it matters. False where
     * nothing is recorded, because the ticket was not this node's any more or the file is gone.
     */
    boolean finishUpload(long ino, long version, ObjectRef object) throws ErrnoException;

    /**
     * This node does not upload any version of that inode now: one that it began has failed, or was overtaken. Whatever lies
     * at its key is of no version. Nothing happens where another node does.
     */
    void abandonUpload(long ino) throws ErrnoException;

    /** Takes up to {@code limit} pieces of work, for this node until {@code lease} has passed. */
    List<CloudWork> takeWork(int limit, Duration lease) throws ErrnoException;

    /** It is this node's until {@code lease} has passed from now. False where it is not any more. */
    boolean renewWork(long id, Duration lease) throws ErrnoException;

    void finishWork(long id) throws ErrnoException;

    /** The object of a {@link CloudWork.Move} is at its new key. */
    void finishMove(long id, ObjectRef at) throws ErrnoException;

    Listing beginListing(long directory) throws ErrnoException;

    /**
     * Takes over what the bucket lists for a directory. Objects that are unknown become files (with attributes from
     * their metadata, else {@code fallback}), a changed ETag becomes a new version, and a persisted file whose object is
     * gone is removed; but nothing changes for names that the namespace changed after the listing began, that wait for
     * upload or other cloud work, or that a node has open for writing.
     *
     * @param objects a part of what lies below the prefix, one level deep: all files whose names are after {@code after} and
     *     up to {@code through}, and any directories
     * @param after null in the first part
     * @param through null in the last part
     * @return how many names changed
     */
    int importListing(
            Listing listing,
            List<ListedObject> objects,
            @Nullable FileName after,
            @Nullable FileName through,
            NewInode fallback)
            throws ErrnoException;

    // life

    NodeId self();

    /** Whether the session stands: cached answers are then exact. */
    boolean connected();

    /** Where the coordinator's replicas answer HTTP, as HOST:PORT and as it told last; empty where it has none. */
    List<String> coordinators();

    /** Ends the session: leases are given back. Pending asynchronous requests are sent first, for up to 5 s. */
    @Override
    void close();
}
