package io.fusecache.coordinator.session;

import io.fusecache.metadata.FileName;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Downstream;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.LongPredicate;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** One client's session, which outlives its streams. Guarded by the sequencer's lock, but for the outbox. */
public final class Session {
    static final int SLOTS = 1024;

    /**
     * A recall that the client has not acknowledged.
     *
     * @param turn waits for it; null where nobody does
     * @param names whether names are recalled as well
     * @param changed which, by directory; empty for any
     * @param directories those of the inodes that are directories, where names are not recalled
     * @param sinceNanos when it last was not sent yet
     * @param delegations it is for those of these directories, and not for leases on them
     */
    record Recalling(
            @Nullable Turn turn,
            Set<Long> inodes,
            boolean names,
            Map<Long, Set<FileName>> changed,
            Set<Long> directories,
            long sinceNanos,
            boolean delegations) {
        Recalling(
                @Nullable Turn turn,
                Set<Long> inodes,
                boolean names,
                Map<Long, Set<FileName>> changed,
                Set<Long> directories,
                long sinceNanos) {
            this(turn, inodes, names, changed, directories, sinceNanos, false);
        }

        static Recalling ofDelegations(Turn turn, Set<Long> inodes, long sinceNanos) {
            return new Recalling(turn, inodes, false, Map.of(), Set.of(), sinceNanos, true);
        }

        Recalling since(long nanos) {
            return new Recalling(turn, inodes, names, changed, directories, nanos, delegations);
        }

        Downstream.RecallRequest request(long id) {
            return new Downstream.RecallRequest(id, inodes, names, changed);
        }

        /** The directories of which names are left with the session, as far as it says so itself. */
        Set<Long> named(Set<Long> said) {
            Set<Long> named = new HashSet<>(said);
            named.retainAll(inodes);
            named.addAll(directories);
            return named;
        }
    }

    private final long id;
    private final long secret;
    private NodeAddress node;
    private String nvmePath = "";
    private final Outbox outbox;
    private final long[] inFlight = new long[SLOTS];
    private final long[] answered = new long[SLOTS];
    private final @Nullable Answer[] answers = new Answer[SLOTS];
    private final Map<Long, Turn> endingWrites = new HashMap<>();
    private final Map<Long, Recalling> recalls = new LinkedHashMap<>();
    private long heardNanos;
    private boolean ended;
    private long mayHaveOpenBelow;
    private long availableBytes;
    private long usedBytes;

    // Grants in their order, those given back since included: a ring.
    private long[] grants = new long[16];
    private int firstGrant;
    private int grantCount;
    private int leases;
    private @Nullable Set<Long> surplus;

    /** Null but between a new stream and the first word on it. */
    private @Nullable Set<Long> grantedUnspoken;

    Session(long id, long secret, NodeAddress node, LongSupplier durable, long nowNanos) {
        this.id = id;
        this.secret = secret;
        this.node = node;
        this.outbox = new Outbox(durable);
        this.heardNanos = nowNanos;
    }

    long id() {
        return id;
    }

    long secret() {
        return secret;
    }

    NodeId node() {
        return node.id();
    }

    NodeAddress address() {
        return node;
    }

    String nvmePath() {
        return nvmePath;
    }

    void introduce(NodeAddress address, String path) {
        node = address;
        nvmePath = path;
    }

    Outbox outbox() {
        return outbox;
    }

    Map<Long, Recalling> recalls() {
        return recalls;
    }

    /**
     * Whether one of them was left unanswered for so long. Those that wait on its stream, because this coordinator must not speak yet,
     * do not count, nor the time in which they did.
     */
    boolean leavesRecall(long nowNanos, long leaseNanos) {
        if (outbox.connected()) {
            long sent = outbox.recalledUpTo();
            recalls.replaceAll((id, recalling) -> id > sent ? recalling.since(nowNanos) : recalling);
        }
        return recalls.values().stream().anyMatch(recalling -> nowNanos - recalling.sinceNanos() > leaseNanos);
    }

    /** Whether {@code turn} waits for it to give {@code ino} up. */
    boolean isAwaited(Turn turn, long ino) {
        return recalls.values().stream()
                .anyMatch(recalling ->
                        recalling.turn() == turn && recalling.inodes().contains(ino));
    }

    /** Whether any turn waits for it to give {@code ino} up. */
    boolean isAwaited(long ino) {
        return recalls.values().stream()
                .anyMatch(recalling -> recalling.turn() != null
                        && !recalling.delegations()
                        && recalling.inodes().contains(ino));
    }

    boolean ended() {
        return ended;
    }

    void end() {
        ended = true;
    }

