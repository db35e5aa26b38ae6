package io.fusecache.coordinator.raft;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.proto.RaftProtos.CommitInfoProto;
import org.apache.ratis.proto.RaftProtos.RoleInfoProto;
import org.apache.ratis.proto.RaftProtos.ServerRpcProto;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.protocol.SetConfigurationRequest;
import org.apache.ratis.protocol.exceptions.ReconfigurationTimeoutException;
import org.apache.ratis.server.RaftServer;
import org.jspecify.annotations.Nullable;

/**
 * Who the members of a group are, which is in its log like everything else, and how that is changed: by one member at a time, which
 * Ratis first lets catch up without a vote, and then takes in, or drops, by a majority of the old members and one of the new.
 *
 * <p>A member's addresses travel in the fields that Ratis has for addresses of its clients, which we have none of.
 */
final class Membership {
    private final RaftServer server;
    private final RaftGroupId groupId;
    private final ClientId client;
    private final AtomicLong calls;
    private final ReplicaGroup told;

    /** @param told by the flags: what they say of a member counts where the log says nothing */
    Membership(RaftServer server, RaftGroupId groupId, ClientId client, AtomicLong calls, ReplicaGroup told) {
        this.server = server;
        this.groupId = groupId;
        this.client = client;
        this.calls = calls;
        this.told = told;
    }

    static RaftPeer peer(String name, ReplicaGroup.Member member) {
        return RaftPeer.newBuilder()
                .setId(name)
                .setAddress(member.raft())
                .setClientAddress(member.grpc())
                .setAdminAddress(member.http())
                .build();
    }

    /** By their names; empty where this member has ended, or has heard of no group yet. */
    Map<String, ReplicaGroup.Member> members() {
        Map<String, ReplicaGroup.Member> members = new TreeMap<>();
        for (RaftPeer peer : peers()) {
            members.put(peer.getId().toString(), member(peer));
        }
        return members;
    }

    private Collection<RaftPeer> peers() {
        try {
            return server.getDivision(groupId).getRaftConf().getCurrentPeers();
        } catch (IOException ended) {
            return List.of();
        }
    }

    private ReplicaGroup.Member member(RaftPeer peer) {
        ReplicaGroup.Member known = told.members().getOrDefault(peer.getId().toString(), told.own());
        return ReplicaGroup.Member.at(
                peer.getAddress(),
                port(peer.getClientAddress(), known.grpcPort()),
                port(peer.getAdminAddress(), known.httpPort()));
    }

    private static int port(@Nullable String address, int otherwise) {
        return address == null || address.isEmpty()
                ? otherwise
                : Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
    }

    /** By name; for the leader. */
    Map<String, RaftMember.Standing> standings() throws IOException {
        RaftServer.Division division = server.getDivision(groupId);
        RoleInfoProto role = division.getInfo().getRoleInfoProto();
        Map<String, Long> heard = new LinkedHashMap<>();
        for (ServerRpcProto follower : role.getLeaderInfo().getFollowerInfoList()) {
            heard.put(follower.getId().getId().toStringUtf8(), follower.getLastRpcElapsedTimeMs());
        }
        Map<String, Long> committed = new LinkedHashMap<>();
        for (CommitInfoProto commit : division.getCommitInfos()) {
            committed.put(commit.getServer().getId().toStringUtf8(), commit.getCommitIndex());
        }
        String self = server.getId().toString();
        long own = division.getRaftLog().getLastCommittedIndex();
        Map<String, RaftMember.Standing> all = new TreeMap<>();
        members().forEach((name, member) -> {
            boolean leads = name.equals(self);
            long knows = leads ? own : committed.getOrDefault(name, -1L);
            long since = leads ? 0 : heard.getOrDefault(name, -1L);
            all.put(name, new RaftMember.Standing(member, leads, knows, Math.max(0, own - knows), since));
        });
        return all;
    }

    /** The others, for the leader: those that it heard lately first, and of these who has most of the log. */
    List<String> heirs(Duration lately) {
        try {
            return standings().entrySet().stream()
                    .filter(entry -> !entry.getKey().equals(server.getId().toString()))
                    .sorted(Comparator.comparingLong(entry -> entry.getValue().heardWithin(lately)
                            ? entry.getValue().behind()
                            : Long.MAX_VALUE))
                    .map(Map.Entry::getKey)
                    .toList();
        } catch (IOException ended) {
            return List.of();
        }
    }

    /** Takes one in that runs already, and waits for the group. Nothing is to do where it is a member with that address. */
    void add(String name, ReplicaGroup.Member member, Duration patience) throws IOException {
        List<RaftPeer> before = List.copyOf(peers());
        List<RaftPeer> after = new ArrayList<>();
        for (RaftPeer peer : before) {
            String known = peer.getId().toString();
            if (!known.equals(name)) {
                if (peer.getAddress().equalsIgnoreCase(member.raft())) {
                    throw new IOException(ReplicaGroup.atOneAddress(known, name, member));
                }
                after.add(peer);
            } else if (peer.getAddress().equals(member.raft())) {
                return;
            } else {
                throw new IOException("there is a member " + name + " at " + peer.getAddress() + ": remove that first");
            }
        }
        after.add(peer(name, member));
        change(before, after, patience);
    }

    /** Drops one, and waits for the group. Nothing is to do where there is none of that name. */
    void remove(String name, Duration patience) throws IOException {
        List<RaftPeer> before = List.copyOf(peers());
        List<RaftPeer> after = before.stream()
                .filter(peer -> !peer.getId().toString().equals(name))
                .toList();
        if (after.size() == before.size()) {
            return;
        }
        if (after.isEmpty()) {
            throw new IOException(name + " is the only member");
        }
        change(before, after, patience);
    }

    /** @throws IOException where it was refused, or nobody knows yet what came of it: one line for a person */
    private void change(List<RaftPeer> before, List<RaftPeer> after, Duration patience) throws IOException {
        SetConfigurationRequest request = new SetConfigurationRequest(
                client,
                server.getId(),
                groupId,
                calls.incrementAndGet(),
                SetConfigurationRequest.Arguments.newBuilder()
                        .setMode(SetConfigurationRequest.Mode.COMPARE_AND_SET)
                        .setServersInCurrentConf(before)
                        .setServersInNewConf(after)
                        .build());
        try {
            RaftClientReply reply =
                    server.setConfigurationAsync(request).get(patience.toMillis(), TimeUnit.MILLISECONDS);
            if (!reply.isSuccess()) {
                throw refusal(reply.getException());
            }
        } catch (TimeoutException slow) {
            throw new IOException("it is not done after " + patience.toSeconds() + " s, and goes on: ask again", slow);
        } catch (ExecutionException failed) {
            throw refusal(failed.getCause());
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted: it goes on", interrupted);
        }
    }

    private static IOException refusal(@Nullable Throwable reason) {
        return reason instanceof ReconfigurationTimeoutException
                ? new IOException(
                        "the new member cannot be reached or makes no progress: does it run, with"
                                + " -raft-join, and is its address right?",
                        reason)
                : new IOException(reason == null ? "no reason given" : String.valueOf(reason.getMessage()), reason);
    }

    /** Whether this process is one of them. */
    boolean contains(RaftPeerId self) {
        return peers().stream().anyMatch(peer -> peer.getId().equals(self));
    }
}
