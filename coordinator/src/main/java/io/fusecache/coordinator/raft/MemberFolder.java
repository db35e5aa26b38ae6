package io.fusecache.coordinator.raft;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.UUID;

/**
 * Whose a member's folder is. Its file {@code members} has who this is, and who the members were when it began, as {@code a of
 * a=HOST:PORT,...}; of one that was to join a group that there was, a second line {@code joins} and the group's id. Who the members
 * are since, the log says.
 */
record MemberFolder(UUID group, boolean joined) {
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
        Files.createDirectories(folder);
        Files.writeString(
                file, group.self() + " of " + group.text() + "\n" + (joins == null ? "" : "joins " + joins + "\n"));
        return new MemberFolder(joins == null ? named(group.names()) : joins, joins != null);
    }

    private static MemberFolder known(ReplicaGroup group, Path folder, List<String> lines) throws IOException {
        String before = lines.isEmpty() ? "" : lines.getFirst();
        String[] words = before.split(" of ", 2);
        List<String> members = words.length < 2 ? List.of() : Arrays.asList(words[1].split(","));
        String own = group.self() + "=" + group.own().raft();
        if (!words[0].equals(group.self()) || !members.contains(own)) {
            throw new IOException("data directory " + folder + " is of member " + before + ", and this is to be " + own
                    + ": a member keeps its name and address; one with another is added, and the old one removed");
        }
        Optional<UUID> joined = lines.stream()
                .filter(line -> line.startsWith("joins "))
                .map(line -> UUID.fromString(line.substring("joins ".length())))
                .findFirst();
        List<String> names =
                members.stream().map(member -> member.replaceFirst("=.*", "")).toList();
        return new MemberFolder(joined.orElseGet(() -> named(names)), joined.isPresent());
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
