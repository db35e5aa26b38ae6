package io.fusecache.metadata.session;

import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Recall;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What the coordinator says on a session's stream after {@link Welcome}, in the order in which it executed. */
public sealed interface Downstream {
    /** The answer to the request of that slot and sequence. */
    record Reply(int slot, long sequence, Answer answer) implements Downstream {}

    /** What became of a request for a lock that was queued. */
    record LockDecided(long ticket, Answer answer) implements Downstream {}

    /**
     * An answer to {@link Upstream.Heartbeat}: whoever says so may speak, which a replica that may be deposed does not.
     *
     * @param members of the replica group, where they are others than were told last; else empty
     */
    record HeartbeatHeard(List<Welcome.Member> members) implements Downstream {
        public HeartbeatHeard {
            members = List.copyOf(members);
        }

        public HeartbeatHeard() {
            this(List.of());
        }
    }

    /** Drop what is cached of these inodes, then say {@link Upstream.RecallDone}. What it says is a {@link Recall}. */
    record RecallRequest(long recall, Set<Long> inodes, boolean names, Map<Long, Set<FileName>> changed)
            implements Downstream {
        public RecallRequest(long recall, Set<Long> inodes, boolean names) {
            this(recall, inodes, names, Map.of());
        }
    }
}
