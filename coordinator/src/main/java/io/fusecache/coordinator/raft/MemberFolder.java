package io.fusecache.coordinator.raft;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whose a member's folder is. Its file {@code members} has who this is, and who the members were at its first start, as {@code a of
 * a=HOST:PORT,...}, and {@code ports a=GRPC:HTTP,...}; of one that was to join a group that there was, a line {@code joins} and the
 * group's id. Who the members are since, the log says. Until it says anything, they are those of the first start, whatever a later one
 * is told: of two starts with different members, each could find a majority.
 *
 * @param first the members that the group begins with; none for one that joins, which has no say before the log names it
 */
record MemberFolder(UUID group, Map<String, ReplicaGroup.Member> first) {
    private static final Logger LOG = LoggerFactory.getLogger(MemberFolder.class);
    private static final String JOINS = "joins ";
    private static final String PORTS = "ports ";
    private static final Pattern PEER = Pattern.compile("([^=]+)=(.+)");
    private static final Pattern TWO_PORTS = Pattern.compile("([^=]+)=(\\d{1,5}):(\\d{1,5})");

    MemberFolder {
        first = Map.copyOf(first);
    }

    /** @throws IOException with one line, where it is another member's or a damaged one */
    static MemberFolder of(ReplicaGroup group, Path folder) throws IOException {
        if (Files.exists(folder.resolve("CURRENT"))) {
            throw new IOException("data directory " + folder + " is of a coordinator without replicas: start it without"
                    + " -raft-id and -raft-peers, or give this member a folder of its own");
        }
        Path file = folder.resolve(ReplicaGroup.MEMBERS);
        if (Files.exists(file)) {
            return known(group, folder, Files.readString(file).strip().lines().toList());
        }
        if (Files.exists(folder.resolve(ReplicaGroup.RAFT))) {
            throw new IOException("data directory " + folder + " has a log and no file '" + ReplicaGroup.MEMBERS
                    + "': it is damaged; a member can begin anew with an empty folder while the others are up");
        }
        UUID joins = group.joins();
        String ports = group.names().stream()
                .map(name -> "%s=%d:%d"
                        .formatted(
                                name,
                                group.member(name).grpcPort(),
                                group.member(name).httpPort()))
                .collect(Collectors.joining(","));
        keep(
                folder,
                group.self() + " of " + group.text() + "\n" + PORTS + ports + "\n"
                        + (joins == null ? "" : JOINS + joins + "\n"));
        return joins == null
                ? new MemberFolder(named(group.names()), group.members())
                : new MemberFolder(joins, Map.of());
    }

    /** Whole or not at all, and durable when it returns: what Raft promises to others after it counts on it. */
    private static void keep(Path folder, String text) throws IOException {
        Files.createDirectories(folder);
        Path fresh = folder.resolve(ReplicaGroup.MEMBERS + ".new");
        try (FileChannel channel = FileChannel.open(
                fresh, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(fresh, folder.resolve(ReplicaGroup.MEMBERS), StandardCopyOption.ATOMIC_MOVE);
        Snapshots.sync(folder);
        Snapshots.sync(folder.toAbsolutePath().getParent());
    }

    private static MemberFolder known(ReplicaGroup group, Path folder, List<String> lines) throws IOException {
        String before = lines.isEmpty() ? "" : lines.getFirst();
        String[] words = before.split(" of ", 2);
        List<String> members = words.length < 2 ? List.of() : List.of(words[1].split(","));
        String own = group.self() + "=" + group.own().raft();
        if (!words[0].equals(group.self()) || !members.contains(own)) {
            throw new IOException("data directory " + folder + " is of member " + before + ", and this is to be " + own
                    + ": a member keeps its name and address; one with another is added, and the old one removed");
        }
        Optional<UUID> joined = line(lines, JOINS).map(UUID::fromString);
        if (joined.isPresent()) {
            return new MemberFolder(joined.get(), Map.of());
        }
        if (!words[1].equals(group.text())) {
            LOG.info(
                    "member {} goes by the members of its first start, {}, or by who was added and removed since, and not by"
                            + " -raft-peers, which has {}",
                    group.self(),
                    words[1],
                    group.text());
        }
        Map<String, ReplicaGroup.Member> first = new LinkedHashMap<>();
        Map<String, int[]> ports = ports(line(lines, PORTS).orElse(""));
        for (String member : members) {
            Matcher parts = PEER.matcher(member);
            if (!parts.matches()) {
                throw new IOException("data directory " + folder + " has a file '" + ReplicaGroup.MEMBERS
                        + "' that says '" + member + "': it is damaged");
            }
            String name = parts.group(1);
            // Files of before 'ports' was in them do not tell.
            ReplicaGroup.Member told = group.members().getOrDefault(name, group.own());
            int[] known = ports.getOrDefault(name, new int[] {told.grpcPort(), told.httpPort()});
            first.put(name, ReplicaGroup.Member.at(parts.group(2), known[0], known[1]));
        }
        return new MemberFolder(named(first.keySet().stream().sorted().toList()), first);
    }

    private static Optional<String> line(List<String> lines, String start) {
        return lines.stream()
                .filter(line -> line.startsWith(start))
                .map(line -> line.substring(start.length()))
                .findFirst();
    }

    private static Map<String, int[]> ports(String text) {
        Map<String, int[]> ports = new LinkedHashMap<>();
        for (String member : text.split(",")) {
            Matcher parts = TWO_PORTS.matcher(member);
            if (parts.matches()) {
                ports.put(
                        parts.group(1), new int[] {Integer.parseInt(parts.group(2)), Integer.parseInt(parts.group(3))});
            }
        }
        return ports;
    }

    /** A group that begins with these members is called that for ever. */
    private static UUID named(List<String> names) {
        return UUID.nameUUIDFromBytes(("fuse-cache " + String.join(",", names)).getBytes(StandardCharsets.UTF_8));
    }

    /** What is Ratis' own. */
    Path storage(Path folder) {
        return folder.resolve(ReplicaGroup.RAFT).resolve(group.toString());
    }
}
