package io.fusecache.metadata.session;

import java.time.Duration;
import java.util.List;

/**
 * The first thing the coordinator says on a stream. All read leases of before are void.
 *
 * @param session what the client names when it comes back
 * @param secret what proves that it is the same client
 * @param resumed whether it is the session that {@link Hello} named: then requests of before may be sent again, and the
 *     node's write leases are as they were
 * @param fenced whether {@link Hello} named a session that was fenced: the node's write leases are gone
 * @param namespace which the coordinator has: made with its state, and never given again. Inode numbers and versions mean
 *     nothing in another one
 * @param slots how many requests may be in flight
 * @param locks what the coordinator has of the session's file locks
 * @param members of a replica group, this one included; empty where it is none, or tells none
 * @param lease how long a recall may stay unanswered; a heartbeat is due three times in it, or oftener
 */
public record Welcome(
        long session,
        long secret,
        boolean resumed,
        boolean fenced,
        String namespace,
        int slots,
        Duration lease,
        Locks locks,
        List<Member> members) {
    public Welcome {
        members = List.copyOf(members);
    }

    public Welcome(
            long session,
            long secret,
            boolean resumed,
            boolean fenced,
            String namespace,
            int slots,
            Duration lease,
            Locks locks) {
        this(session, secret, resumed, fenced, namespace, slots, lease, locks, List.of());
    }

    /** Where a member of the group that welcomes is reached: {@code HOST:PORT} each. */
    public record Member(String grpc, String http) {}

    /** The same, of that group. */
    public Welcome by(List<Member> group) {
        return new Welcome(session, secret, resumed, fenced, namespace, slots, lease, locks, group);
    }

    public enum Locks {
        /** As they were. */
        KEPT,
        /** It restarted and lets nobody lock anything before it has heard of them. */
        AWAITED,
        /** It restarted, and the session was away for too long: others may have had them. */
        LOST
    }
}
