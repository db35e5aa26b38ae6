package io.fusecache.coordinator.raft;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The members of a replica group, and which of them this is.
 *
 * @param members by their name, this one included: all that the group begins with. Who they are later is in its log
 * @param joins the group that this member is to be added to; null where it begins one with the others
 */
public record ReplicaGroup(
        String self, Map<String, Member> members, @Nullable UUID joins) {
    public ReplicaGroup(String self, Map<String, Member> members) {
        this(self, members, null);
    }

    /**
     * Where a member is reached.
     *
     * @param host for all three ports
     * @param raftPort by the other members
     * @param grpcPort by clients
     * @param httpPort by people
     */
    public record Member(String host, int raftPort, int grpcPort, int httpPort) {
        /** @param raft as {@link #raft} has it */
        static Member at(String raft, int grpcPort, int httpPort) {
            int colon = raft.lastIndexOf(':');
            return new Member(
                    raft.substring(0, colon).replaceAll("^\\[|]$", ""),
                    Integer.parseInt(raft.substring(colon + 1)),
                    grpcPort,
                    httpPort);
        }

        public String raft() {
            return address(raftPort);
        }

        public String grpc() {
            return address(grpcPort);
        }

        public String http() {
            return address(httpPort);
        }

        private String address(int port) {
            return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
        }
    }

    public ReplicaGroup {
        members = Map.copyOf(members);
        if (!members.containsKey(self)) {
            throw new IllegalArgumentException(self + " is none of " + members.keySet());
        }
        Map<String, String> names = new HashMap<>();
        new TreeMap<>(members).forEach((name, member) -> {
            String other = names.put(member.raft().toLowerCase(Locale.ROOT), name);
            if (other != null) {
                throw new IllegalArgumentException(atOneAddress(other, name, member));
            }
        });
    }

    /** It would vote once for each. */
    static String atOneAddress(String one, String other, Member member) {
        return "members %s and %s are both at %s: one process is one member".formatted(one, other, member.raft());
    }

    /** What a member keeps in its folder: Ratis' log, the database, and who the members are. */
    static final String RAFT = "raft";

    static final String LIVE = "state";
    static final String MEMBERS = "members";

    /** Whether {@code folder} is of a member of a replica group. */
    public static boolean owns(Path folder) {
        return Files.exists(folder.resolve(MEMBERS)) || Files.exists(folder.resolve(RAFT));
    }

    Member own() {
        return member(self);
    }

    public Member member(String name) {
        Member member = members.get(name);
        if (member == null) {
            throw new IllegalArgumentException(name + " is none of " + members.keySet());
        }
        return member;
    }

    /** The same member, to be added to a group that there is. */
    public ReplicaGroup joining(UUID group) {
        return new ReplicaGroup(self, members, group);
    }

    /** In the order of their names. */
    List<String> names() {
        return members.keySet().stream().sorted().toList();
    }

    /** Each as NAME=HOST:RAFTPORT: what must not change between starts. */
    String text() {
        return names().stream().map(name -> name + "=" + member(name).raft()).collect(Collectors.joining(","));
    }
}
