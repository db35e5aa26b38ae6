package io.fusecache.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.coordinator.dump.DumpException;
import io.fusecache.coordinator.dump.Load;
import io.fusecache.coordinator.namespace.Trash;
import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.coordinator.session.Sessions;
import io.fusecache.coordinator.state.Changes;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Log;
import io.fusecache.coordinator.state.View;
import io.fusecache.coordinator.state.VolumeRecord;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Recall;
import io.fusecache.metadata.RecallListener;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A dump into a coordinator: whole or not at all, and into an empty one only. */
final class StateLoadTest {
    @TempDir
    private Path folder;

    private static final RecallListener NOTHING_OPEN = new RecallListener() {
        @Override
        public Set<Long> recalled(Recall recall) {
            return Set.of();
        }

        @Override
        public void reset(boolean fenced) {
            // Nothing is cached.
        }
    };

    private Coordinator open(String name) throws IOException {
        return Coordinator.open(folder.resolve(name));
    }

    private static Metadata node(Coordinator coordinator) throws IOException {
        return coordinator.connect(new NodeId("n"), NOTHING_OPEN);
    }

    private static FileName name(String text) throws Exception {
        return FileName.of(text);
    }

    private static Inode make(Metadata node, long parent, String name, FileType type) throws Exception {
        return node.create(parent, name(name), new NewInode(type, 0755, 1, 2, 0, null, false));
    }

