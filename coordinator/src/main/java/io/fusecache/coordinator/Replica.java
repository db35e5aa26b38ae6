package io.fusecache.coordinator;

import io.fusecache.coordinator.raft.LogKeeping;
import io.fusecache.coordinator.raft.RaftMember;
import io.fusecache.coordinator.raft.RaftTiming;
import io.fusecache.coordinator.raft.ReplicaGroup;
import io.fusecache.coordinator.session.SessionLimits;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One member of a replica group: it follows, or it leads, and then there is a {@link Coordinator} here, as there is one where a
 * coordinator without replicas was started.
 *
 * <p>One thread begins and ends reigns, one at a time. That a lead is lost is known at once, by whichever thread hears it, and
 * from then on nothing is said; the streams end a little later.
 */
public final class Replica implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Replica.class);

    /** Ratis tells of every change; this is for what was lost otherwise. */
    private static final long LOOK_MILLIS = 500;

    private static final Duration HAND_OVER = Duration.ofSeconds(3);

    /** A member that leads in vain twice within this time does not lead again. */
    private static final long IN_VAIN_NANOS = Duration.ofMinutes(1).toNanos();

    private static final long END_SECONDS = 15;

    /** Whoever lacks more of the log is no help to a majority yet. Under load a member that keeps up lacks a few. */
    private static final long MOST_BEHIND = 1_000;

    private final ReplicaGroup group;
    private final RaftTiming timing;
    private final SessionLimits limits;
    private final @Nullable Duration trashKeep;
    private final boolean awaitLoad;
    private final ScheduledExecutorService roles = Executors.newSingleThreadScheduledExecutor(
            task -> Thread.ofPlatform().name("replica-role").daemon().unstarted(task));
    private final Listener listener = new Listener();
    private final RaftMember member;
    private volatile @Nullable Coordinator leading;
    private volatile boolean watching;
    private volatile boolean over;

    /** The reign ended because another member may lead. */
    private volatile boolean outvoted;

    /** The reign ended because its log did. */
    private volatile @Nullable IOException broken;

    private volatile boolean closed;
    private volatile @Nullable String failure;

    // Of the thread of roles.
    private @Nullable Long inVainNanos;
    private boolean memberEnded;

    private Replica(
            ReplicaGroup group,
            Path folder,
            SessionLimits limits,
            RaftTiming timing,
            @Nullable Duration trashKeep,
            boolean awaitLoad)
            throws IOException {
        this.group = group;
        this.timing = timing;
        this.limits = limits;
        this.trashKeep = trashKeep;
        this.awaitLoad = awaitLoad;
        this.member = RaftMember.start(group, folder, timing, LogKeeping.DEFAULT, listener);
    }

    /**
     * Joins the group.
     *
     * @param trashKeep what is set when this member begins to lead, or null for nothing
     * @param awaitLoad whether it lets nobody into an empty state
     * @throws IOException with one line that names the folder or the port
     */
    static Replica start(
            ReplicaGroup group,
            Path folder,
            SessionLimits limits,
            RaftTiming timing,
            @Nullable Duration trashKeep,
            boolean awaitLoad)
            throws IOException {
        Replica replica = new Replica(group, folder, limits, timing, trashKeep, awaitLoad);
        replica.watch();
        return replica;
    }

    @SuppressWarnings("FutureReturnValueIgnored") // it ends with the executor
    private void watch() {
        watching = true;
        roles.scheduleWithFixedDelay(this::review, 0, LOOK_MILLIS, TimeUnit.MILLISECONDS);
    }

    private final class Listener implements RaftMember.Listener {
        @Override
        public void leads() {
            reviewSoon();
        }

        @Override
        public void leadsNoMore() {
            outvoted = true;
            depose();
        }

        @Override
        public void failed(String reason) {
            if (failure == null) {
                failure = reason;
                LOG.error("this member cannot go on: {}", reason);
            }
            depose();
        }
    }

    private void depose() {
        over = true;
        Coordinator deposed = leading;
        if (deposed != null) {
            deposed.silence();
        }
        reviewSoon();
    }

    private void reviewSoon() {
        try {
            roles.execute(this::review);
        } catch (RejectedExecutionException ended) {
            LOG.debug("this member has ended", ended);
        }
    }

    /** On the thread of roles. */
    private void review() {
        if (!watching) {
            return;
        }
        try {
            if (!closed && failure == null && member.status().role() == RaftMember.Role.ENDED) {
                listener.failed("this member of the replica group has ended: it was removed, or its log says why");
            }
            if (leading != null && over) {
                endReign();
                IOException reason = broken;
                if (reason != null && !outvoted) {
                    leadsInVain(reason);
                }
            }
            if (failure != null) {
                endMember();
            } else if (leading == null && !closed && member.leads()) {
                tryToLead();
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException | Error unforeseen) {
            // An error, too: nobody else would ever look again.
            LOG.error("the role of this member could not be changed", unforeseen);
        }
    }

    private void tryToLead() throws InterruptedException {
        try {
            beginReign();
        } catch (IOException refused) {
            LOG.info("this member does not lead yet: {}", refused.getMessage());
            leadsInVain(refused);
        } catch (RuntimeException | Error unforeseen) {
            LOG.error("this member cannot begin to lead", unforeseen);
            leadsInVain(new IOException(unforeseen.toString(), unforeseen));
        }
    }

    /**
     * A reign did not begin, or broke. Where the others take this member for their leader still, nobody else can be it: then it hands
     * over. Where the reason is here, it does so once; the second time it ends.
     */
    private void leadsInVain(IOException reason) {
        if (closed || failure != null || !member.leads()) {
            return;
        }
        boolean ownFault = reason.getCause() instanceof Error
                || reason.getCause() instanceof RuntimeException
                || member.lagsItself();
        if (ownFault) {
            long now = System.nanoTime();
            if (inVainNanos != null && now - inVainNanos < IN_VAIN_NANOS) {
                listener.failed("it leads, and nothing comes of it: " + reason.getMessage());
                return;
            }
            inVainNanos = now;
        }
        LOG.warn(
                "this member, {}, leads, and nothing comes of it ({}): another one is to lead",
                group.self(),
                reason.getMessage());
        if (!member.handOver(HAND_OVER)) {
            LOG.warn("no other member took over");
        }
    }

    /** The others elect one of them: while a member that cannot go on is there, they may take it for their leader. */
    private void endMember() {
        if (!memberEnded) {
            memberEnded = true;
            member.close();
            LOG.info("this member, {}, has ended", group.self());
        }
    }

    private void beginReign() throws IOException, InterruptedException {
        over = false;
        outvoted = false;
        broken = null;
        Coordinator begun = Coordinator.lead(member, timing, limits, cause -> {
            broken = cause;
            depose();
        });
        if (trashKeep != null || awaitLoad) {
            try {
                if (awaitLoad) {
                    begun.awaitLoad();
                }
                if (trashKeep != null) {
                    begun.keepRemoved(trashKeep);
                }
            } catch (IOException | RuntimeException | Error lost) {
                begun.close();
                throw lost;
            }
        }
        leading = begun;
        if (over) {
            begun.silence();
        }
        LOG.info(
                "this member, {}, leads in term {}",
                group.self(),
                member.status().term());
    }

    private void endReign() {
        Coordinator ended = leading;
        leading = null;
        if (ended != null) {
            ended.silence();
            if (failure != null) {
                ended.abandon();
            }
            ended.close();
            LOG.info("this member, {}, leads no more", group.self());
        }
    }

    /** Where this member leads: what it leads with. */
    public Optional<Coordinator> leading() {
        return Optional.ofNullable(leading);
    }

    public RaftMember.Status status() {
        return member.status();
    }

    /** Who leads, as far as this member knows. */
    public Optional<ReplicaGroup.Member> leader() {
        String name = member.status().leader();
        return Optional.ofNullable(name == null ? null : member.members().get(name));
    }

    /** Which group this is: for whoever is to join it. */
    public UUID groupId() {
        return member.groupId();
    }

    public String self() {
        return group.self();
    }

    /** Who the members are now, by their names. */
    public Map<String, ReplicaGroup.Member> members() {
        return member.members();
    }

    /** By name, as their leader sees them: this member has to be it. */
    public Map<String, RaftMember.Standing> standings() throws IOException {
        return member.standings();
    }

    /**
     * Takes a member in that runs already. Returns when it is one, caught up.
     *
     * @throws IOException with one line: why not, or not yet
     */
    public void add(String name, ReplicaGroup.Member added, Duration patience) throws IOException {
        member.add(name, added, patience);
        LOG.info(
                "member {} at {} was added: they are {}",
                name,
                added.raft(),
                member.members().keySet());
    }

    /**
     * @throws IOException with one line, where of those that would be left too few are up to date: the group could do nothing more, and
     *     not even take another one in
     */
    public void checkRemoval(String name) throws IOException {
        Duration lately = timing.mostElection().multipliedBy(2);
        List<String> left = new ArrayList<>();
        List<String> lacking = new ArrayList<>();
        standings().forEach((other, standing) -> {
            if (other.equals(name)) {
                return;
            }
            left.add(other);
            if (!standing.heardWithin(lately)) {
                lacking.add(other + " cannot be reached");
            } else if (standing.committed() >= 0 && standing.behind() > MOST_BEHIND) {
                lacking.add(other + " is " + standing.behind() + " entries behind");
            }
        });
        if (left.isEmpty()) {
            throw new IOException("it is the only member");
        }
        if (2 * lacking.size() >= left.size()) {
            throw new IOException("without it, too few of " + left + " would be up to date for a majority: "
                    + String.join(", ", lacking));
        }
    }

    /**
     * Drops another member than this one, which leads.
     *
     * @throws IOException with one line: why not, or not yet
     */
    public void remove(String name, Duration patience) throws IOException {
        checkRemoval(name);
        member.remove(name, patience);
        LOG.info("member {} was removed: they are {}", name, member.members().keySet());
    }

    /** Has another member lead; false where none took over. */
    public boolean handOver() {
        return member.handOver(HAND_OVER);
    }

    public Map<String, Long> sizes() {
        return member.sizes();
    }

    /** Why it cannot go on, or null. */
    public @Nullable String failure() {
        return failure;
    }

    /** For tests: what the member hears from below. */
    RaftMember.Listener listener() {
        return listener;
    }

    /** For a client: why it is to go elsewhere. */
    public String refusal() {
        String reason = failure;
        if (reason != null) {
            return "this member, " + group.self() + ", cannot go on: " + reason;
        }
        String name = member.status().leader();
        ReplicaGroup.Member leader = name == null ? null : member.members().get(name);
        if (name == null || leader == null) {
            return "this member, " + group.self() + ", is not the leader, and there is none yet";
        }
        return name.equals(group.self())
                ? "this member, " + name + ", begins to lead"
                : "this member, " + group.self() + ", is not the leader, it is " + name + " at " + leader.grpc();
    }

    /**
     * Has another member lead where this one does, and leads no more from then on. It answers until another one took over, and then says
     * who that is: so whoever ends a member calls this while its ports are open.
     */
    void resign() {
        if (closed) {
            return;
        }
        closed = true;
        if (failure == null && member.status().role() == RaftMember.Role.LEADER && !member.handOver(HAND_OVER)) {
            LOG.warn("no other member took over: they will elect one");
        }
    }

    /** Resigns, where that was not done, and leaves. */
    @Override
    public void close() {
        resign();
        roles.execute(this::endReign);
        roles.shutdown();
        try {
            if (!roles.awaitTermination(END_SECONDS, TimeUnit.SECONDS)) {
                roles.shutdownNow();
            }
        } catch (InterruptedException interrupted) {
            roles.shutdownNow();
            Thread.currentThread().interrupt();
        }
        member.close();
    }
}
