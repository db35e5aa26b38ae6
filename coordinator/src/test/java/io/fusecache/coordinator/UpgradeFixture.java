package io.fusecache.coordinator;

import static io.fusecache.coordinator.SessionsTest.directory;
import static io.fusecache.coordinator.SessionsTest.file;
import static io.fusecache.coordinator.SessionsTest.name;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.namespace.Context;
import io.fusecache.coordinator.namespace.Outcome;
import io.fusecache.coordinator.namespace.Quotas;
import io.fusecache.coordinator.namespace.Trash;
import io.fusecache.coordinator.raft.FreePorts;
import io.fusecache.coordinator.raft.LogKeeping;
import io.fusecache.coordinator.raft.RaftMember;
import io.fusecache.coordinator.raft.RaftTiming;
import io.fusecache.coordinator.raft.ReplicaGroup;
import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.coordinator.state.View;
import io.fusecache.metadata.AccessControlList;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.Listing;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.Timestamp;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;
import java.util.zip.ZipOutputStream;
import org.awaitility.Awaitility;

/** The data directories that {@link UpgradeTest} starts on: one of a coordinator alone, one of a group's member. */
final class UpgradeFixture {
    static final int MANY = 40;
    static final byte[] VALUE = "blue".getBytes(StandardCharsets.UTF_8);
    static final FileName COLOR = name("user.color");
    static final Duration KEPT = Duration.ofDays(36_500);

    /** Of user 1000, who may read. */
    static final byte[] ACL = {
        2,
        0,
        0,
        0,
        1,
        0,
        6,
        0,
        -1,
        -1,
        -1,
        -1,
        2,
        0,
        4,
        0,
        (byte) 0xe8,
        3,
        0,
        0,
        4,
        0,
        4,
        0,
        -1,
        -1,
        -1,
        -1,
        16,
        0,
        4,
        0,
        -1,
        -1,
        -1,
        -1,
        32,
        0,
        0,
        0,
        -1,
        -1,
        -1,
        -1
    };

    private UpgradeFixture() {}

    /** Makes both in {@code folder}; {@code single} and {@code member} are in it then. */
    static void make(Path folder) throws Exception {
        for (boolean first : List.of(true, false)) {
            fill(single(folder), first);
        }
        for (boolean first : List.of(true, false)) {
            // With snapshots, and a log behind them.
            fill(leading(folder, new LogKeeping(60, 8 << 10)), first);
        }
    }

    /** A coordinator that was started on one of them. */
    record Running(Coordinator coordinator, AutoCloseable whole) implements AutoCloseable {
        Metadata node(String id) throws IOException {
            return CoordinatorClient.builder(new NodeAddress(new NodeId(id), "h:1", "h:2"), new Recorder())
                    .bound(Duration.ofSeconds(10))
                    .connect(coordinator.transport());
        }

        void change(BiFunction<Context, View, Outcome> command) {
            var failure = coordinator.sessions().change(command).join().failure();
            if (failure != null) {
                throw new AssertionError(failure);
            }
        }

        @Override
        public void close() throws Exception {
            whole.close();
        }
    }

    static Running single(Path folder) throws IOException {
        Coordinator coordinator = Coordinator.open(folder.resolve("single"));
        return new Running(coordinator, coordinator);
    }

    /** As {@link Replica} does, with a log that is kept as told. */
    private static Running leading(Path folder, LogKeeping keeping) throws Exception {
        RaftMember member = RaftMember.start(
                group(folder), folder.resolve("member"), RaftTiming.DEFAULT, keeping, new RaftMember.Listener() {
                    @Override
                    public void leads() {}

                    @Override
                    public void leadsNoMore() {}

                    @Override
                    public void failed(String reason) {}
                });
        Awaitility.await().atMost(Duration.ofSeconds(30)).until(member::leads);
        Coordinator coordinator = Coordinator.lead(member, RaftTiming.DEFAULT, SessionLimits.DEFAULT, cause -> {});
        return new Running(coordinator, () -> {
            coordinator.close();
            member.close();
        });
    }

    static Running member(Path folder) throws Exception {
        Replica replica = Replica.start(
                group(folder), folder.resolve("member"), SessionLimits.DEFAULT, RaftTiming.DEFAULT, null, false);
        return new Running(
                Awaitility.await()
                        .atMost(Duration.ofSeconds(30))
                        .until(replica::leading, o -> o.isPresent())
                        .orElseThrow(),
                replica);
    }

    /** A group of one. Its port is drawn anew: that of before may be somebody else's. */
    private static ReplicaGroup group(Path folder) throws IOException {
        ReplicaGroup.Member own =
                new ReplicaGroup.Member("127.0.0.1", FreePorts.draw(1).getFirst(), 1, 2);
        Path members = folder.resolve("member").resolve("members");
        if (Files.exists(members)) {
            Files.writeString(members, "a of a=" + own.raft() + "\n");
        }
        return new ReplicaGroup("a", Map.of("a", own));
    }

    // what is in them

