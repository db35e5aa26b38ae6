package io.fusecache.metadata.session;

import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.Listing;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.lock.FileLock;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One request of a session; what each means is said at the method of {@link io.fusecache.metadata.Metadata} that sends it.
 *
 * <p>A {@link Query} changes nothing and may be asked again. A {@link Mutation} is executed once, however often it is
 * sent. A {@link Registry} operation concerns what is kept in memory only: nodes, and who holds which blocks. So does a
 * {@link Locking} one; executed twice in a row it changes nothing more.
 */
public sealed interface Operation {
    /** Reads the namespace. */
    sealed interface Query extends Operation {}

    /** Changes the namespace. */
    sealed interface Mutation extends Operation {}

    /** Concerns nodes and holders. */
    sealed interface Registry extends Operation {}

    /** Concerns file locks. */
    sealed interface Locking extends Operation {}

    record Lookup(long parent, FileName name) implements Query {}

    record ReadInode(long ino) implements Query {}

    record ListEntries(long directory, long cookie, int limit) implements Query {}

    record FindParent(long directory) implements Query {}

    record ReadContent(long ino) implements Query {}

    record ReadUsage() implements Query {}

    record ReadAttribute(long ino, FileName name) implements Query {}

    record ReadAttributeNames(long ino) implements Query {}

    record BeginListing(long directory) implements Query {}

    record Create(long parent, FileName name, NewInode inode) implements Mutation {}

    record CreateUnnamed(long parent, NewInode inode) implements Mutation {}

    record Link(long ino, long parent, FileName name) implements Mutation {}

    record Unlink(long parent, FileName name) implements Mutation {}

    record RemoveDirectory(long parent, FileName name) implements Mutation {}

    record Rename(long parent, FileName name, long newParent, FileName newName, int flags) implements Mutation {}

    record ReleaseUnlinked(Set<Long> inodes) implements Mutation {}

    record SetAttributes(long ino, AttributeChange change) implements Mutation {}

    record Touch(Map<Long, Timestamp> accessed) implements Mutation {}

    record SetAttribute(long ino, FileName name, byte[] value, int flags) implements Mutation {}

    record RemoveAttribute(long ino, FileName name) implements Mutation {}

    record BeginWrite(long ino, Duration patience) implements Mutation {}

    record EndWrite(long ino) implements Mutation {}

    /** Changes nothing, but comes in the order of those that do, and ends the leases of a node that is gone. */
    record AwaitWriter(long ino, Duration patience) implements Mutation {}

    record Commit(FileVersion content, Timestamp modified, Timestamp changed, long usedBytes) implements Mutation {}

    record Seal(long ino, long version, int[] checksums) implements Mutation {}

    record BeginUpload(long ino, long version) implements Mutation {}

    record FinishUpload(long ino, long version, ObjectRef object) implements Mutation {}

    record TakeWork(int limit, Duration lease) implements Mutation {}

    record AbandonUpload(long ino) implements Mutation {}

    record RenewUpload(long ino) implements Mutation {}

    record RenewWork(long id, Duration lease) implements Mutation {}

    record FinishWork(long id) implements Mutation {}

    record FinishMove(long id, ObjectRef at) implements Mutation {}

    /**
     * What the session's node did in directories that are delegated to it, in its order: executed whole, or not at all. Each change has
     * a number, and one that the coordinator has from that node already is left out.
     *
     * @param first the number of the first change; those behind it follow one by one
     * @param numbers so many inode numbers are wanted for what is made next
     */
    record Delegated(long first, List<DelegatedChange> changes, int numbers) implements Mutation {
        /** In one request. */
        public static final int MOST_CHANGES = 1024;

        public static final int MOST_NUMBERS = 1 << 16;

        public Delegated {
            changes = List.copyOf(changes);
        }
    }

    /**
     * A change that a program was told of before the coordinator.
     *
     * @param at when, by the node's clock: the time that the program sees
     * @param directory is to be delegated to the node still; 0 for what only the node itself can reach any more
     * @param ino of what the operation makes, or of what loses its last name by it; else 0
     */
    record DelegatedChange(Timestamp at, long directory, long ino, Mutation operation) {}

    /**
     * One part of a listing: the files whose names are after {@code after} and up to {@code through}, and any directories.
     *
     * @param after null in the first part
     * @param through null in the last part
     */
    record ImportListing(
            Listing listing,
            List<ListedObject> objects,
            NewInode fallback,
            @Nullable FileName after,
            @Nullable FileName through)
            implements Mutation {}

    /** Batched advertisements and withdrawals, in the order in which they were made. */
    record Report(List<Holding> holdings) implements Registry {}

    record FindHolders(long ino, long version) implements Registry {}

    record FindNodes() implements Registry {}

    /**
     * Takes, changes or drops a lock. What cannot be decided at once is queued, and decided by a
     * {@link Downstream.LockDecided} of that ticket; the slot is free meanwhile.
     *
     * @param ticket a number of the session's own, never given twice
     */
    record SetLock(long ticket, boolean waits, FileLock lock) implements Locking {}

    record FindLock(long ticket, FileLock lock) implements Locking {}

    /** Takes a request out of the queue. Says whether it was still there. */
    record CancelLock(long ticket) implements Locking {}

    /**
     * What the reporting node has of one version.
     *
     * @param all every block, in which case {@code blocks} is null
     * @param blocks these blocks in addition to what it said before; null without {@code all}: nothing any more
     */
    record Holding(
            long ino, long version, boolean all, @Nullable BitSet blocks) {}
}
