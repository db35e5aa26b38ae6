package io.fusecache.coordinator.raft;

import io.fusecache.coordinator.state.Snapshot;
import io.fusecache.coordinator.state.StateFormat;
import io.fusecache.coordinator.state.View;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.grpc.GrpcConfigKeys;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.TransferLeadershipRequest;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.RaftServerConfigKeys;
import org.apache.ratis.server.raftlog.RaftLog;
import org.apache.ratis.server.storage.RaftStorage.StartupOption;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.apache.ratis.util.SizeInBytes;
import org.apache.ratis.util.TimeDuration;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * This process as a member of a replica group: Ratis' server, and the state that it applies the log to.
 *
 * <p>In its folder: {@code raft}, which is Ratis' (log, vote, snapshots); {@code state}, the database; {@code members}, who they are.
 */
public final class RaftMember implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RaftMember.class);

    private final ReplicaGroup group;
    private final Path folder;
    private final ReplicaState state;
    private final RaftServer server;
    private final RaftGroupId groupId;
    private final ClientId client = ClientId.randomId();
    private final AtomicLong calls = new AtomicLong();
    private final Membership membership;
    private final RaftTiming timing;

    /** Hears of the lead from threads of Ratis that hold its locks: it must hand over, and return at once. */
    public interface Listener {
        /** This member leads, and has all of the log before in its state. */
        void leads();

        void leadsNoMore();

        /** It cannot go on: one line for a person. */
        void failed(String reason);
    }

    public enum Role {
        LEADER,
        FOLLOWER,
        CANDIDATE,
        /** It runs, and the group has not taken it in. */
        JOINING,
        ENDED
    }

    /**
     * How it stands.
     *
     * @param leader the leader's name where it is known, else null
     * @param committed the last entry that a majority is known to have
     * @param applied the last entry in the state
     */
    public record Status(Role role, @Nullable String leader, long term, long committed, long applied) {}

    private RaftMember(
            ReplicaGroup group,
            Path folder,
            MemberFolder owned,
            RaftTiming timing,
            LogKeeping keeping,
            Listener listener)
            throws IOException {
        this.group = group;
        this.folder = folder;
        this.timing = timing;
        this.state = new ReplicaState(folder.resolve(ReplicaGroup.LIVE), listener);
        this.groupId = RaftGroupId.valueOf(owned.group());
        // Who joins is no member before the log says so: without a vote, and without a say in who leads.
        // With a log that has a configuration, Ratis goes by that.
        List<RaftPeer> peers = owned.first().entrySet().stream()
                .map(member -> Membership.peer(member.getKey(), member.getValue()))
                .toList();
        this.server = RaftServer.newBuilder()
                .setServerId(RaftPeerId.valueOf(group.self()))
                .setGroup(RaftGroup.valueOf(groupId, peers))
                .setProperties(properties(group, folder, timing, keeping))
                .setStateMachine(state)
                .setOption(Files.exists(owned.storage(folder)) ? StartupOption.RECOVER : StartupOption.FORMAT)
                .build();
        this.membership = new Membership(server, groupId, client, calls, group);
    }

    /**
     * Joins the group.
     *
     * @throws IOException with one line that names the folder or the port
     */
    public static RaftMember start(
            ReplicaGroup group, Path folder, RaftTiming timing, LogKeeping keeping, Listener listener)
            throws IOException {
        // Before anything is written there.
        Path state = folder.resolve(ReplicaGroup.LIVE);
        StateFormat.check(state, state);
        MemberFolder owned = MemberFolder.of(group, folder);
        RaftMember member = null;
        boolean started = false;
        try {
            member = new RaftMember(group, folder, owned, timing, keeping, listener);
            member.server.start();
            member.checkLog();
            started = true;
            return member;
        } catch (IOException | RuntimeException refused) {
            throw refusal(group, folder, refused);
        } finally {
            if (!started && member != null) {
                member.close();
            }
        }
    }

    /** The log must reach from before the state's last entry to behind it: else what it had is lost. */
    private void checkLog() throws IOException {
        RaftLog log = server.getDivision(groupId).getRaftLog();
        long loaded = state.loadedIndex();
        long next = log.getNextIndex();
        long start = log.getStartIndex();
        if (state.newestSnapshot() > loaded) {
            // The leader has sent one since the start, and the log begins anew behind it.
            return;
        }
        if (next <= loaded) {
            throw new IOException("the log ends at entry " + (next - 1) + " and the state has entry " + loaded
                    + ": the log is truncated");
        }
        if (start > loaded + 1) {
            throw new IOException("the log begins at entry " + start + " and the state ends at entry " + loaded
                    + ": something between them is gone");
        }
    }

    private static IOException refusal(ReplicaGroup group, Path folder, Exception refused) {
        Throwable cause = refused;
        String reason = "";
        while (cause != null) {
            String message = cause.getMessage();
            reason = message == null ? cause.getClass().getSimpleName() : message;
            if (reason.startsWith("data directory")) {
                return new IOException(reason, refused);
            }
            if (reason.toLowerCase(Locale.ROOT).contains("in use") && !reason.contains("in_use")) {
                int port = group.own().raftPort();
                return new IOException(
                        "port %d is in use: give another one in -raft-peers, or stop what listens there (ss -ltnp 'sport = :%d')"
                                .formatted(port, port),
                        refused);
            }
            cause = cause.getCause();
        }
        return new IOException(
                "data directory " + folder + " cannot be used by member " + group.self() + ": "
                        + reason.replaceAll("\\s+", " ")
                        + "; a member can begin anew with an empty folder while the others are up",
                refused);
    }

    private static RaftProperties properties(ReplicaGroup group, Path folder, RaftTiming timing, LogKeeping keeping) {
        RaftProperties all = new RaftProperties();
        GrpcConfigKeys.Server.setPort(all, group.own().raftPort());
        RaftServerConfigKeys.setStorageDir(
                all, List.of(folder.resolve(ReplicaGroup.RAFT).toFile()));
        RaftServerConfigKeys.setRemovedGroupsDir(
                all, folder.resolve(ReplicaGroup.RAFT + "-removed").toFile());
        // One that is added may be slow to begin.
        RaftServerConfigKeys.setStagingTimeout(all, TimeDuration.valueOf(30, TimeUnit.SECONDS));
        // A machine that slept for an hour is a follower like any other.
        RaftServerConfigKeys.setCloseThreshold(all, TimeDuration.valueOf(1_000, TimeUnit.DAYS));
        RaftServerConfigKeys.Rpc.setTimeoutMin(all, time(timing.leastElection()));
        RaftServerConfigKeys.Rpc.setTimeoutMax(all, time(timing.mostElection()));
        // The first one, too: a member that has just started may have confirmed a leader already.
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMin(all, time(timing.leastElection()));
        RaftServerConfigKeys.Rpc.setFirstElectionTimeoutMax(all, time(timing.mostElection()));
        RaftServerConfigKeys.Rpc.setRequestTimeout(all, time(timing.mostElection()));
        RaftServerConfigKeys.RetryCache.setExpiryTime(all, TimeDuration.valueOf(5, TimeUnit.SECONDS));
        SizeInBytes entry = SizeInBytes.valueOf(Proposal.MOST_BYTES + (64 << 10));
        RaftServerConfigKeys.Log.Appender.setBufferByteLimit(all, entry);
        RaftServerConfigKeys.Log.setWriteBufferSize(all, SizeInBytes.valueOf(entry.getSize() + (64 << 10)));
        RaftServerConfigKeys.Log.setSegmentSizeMax(all, SizeInBytes.valueOf(keeping.fileBytes()));
        RaftServerConfigKeys.Log.setPreallocatedSize(all, SizeInBytes.valueOf(Math.min(1 << 20, keeping.fileBytes())));
        RaftServerConfigKeys.Log.setSegmentCacheNumMax(all, 2);
        RaftServerConfigKeys.Log.setSegmentCacheSizeMax(all, SizeInBytes.valueOf("32MB"));
        RaftServerConfigKeys.Log.setPurgeUptoSnapshotIndex(all, true);
        RaftServerConfigKeys.Log.setPurgeGap(all, 1);
        RaftServerConfigKeys.Log.Appender.setSnapshotChunkSizeMax(all, SizeInBytes.valueOf("1MB"));
        RaftServerConfigKeys.Snapshot.setAutoTriggerEnabled(all, true);
        RaftServerConfigKeys.Snapshot.setAutoTriggerThreshold(all, keeping.snapshotEvery());
        RaftServerConfigKeys.Snapshot.setTriggerWhenStopEnabled(all, false);
        return all;
    }

    private static TimeDuration time(Duration duration) {
        return TimeDuration.valueOf(duration.toMillis(), TimeUnit.MILLISECONDS);
    }

    /** What is applied here; see {@link ReplicaState}. */
    public View state() {
        return state;
    }

    /** Of the state as a majority has it. */
    public Snapshot snapshot() {
        return state.snapshot();
    }

    /** What the state takes on disk and in memory. */
    public Map<String, Long> sizes() {
        return state.sizes();
    }

    /**
     * Puts an entry at the end of the log, as the leader. Completes when it is applied here; else exceptionally, and then nobody
     * knows whether it will be.
     */
    CompletableFuture<Void> propose(byte[] proposal) {
        RaftClientRequest request = RaftClientRequest.newBuilder()
                .setClientId(client)
                .setServerId(server.getId())
                .setGroupId(groupId)
                .setCallId(calls.incrementAndGet())
                .setMessage(Message.valueOf(UnsafeByteOperations.unsafeWrap(proposal)))
                .setType(RaftClientRequest.writeRequestType())
                .build();
        try {
            return server.submitClientRequestAsync(request).thenAccept(RaftMember::check);
        } catch (IOException | RuntimeException refused) {
            return CompletableFuture.failedFuture(refused);
        }
    }

    private static void check(RaftClientReply reply) {
        if (!reply.isSuccess()) {
            throw new UncheckedIOException(new IOException(String.valueOf(reply.getException()), reply.getException()));
        }
        if (!reply.getMessage().getContent().equals(ReplicaState.APPLIED)) {
            throw new UncheckedIOException(new IOException("another leader came before"));
        }
    }

    public Status status() {
        try {
            RaftServer.Division division = server.getDivision(groupId);
            DivisionInfo info = division.getInfo();
            RaftPeerId leader = info.isAlive() ? info.getLeaderId() : null;
            Role role = !info.isAlive()
                    ? Role.ENDED
                    : info.isLeader()
                            ? Role.LEADER
                            : info.isCandidate()
                                    ? Role.CANDIDATE
                                    : membership.contains(server.getId()) ? Role.FOLLOWER : Role.JOINING;
            return new Status(
                    role,
                    leader == null ? null : leader.toString(),
                    info.getCurrentTerm(),
                    division.getRaftLog().getLastCommittedIndex(),
                    info.getLastAppliedIndex());
        } catch (IOException ended) {
            return new Status(Role.ENDED, null, 0, -1, -1);
        }
    }

    /** Whether it leads and has all of the log before in its state. */
    public boolean leads() {
        try {
            return server.getDivision(groupId).getInfo().isLeaderReady();
        } catch (IOException ended) {
            return false;
        }
    }

    /** Whether entries wait for this member itself, its disk say, rather than for the others. */
    public boolean lagsItself() {
        try {
            RaftServer.Division division = server.getDivision(groupId);
            RaftLog log = division.getRaftLog();
            return log.getFlushIndex() < log.getNextIndex() - 1
                    || division.getInfo().getLastAppliedIndex() < log.getLastCommittedIndex();
        } catch (IOException ended) {
            return true;
        }
    }

    /** Which group this is: for whoever is to join it. */
    public UUID groupId() {
        return groupId.getUuid();
    }

    /** Who the members are now, by their names, as far as this one knows. */
    public Map<String, ReplicaGroup.Member> members() {
        return membership.members();
    }

    /**
     * How a member stands.
     *
     * @param behind so many entries that are committed it is not known to know of; all of them where it was never heard of
     * @param heardMillis since it was heard last; 0 for the leader itself, negative where it never was
     */
    public record Standing(ReplicaGroup.Member member, boolean leads, long committed, long behind, long heardMillis) {
        public boolean heardWithin(Duration lately) {
            return heardMillis >= 0 && heardMillis <= lately.toMillis();
        }
    }

    /** By name, as their leader sees them. */
    public Map<String, Standing> standings() throws IOException {
        return membership.standings();
    }

    /** For the leader: takes a member in that runs already, and waits for the group. */
    public void add(String name, ReplicaGroup.Member member, Duration patience) throws IOException {
        membership.add(name, member, patience);
    }

    /** For the leader: drops another one, and waits for the group. */
    public void remove(String name, Duration patience) throws IOException {
        membership.remove(name, patience);
    }

    /** Has another member lead, where this one does; false where none took over in time. */
    public boolean handOver(Duration patience) {
        long end = System.nanoTime() + patience.toNanos();
        for (String name : membership.heirs(timing.mostElection())) {
            long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
            if (left <= 0 || status().role() != Role.LEADER) {
                break;
            }
            // The first may be away: leave time for the second.
            long share = Math.max(1, left * 2 / 3);
            TransferLeadershipRequest request = new TransferLeadershipRequest(
                    client, server.getId(), groupId, calls.incrementAndGet(), RaftPeerId.valueOf(name), share);
            try {
                server.transferLeadershipAsync(request).get(share + 100, TimeUnit.MILLISECONDS);
            } catch (IOException | ExecutionException | TimeoutException notThatOne) {
                LOG.debug("{} does not take over", name, notThatOne);
            } catch (InterruptedException interrupted) {
                Thread.currentThread().interrupt();
                break;
            }
        }
        return status().role() != Role.LEADER;
    }

    @Override
    public void close() {
        state.closing();
        try {
            server.close();
        } catch (IOException failed) {
            LOG.warn("the member {} in {} did not end cleanly: {}", group.self(), folder, failed.toString());
        }
        state.close();
    }
}
