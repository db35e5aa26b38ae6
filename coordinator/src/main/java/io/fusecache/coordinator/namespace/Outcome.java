package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.Changes;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.session.Answer;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What executing a command came to.
 *
 * @param changes the batch; empty where it failed
 * @param touched inodes whose leases must not be with any other session when the batch is applied
 * @param unlinked those of them that lost their last name: whoever may have them open is asked too
 * @param renamed directories of which names change, with those names
 * @param directories those of the touched inodes that are directories
 * @param leased what the answer gives the asking session a read lease on
 * @param recallAsker whether the asking session's own caches are behind as well
 * @param writeConflict the node whose write lease on the one touched inode stands in the way, where the answer names it
 * @param delegated directories that this goes by and that are delegated to other nodes: whatever it came to is of no account before
 *     they are given back
 */
public record Outcome(
        Answer answer,
        Changes changes,
        Set<Long> touched,
        Set<Long> unlinked,
        Map<Long, Set<FileName>> renamed,
        Set<Long> directories,
        Set<Long> leased,
        boolean recallAsker,
        @Nullable NodeId writeConflict,
        Map<Long, NodeId> delegated) {
    /** An answer that changes nothing and gives no lease. */
    public static Outcome of(Answer answer, Changes none) {
        return new Outcome(answer, none, Set.of(), Set.of(), Map.of(), Set.of(), Set.of(), false, null, Map.of());
    }

    /** The same without a lease on these, which are being recalled. */
    public Outcome withoutLeases(Set<Long> inodes) {
        if (inodes.isEmpty()) {
            return this;
        }
        Set<Long> left = new LinkedHashSet<>(leased);
        left.removeAll(inodes);
        // A listing shows more inodes than it names: it is leased whole, or not at all.
        boolean listing = answer.result() instanceof Answer.Entries;
        return new Outcome(
                listing ? answer.withoutLeases() : answer.withoutLeases(inodes),
                changes,
                touched,
                unlinked,
                renamed,
                directories,
                listing ? Set.of() : left,
                recallAsker,
                writeConflict,
                delegated);
    }
}