    void heard(long nowNanos) {
        heardNanos = nowNanos;
    }

    long heardNanos() {
        return heardNanos;
    }

    void space(long available, long used) {
        availableBytes = available;
        usedBytes = used;
    }

    long availableBytes() {
        return availableBytes;
    }

    long usedBytes() {
        return usedBytes;
    }

    boolean mayHaveOpen(long ino) {
        return ino < mayHaveOpenBelow;
    }

    void mayHaveOpenBelow(long ino) {
        mayHaveOpenBelow = ino;
    }

    // requests

    /** False where that very request is being executed already. Whatever the slot's request before came to, its client has heard. */
    boolean begin(int slot, long sequence) {
        if (inFlight[slot] == sequence) {
            return false;
        }
        inFlight[slot] = sequence;
        answers[slot] = null;
        return true;
    }

    void finish(int slot, long sequence) {
        if (inFlight[slot] == sequence) {
            inFlight[slot] = 0;
        }
    }

    /**
     * Keeps what a change came to, until the next request in its slot: its answer may have been under way on a stream that broke. One
     * that failed is remembered here alone.
     */
    void keep(int slot, long sequence, Answer answer) {
        answered[slot] = sequence;
        answers[slot] = answer.withoutLeases();
    }

    /** What that very request came to, where it is kept, else null. */
    @Nullable Answer kept(int slot, long sequence) {
        return answered[slot] == sequence ? answers[slot] : null;
    }

    // leases

    /** On a new stream its client drops what it had leased before it says the first word. */
    void mustSpeakAgain() {
        grantedUnspoken = new HashSet<>();
    }

    boolean spokeYet() {
        return grantedUnspoken == null;
    }

    /** What it was granted on the new stream until its first word. */
    Set<Long> spokeAgain() {
        Set<Long> granted = grantedUnspoken == null ? Set.of() : grantedUnspoken;
        grantedUnspoken = null;
        return granted;
    }

    int leases() {
        return leases;
    }

    void granted(long ino) {
        leases++;
        remember(ino);
        if (grantedUnspoken != null) {
            grantedUnspoken.add(ino);
        }
        if (surplus != null) {
            surplus.remove(ino);
        }
    }

    private void remember(long ino) {
        if (grantCount == grants.length) {
            long[] larger = new long[grants.length * 2];
            for (int i = 0; i < grantCount; i++) {
                larger[i] = grants[(firstGrant + i) & (grants.length - 1)];
            }
            grants = larger;
            firstGrant = 0;
        }
        grants[(firstGrant + grantCount++) & (grants.length - 1)] = ino;
    }

    void dropped() {
        if (--leases == 0) {
            grantCount = 0;
        }
    }

    // Leases asked back because they are too many. One that is granted again meanwhile stays: its answer is behind the
    // recall on the stream, so the client has it when it acknowledges.

    boolean givingUp() {
        return surplus != null;
    }

    void giveUp(Set<Long> inodes) {
        surplus = new HashSet<>(inodes);
    }

    void grantedAgain(long ino) {
        if (grantedUnspoken != null) {
            grantedUnspoken.add(ino);
        }
        if (surplus != null && surplus.remove(ino)) {
            remember(ino);
        }
    }

    /** What the client has given up of them: there is one such recall at a time. */
    Set<Long> givenUp() {
        Set<Long> given = surplus == null ? Set.of() : surplus;
        surplus = null;
        return given;
    }

    /** Takes the oldest grant, 0 where there is none. */
    long oldestGrant() {
        if (grantCount == 0) {
            return 0;
        }
        long ino = grants[firstGrant];
        firstGrant = (firstGrant + 1) & (grants.length - 1);
        grantCount--;
        return ino;
    }

    /** Whether most of the ring is of grants that were given back. */
    boolean mostlyStale() {
        return grantCount > 1024 && grantCount > 4 * leases;
    }

    /** Keeps those grants that are held still. */
    void compact(LongPredicate held) {
        int count = grantCount;
        for (int i = 0; i < count; i++) {
            long ino = oldestGrant();
            if (held.test(ino)) {
                grants[(firstGrant + grantCount++) & (grants.length - 1)] = ino;
            }
        }
    }

    /** {@code turn} gives the write lease of that inode back. */
    void endsWrite(long ino, Turn turn) {
        endingWrites.put(ino, turn);
    }

    void writeEnded(long ino) {
        endingWrites.remove(ino);
    }

    /** What gives the write lease of that inode back, and is not done; null for nothing. */
    @Nullable Turn endingWrite(long ino) {
        return endingWrites.get(ino);
    }
}