    private static void fill(Running running, boolean first) throws Exception {
        Metadata node = running.node("one");
        try {
            if (first) {
                names(running, node);
                node.close();
            } else {
                bucket(running, node);
            }
            running.coordinator().awaitDurable(Duration.ofSeconds(10));
        } finally {
            // The second session outlives the coordinator, which ends first.
            running.close();
            node.close();
        }
    }

    private static void names(Running running, Metadata node) throws Exception {
        Inode d = node.create(Inode.ROOT, name("d"), directory());
        node.setAttribute(d.ino(), COLOR, VALUE, 0);
        Inode f = node.create(d.ino(), name("f"), file(true));
        stored(node, f, "d/f", 5);
        node.setAttribute(f.ino(), AccessControlList.ACCESS, ACL, 0);
        node.link(f.ino(), d.ino(), name("hard"));
        node.create(
                Inode.ROOT,
                name("link"),
                new NewInode(FileType.SYMLINK, 0777, 1, 2, 0, "d/f".getBytes(StandardCharsets.UTF_8), false));
        node.create(Inode.ROOT, name("fifo"), new NewInode(FileType.FIFO, 0600, 1, 2, 0, null, false));
        Inode many = node.create(Inode.ROOT, name("many"), directory());
        for (int i = 0; i < MANY; i++) {
            node.create(many.ino(), name("file-" + i), file(false));
        }
        running.change((context, view) -> Quotas.limit(d.ino(), 1_000, 4, context, view));
        running.change((context, view) -> Trash.keep(KEPT, context, view));
        stored(node, node.create(Inode.ROOT, name("kept"), file(true)), "kept", 7);
        remove(node, Inode.ROOT, "kept");
    }

    private static void bucket(Running running, Metadata node) throws Exception {
        Inode before = node.create(Inode.ROOT, name("before"), file(true));
        stored(node, before, "before", 8);
        node.rename(Inode.ROOT, name("before"), Inode.ROOT, name("moved"), 0);
        node.create(Inode.ROOT, name("empty"), directory());
        running.change((context, view) -> Trash.keep(Duration.ZERO, context, view));
        stored(node, node.create(Inode.ROOT, name("gone"), file(true)), "gone", 9);
        remove(node, Inode.ROOT, "gone");
        running.change((context, view) -> Trash.keep(KEPT, context, view));
        Inode written = node.create(Inode.ROOT, name("written"), file(true));
        commit(node, written, 11);
        Inode uploading = node.create(Inode.ROOT, name("uploading"), file(true));
        commit(node, uploading, 12);
        node.endWrite(uploading.ino());
        assertThat(node.beginUpload(uploading.ino(), 1)).isPresent();
        Listing listing = node.beginListing(Inode.ROOT);
        node.importListing(
                listing,
                List.of(new ListedObject(name("theirs"), false, 10, "etag-theirs", Timestamp.EPOCH, Map.of())),
                name("t"),
                name("tz"),
                file(false));
    }

    private static FileVersion commit(Metadata node, Inode inode, int size) throws Exception {
        FileVersion base = node.content(inode.ino());
        FileVersion next =
                new FileVersion(base.ino(), base.version() + 1, size, base.blockBytes(), new int[] {size}, null);
        node.commit(next, new Timestamp(1_000, 5), new Timestamp(1_000, 5), size);
        return next;
    }

    private static void stored(Metadata node, Inode inode, String key, int size) throws Exception {
        FileVersion last = commit(node, inode, size);
        node.endWrite(inode.ino());
        assertThat(node.beginUpload(inode.ino(), last.version())).isPresent();
        node.finishUpload(inode.ino(), last.version(), new ObjectRef(key, "etag-" + key));
    }

    static void remove(Metadata node, long parent, String name) throws Exception {
        Inode gone = node.unlink(parent, name(name));
        node.releaseUnlinked(Set.of(gone.ino())).join();
    }

    // as one file

    /** What is not the state's own: the library, what RocksDB tells people and its tools, locks. */
    private static final Set<String> LEFT_OUT = Set.of("native", "LOG", "LOCK", "in_use.lock");

    static void pack(Path folder, OutputStream to) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(to);
                Stream<Path> all = Files.walk(folder)) {
            for (Path file : all.filter(Files::isRegularFile).sorted().toList()) {
                Path name = folder.relativize(file);
                boolean ours = Stream.iterate(name, part -> part != null, Path::getParent)
                        .map(part -> part.getFileName().toString())
                        .noneMatch(part ->
                                LEFT_OUT.contains(part) || part.startsWith("LOG.old") || part.startsWith("OPTIONS-"));
                if (ours) {
                    zip.putNextEntry(new ZipEntry(name.toString()));
                    Files.copy(file, zip);
                    zip.closeEntry();
                }
            }
        }
    }

    static void unpack(ZipInputStream zip, Path folder) throws IOException {
        for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
            Path file = folder.resolve(entry.getName());
            Files.createDirectories(file.getParent());
            Files.copy(zip, file);
        }
    }
}