    private static byte[] dump(Coordinator coordinator) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        coordinator.dump(out);
        return out.toByteArray();
    }

    private static List<String> tree(byte[] dump) {
        List<String> lines = new String(dump, StandardCharsets.UTF_8).lines().toList();
        return lines.subList(1, lines.size() - 1);
    }

    private static String namespace(Coordinator coordinator) {
        return coordinator
                .sessions()
                .read((context, view) -> VolumeRecord.in(view).namespace());
    }

    /** Of a directory with {@code files} files. */
    private byte[] dumpOf(int files) throws Exception {
        try (Coordinator coordinator = open("source")) {
            try (Metadata node = node(coordinator)) {
                Inode directory = make(node, Inode.ROOT, "d", FileType.DIRECTORY);
                for (int i = 0; i < files; i++) {
                    make(node, directory.ino(), "f" + i, FileType.REGULAR);
                }
            }
            return dump(coordinator);
        }
    }

    @Test
    void aLoadedNamespaceIsTheSameTreeUnderAnIdentityOfItsOwn() throws Exception {
        byte[] dump = dumpOf(700);
        String fresh;
        try (Coordinator coordinator = open("target")) {
            String before = namespace(coordinator);
            Load.Loaded loaded = coordinator.load(new ByteArrayInputStream(dump));
            fresh = loaded.namespace();
            assertThat(loaded.inodes()).isEqualTo(702);
            assertThat(namespace(coordinator)).isEqualTo(fresh).isNotEqualTo(before);
            assertThat(new String(dump, StandardCharsets.UTF_8)).doesNotContain(fresh);
        }
        try (Coordinator coordinator = open("target")) {
            assertThat(namespace(coordinator)).isEqualTo(fresh);
            assertThat(tree(dump(coordinator))).isEqualTo(tree(dump));
            try (Metadata node = node(coordinator)) {
                Inode directory = node.lookup(Inode.ROOT, name("d"));
                List<DirectoryEntry> entries = node.list(directory.ino(), 0, 2_000);
                assertThat(entries).hasSize(700);
                Inode made = make(node, directory.ino(), "new", FileType.REGULAR);
                assertThat(entries).noneMatch(entry -> entry.inode().ino() == made.ino());
            }
        }
    }

    @Test
    void whatIsNotEmptyIsLeftAlone() throws Exception {
        byte[] dump = dumpOf(1);
        try (Coordinator coordinator = open("target")) {
            try (Metadata node = node(coordinator)) {
                make(node, Inode.ROOT, "mine", FileType.REGULAR);
            }
            byte[] before = dump(coordinator);
            assertThatThrownBy(() -> coordinator.load(new ByteArrayInputStream(dump)))
                    .isInstanceOf(StateLoad.NotEmptyException.class);
            assertThat(tree(dump(coordinator))).isEqualTo(tree(before));
        }
        try (Coordinator coordinator = open("other");
                Metadata node = node(coordinator)) {
            assertThatThrownBy(() -> coordinator.load(new ByteArrayInputStream(dump)))
                    .isInstanceOf(StateLoad.NotEmptyException.class)
                    .hasMessageContaining("nodes are connected");
            make(node, Inode.ROOT, "mine", FileType.REGULAR);
        }
    }

    @Test
    void whatIsNotWholeLeavesTheCoordinatorEmpty() throws Exception {
        byte[] dump = dumpOf(700);
        try (Coordinator coordinator = open("target")) {
            byte[] before = dump(coordinator);
            byte[] cut = Arrays.copyOf(dump, dump.length - 10);
            assertThatThrownBy(() -> coordinator.load(new ByteArrayInputStream(cut)))
                    .isInstanceOf(DumpException.class)
                    .hasMessageContaining("cut short");
            InputStream broken =
                    new SequenceInputStream(new ByteArrayInputStream(dump, 0, dump.length / 2), new InputStream() {
                        @Override
                        public int read() throws IOException {
                            throw new IOException("the connection broke");
                        }

                        @Override
                        public int read(byte[] to, int offset, int length) throws IOException {
                            return read();
                        }
                    });
            assertThatThrownBy(() -> coordinator.load(broken)).hasMessage("the connection broke");
            assertThat(tree(dump(coordinator))).hasSameSizeAs(tree(before));
            coordinator.load(new ByteArrayInputStream(dump));
            assertThat(tree(dump(coordinator))).isEqualTo(tree(dump));
        }
    }

    @Test
    void aLoadThatBrokeOffLetsNobodyInUntilItIsDoneAgain() throws Exception {
        byte[] dump = dumpOf(3);
        try (Coordinator coordinator = open("target")) {
            coordinator.sessions().replace((view, anySession) -> {
                Changes changes = new Changes(view);
                changes.put(Keys.loading(), new byte[0]);
                changes.put(Keys.inode(77), new byte[] {1});
                changes.put(Keys.keptUntil(1, 77), new byte[0]);
                return changes;
            });
        }
        try (Coordinator coordinator = open("target")) {
            coordinator.keepRemoved(Duration.ofDays(1));
            assertThatThrownBy(() -> node(coordinator)).hasMessageContaining("it is to be loaded");
            assertThat(coordinator
                            .sessions()
                            .change((context, view) -> Trash.keep(Duration.ofDays(1), context, view))
                            .join()
                            .failure())
                    .satisfies(failure -> assertThat(failure.errno()).isEqualTo(Errno.EAGAIN));
            coordinator.load(new ByteArrayInputStream(dump));
            assertThat(tree(dump(coordinator))).isEqualTo(tree(dump));
            try (Metadata node = node(coordinator)) {
                assertThat(node.lookup(Inode.ROOT, name("d")).directory()).isTrue();
            }
        }
    }

    @Test
    void anEmptyCoordinatorMayWaitForALoad() throws Exception {
        byte[] dump = dumpOf(3);
        try (Coordinator coordinator = open("target")) {
            coordinator.awaitLoad();
            assertThat(coordinator.loading()).isTrue();
            assertThatThrownBy(() -> dump(coordinator)).hasMessageContaining("a dump is being loaded");
            assertThatThrownBy(() -> node(coordinator)).hasMessageContaining("it is to be loaded");
            byte[] cut = Arrays.copyOf(dump, dump.length - 10);
            assertThatThrownBy(() -> coordinator.load(new ByteArrayInputStream(cut)))
                    .isInstanceOf(DumpException.class);
            assertThatThrownBy(() -> node(coordinator)).hasMessageContaining("it is to be loaded");
            coordinator.load(new ByteArrayInputStream(dump));
            coordinator.awaitLoad();
            try (Metadata node = node(coordinator)) {
                assertThat(node.lookup(Inode.ROOT, name("d")).directory()).isTrue();
            }
        }
    }

    @Test
    void aLoadWhoseLastBatchWasSlowToBeDurableIsNotTakenBack() throws Exception {
        byte[] dump = dumpOf(3);
        try (Coordinator coordinator = open("target")) {
            StateLoad load = new StateLoad(coordinator.sessions(), () -> {
                if (!coordinator.loading()) {
                    throw new IOException("it is not known to be durable");
                }
            });
            assertThatThrownBy(() -> load.run(new ByteArrayInputStream(dump))).hasMessageContaining("durable");
            assertThat(tree(dump(coordinator))).isEqualTo(tree(dump));
            try (Metadata node = node(coordinator)) {
                assertThat(node.lookup(Inode.ROOT, name("d")).directory()).isTrue();
            }
        }
    }

    /** As in the database, what was deleted lies in the way of whoever walks over it. */
    private static final class WithTombstones implements View, Log {
        private final TreeMap<byte[], byte @Nullable []> all = new TreeMap<>(Arrays::compareUnsigned);
        private long steps;

        @Override
        public byte @Nullable [] get(byte[] key) {
            return all.get(key);
        }

        @Override
        public void scan(byte[] from, byte[] to, Visitor visitor) {
            for (Map.Entry<byte[], byte @Nullable []> entry :
                    all.subMap(from, to).entrySet()) {
                steps++;
                byte[] value = entry.getValue();
                if (value != null && !visitor.visit(entry.getKey(), value)) {
                    return;
                }
            }
        }

        @Override
        public long append(Changes batch) {
            batch.entries().forEach(entry -> all.put(entry.getKey(), entry.getValue()));
            return 0;
        }

        @Override
        public long position() {
            return 0;
        }

        @Override
        public long durable() {
            return 0;
        }

        @Override
        public void close() {
            // Nothing is open.
        }
    }

    @Test
    void emptyingWalksOverTheStateOnce() throws Exception {
        byte[] dump = dumpOf(3);
        int left = 100_000;
        WithTombstones state = new WithTombstones();
        try (ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor()) {
            Sessions sessions =
                    new Sessions(state, state, InstantSource.system(), new Random(1), timer, SessionLimits.DEFAULT);
            sessions.start();
            Changes half = new Changes(state);
            half.put(Keys.loading(), new byte[0]);
            for (int i = 2; i < left; i++) {
                half.put(Keys.inode(i), new byte[0]);
            }
            state.append(half);
            state.steps = 0;
            StateLoad load = new StateLoad(sessions, () -> {});
            assertThat(load.run(new ByteArrayInputStream(dump)).inodes()).isEqualTo(5);
            assertThat(state.steps).isLessThan(2L * left);
            sessions.close();
            timer.shutdownNow();
        }
    }

    @Test
    void aLoadThatTheCoordinatorsEndCutsShortLeavesTheStateAsItWas() throws Exception {
        byte[] dump = dumpOf(2_000);
        CountDownLatch half = new CountDownLatch(1);
        CountDownLatch closed = new CountDownLatch(1);
        InputStream slow = new SequenceInputStream(
                new ByteArrayInputStream(dump, 0, dump.length / 2),
                new FilterInputStream(new ByteArrayInputStream(dump, dump.length / 2, dump.length - dump.length / 2)) {
                    @Override
                    public int read(byte[] to, int offset, int length) throws IOException {
                        half.countDown();
                        try {
                            closed.await();
                        } catch (InterruptedException interrupted) {
                            throw new IOException(interrupted);
                        }
                        return super.read(to, offset, length);
                    }
                });
        Coordinator coordinator = open("target");
        CompletableFuture<Load.Loaded> loading = CompletableFuture.supplyAsync(() -> {
            try {
                return coordinator.load(slow);
            } catch (IOException cut) {
                throw new UncheckedIOException(cut);
            }
        });
        half.await();
        coordinator.close();
        closed.countDown();
        assertThatThrownBy(loading::join).hasStackTraceContaining("the coordinator ends, and the load with it");
        try (Coordinator again = open("target")) {
            assertThat(again.loading()).isTrue();
            assertThatThrownBy(() -> node(again)).hasMessageContaining("it is to be loaded");
            again.load(new ByteArrayInputStream(dump));
            assertThat(tree(dump(again))).isEqualTo(tree(dump));
        }
    }

    @Test
    void aDumpIsOfOneMomentHoweverMuchChangesMeanwhile() throws Exception {
        byte[] dump;
        try (Coordinator coordinator = open("busy");
                Metadata node = node(coordinator)) {
            Inode directory = make(node, Inode.ROOT, "d", FileType.DIRECTORY);
            AtomicBoolean over = new AtomicBoolean();
            CountDownLatch begun = new CountDownLatch(200);
            Thread worker = Thread.ofPlatform().start(() -> {
                try {
                    for (int i = 0; !over.get(); i++) {
                        make(node, directory.ino(), "f" + i, FileType.REGULAR);
                        if (i % 3 == 0) {
                            node.unlink(directory.ino(), name("f" + i));
                        }
                        begun.countDown();
                    }
                } catch (Exception failed) {
                    throw new IllegalStateException(failed);
                }
            });
            begun.await();
            dump = dump(coordinator);
            over.set(true);
            worker.join();
        }
        try (Coordinator coordinator = open("target")) {
            // Counts and names of what is loaded have to fit.
            coordinator.load(new ByteArrayInputStream(dump));
            assertThat(tree(dump(coordinator))).isEqualTo(tree(dump));
        }
    }
}
