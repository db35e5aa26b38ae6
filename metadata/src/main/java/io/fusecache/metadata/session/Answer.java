package io.fusecache.metadata.session;

import io.fusecache.metadata.CloudWork;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Holder;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Listing;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.UploadTicket;
import io.fusecache.metadata.VolumeUsage;
import io.fusecache.metadata.lock.FileLock;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the coordinator answers to one operation: a failure or a result, and what the session may cache from now on.
 *
 * @param failure null where it succeeded
 * @param inodes state after the operation of inodes that the session now holds a read lease on
 * @param names names of directories that the session now holds a read lease on, as they are after the operation
 */
public record Answer(@Nullable Failure failure, Result result, List<KnownInode> inodes, List<KnownName> names) {

    public static Answer of(Result result) {
        return new Answer(null, result, List.of(), List.of());
    }

    public static Answer failed(Errno errno, String message) {
        return new Answer(new Failure(errno, message), new Nothing(), List.of(), List.of());
    }

    /** The same without leave to cache: for an answer that is given a second time, when its leases may be gone. */
    public Answer withoutLeases() {
        return new Answer(failure, result, List.of(), List.of());
    }

    /** The same without leave to cache these inodes, or names there. */
    public Answer withoutLeases(Set<Long> without) {
        return new Answer(
                failure,
                result,
                inodes.stream()
                        .filter(known -> !without.contains(known.inode().ino()))
                        .toList(),
                names.stream()
                        .filter(known -> !without.contains(known.parent()))
                        .toList());
    }

    public record Failure(Errno errno, String message) {}

    /** An inode with, where known, its content. */
    public record KnownInode(Inode inode, @Nullable FileVersion content) {}

    /** What {@code name} leads to in {@code parent}; {@code ino} is 0 where there is no such entry. */
    public record KnownName(long parent, FileName name, long ino) {}

    /** The result proper, one shape per kind of operation. */
    public sealed interface Result {}

    public record Nothing() implements Result {}

    public record OneInode(Inode inode) implements Result {}

    public record Content(FileVersion version) implements Result {}

    public record Entries(List<DirectoryEntry> entries) implements Result {}

    public record Usage(VolumeUsage usage) implements Result {}

    public record Value(byte[] bytes) implements Result {}

    public record AttributeNames(List<FileName> names) implements Result {}

    public record Truth(boolean value) implements Result {}

    public record Count(int value) implements Result {}

    public record Holders(List<Holder> holders) implements Result {}

    public record Nodes(List<NodeAddress> nodes) implements Result {}

    public record Ticket(UploadTicket ticket) implements Result {}

    public record Work(List<CloudWork> work) implements Result {}

    public record Begun(Listing listing) implements Result {}

    /**
     * What a {@link Operation.Delegated} came to.
     *
     * @param last the number of the last change that the coordinator has of the node; 0 for none
     * @param firstInode of the inode numbers that are the node's from now on, {@code count} in a row
     */
    public record Delegation(long last, long firstInode, int count) implements Result {}

    /** That node has the write lease. */
    public record HeldBy(NodeId node) implements Result {}

    /** A lock is as it was asked for; or the request is {@code queued}, and decided later. */
    public record Locked(boolean queued) implements Result {}

    /** Who is in the way of a lock, if anyone; {@code here} where it is a program of the asking node. */
    public record Obstacle(@Nullable FileLock lock, boolean here) implements Result {}
}
