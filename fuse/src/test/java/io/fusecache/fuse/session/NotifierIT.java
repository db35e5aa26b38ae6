package io.fusecache.fuse.session;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fusecache.fuse.wire.FileName;
import io.fusecache.fuse.wire.FuseRequest;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the kernel does when told that its caches are no longer so. Everything here is valid for an hour otherwise. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class NotifierIT {
    private final Set<Long> forgotten = ConcurrentHashMap.newKeySet();
    private final BlockingQueue<Reply> held = new LinkedBlockingQueue<>();
    private volatile @Nullable FileName heldLookup;
    private final MemoryFileSystem files = new MemoryFileSystem() {
        @Override
        public void handle(FuseRequest request, Reply reply) {
            switch (request) {
                case FuseRequest.Forget forget -> forgotten.add(forget.nodeId());
                case FuseRequest.BatchForget batch -> batch.nodes().forEach(node -> forgotten.add(node.nodeId()));
                case FuseRequest.Lookup lookup
                when Objects.equals(lookup.name(), heldLookup) -> {
                    held.add(reply);
                    return;
                }
                default -> {}
            }
            super.handle(request, reply);
        }
    };

    @Test
    void invalidatedAttributesAndPagesAreFetchedAgain() throws IOException {
        MemoryFileSystem.Node node = files.add(files.root(), "file", MemoryFileSystem.REGULAR | 0644, bytes("old"));
        try (Mounted mounted = Mounted.of(files)) {
            assertThat(Files.readString(mounted.resolve("file"))).isEqualTo("old");
            // Once more after the read, which changed the access time.
            assertThat(Files.size(mounted.resolve("file"))).isEqualTo(3);
            node.content = bytes("newer");
            assertThat(Files.size(mounted.resolve("file"))).isEqualTo(3);

            assertThat(mounted.session.notifier().invalInode(node.id, -1, 0)).isTrue();
            assertThat(Files.size(mounted.resolve("file"))).isEqualTo(5);

            assertThat(mounted.session.notifier().invalInode(node.id, 0, 0)).isTrue();
            assertThat(Files.readString(mounted.resolve("file"))).isEqualTo("newer");
            assertThat(mounted.session.notifier().invalInode(987_654, 0, 0)).isFalse();
        }
    }

    @Test
    void anInvalidatedOrExpiredOrDeletedNameIsLookedUpAgain() throws IOException {
        MemoryFileSystem.Node node = files.add(files.root(), "file", MemoryFileSystem.REGULAR | 0644, bytes("x"));
        try (Mounted mounted = Mounted.of(files)) {
            Notifier notifier = mounted.session.notifier();
            FileName name = FileName.of("file");
            assertThat(mounted.resolve("file")).exists();
            long before = files.lookups.get();
            assertThat(mounted.resolve("file")).exists();
            assertThat(files.lookups.get()).isEqualTo(before);

            assertThat(notifier.invalEntry(1, name)).isTrue();
            assertThat(mounted.resolve("file")).exists();
            assertThat(files.lookups.get()).isEqualTo(before + 1);

            assertThat(notifier.expireEntry(1, name)).isTrue();
            assertThat(mounted.resolve("file")).exists();
            assertThat(files.lookups.get()).isEqualTo(before + 2);

            assertThat(notifier.delete(1, node.id, name)).isTrue();
            assertThat(mounted.resolve("file")).exists();
            assertThat(files.lookups.get()).isEqualTo(before + 3);
            assertThat(notifier.invalEntry(1, FileName.of("never seen"))).isFalse();
        }
    }

    @Test
    void aNewEpochMakesEveryNameBeLookedUpAgainAndKeepsWorkingDirectories() throws Exception {
        MemoryFileSystem.Node a = files.add(files.root(), "a", MemoryFileSystem.DIRECTORY | 0755, bytes(""));
        MemoryFileSystem.Node b = files.add(a, "b", MemoryFileSystem.DIRECTORY | 0755, bytes(""));
        files.add(b, "file", MemoryFileSystem.REGULAR | 0644, bytes("x"));
        try (Mounted mounted = Mounted.of(files);
                Shell inside = new Shell(mounted)) {
            inside.run("cd \"$M/a/b\"");
            assertThat(inside.run("readlink /proc/$$/cwd"))
                    .isEqualTo(mounted.resolve("a/b").toString());
            assertThat(mounted.resolve("absent")).doesNotExist();
            long before = files.lookups.get();
            assertThat(mounted.resolve("absent")).doesNotExist();
            assertThat(mounted.resolve("a/b")).exists();
            assertThat(files.lookups.get()).isEqualTo(before);

            mounted.session.notifier().incEpoch();
            assertThat(files.lookups.get()).isEqualTo(before);
            // Nothing has walked over the names yet: the working directory is where it was.
            assertThat(inside.run("readlink /proc/$$/cwd"))
                    .isEqualTo(mounted.resolve("a/b").toString());
            assertThat(inside.run("cat file")).isEqualTo("x");

            assertThat(mounted.resolve("absent")).doesNotExist();
            assertThat(mounted.resolve("a/b")).exists();
            assertThat(files.lookups.get()).isGreaterThanOrEqualTo(before + 3);
            // The same node ids came back, and with them the same directories.
            assertThat(inside.run("readlink /proc/$$/cwd"))
                    .isEqualTo(mounted.resolve("a/b").toString());
            assertThat(inside.run("cat file")).isEqualTo("x");
        }
    }

    @Test
    void afterAnEpochADirectoryIsWithoutItsNameWhileItIsLookedUpAndForGoodWhereAnotherNodeHasIt() throws Exception {
        MemoryFileSystem.Node a = files.add(files.root(), "a", MemoryFileSystem.DIRECTORY | 0755, bytes(""));
        files.add(a, "b", MemoryFileSystem.DIRECTORY | 0755, bytes(""));
        try (Mounted mounted = Mounted.of(files);
                Shell inside = new Shell(mounted)) {
            inside.run("cd \"$M/a/b\"");
            mounted.session.notifier().incEpoch();
            // What is in use below a name that is dropped keeps its own.
            assertThat(mounted.resolve("a")).exists();
            assertThat(inside.run("readlink /proc/$$/cwd"))
                    .isEqualTo(mounted.resolve("a/b").toString());

            mounted.session.notifier().incEpoch();
            heldLookup = FileName.of("b");
            Process walker = mounted.start("test -d \"$M/a/b\"");
            Reply lookup = held.poll(10, TimeUnit.SECONDS);
            assertThat(lookup).isNotNull();
            assertThat(inside.run("readlink /proc/$$/cwd")).endsWith("(deleted)");
            lookup.entry(files.entry(files.node(3)));
            assertThat(walker.waitFor()).isZero();
            assertThat(inside.run("readlink /proc/$$/cwd"))
                    .isEqualTo(mounted.resolve("a/b").toString());

            heldLookup = null;
            files.add(a, "b", MemoryFileSystem.DIRECTORY | 0755, bytes(""));
            mounted.session.notifier().incEpoch();
            assertThat(mounted.resolve("a/b")).exists();
            assertThat(inside.run("readlink /proc/$$/cwd")).endsWith("(deleted)");
        }
    }

    @Test
    void prunedNodesAreForgottenUnlessInUse() throws Exception {
        MemoryFileSystem.Node used = files.add(files.root(), "used", MemoryFileSystem.REGULAR | 0644, bytes("u"));
        MemoryFileSystem.Node idle = files.add(files.root(), "idle", MemoryFileSystem.REGULAR | 0644, bytes("i"));
        try (Mounted mounted = Mounted.of(files, options -> options.withCountLookups(true))) {
            assertThat(Files.readString(mounted.resolve("idle"))).isEqualTo("i");
            LookupCounts lookups = mounted.session.lookups().orElseThrow();
            assertThat(lookups.count(idle.id)).isPositive();
            try (var open = Files.newInputStream(mounted.resolve("used"))) {
                mounted.session.notifier().prune(used.id, idle.id);
                await().until(() -> forgotten.contains(idle.id));
                assertThat(forgotten).doesNotContain(used.id);
                assertThat(lookups.count(idle.id)).isZero();
                assertThat(lookups.count(used.id)).isPositive();
                assertThat(open.readAllBytes()).isEqualTo(bytes("u"));
            }
        }
    }

    @Test
    void bytesAreStoredInThePageCacheAndRetrievedFromIt() throws Exception {
        MemoryFileSystem.Node node = files.add(files.root(), "file", MemoryFileSystem.REGULAR | 0644, new byte[4096]);
        try (Mounted mounted = Mounted.of(files)) {
            assertThat(Files.size(mounted.resolve("file"))).isEqualTo(4096);
            byte[] page = new byte[4096];
            Arrays.fill(page, (byte) 's');
            try (var open = new java.io.RandomAccessFile(mounted.resolve("file").toFile(), "r")) {
                assertThat(mounted.session.notifier().store(node.id, 0, MemorySegment.ofArray(page)))
                        .isTrue();
                Notifier.Retrieved retrieved =
                        mounted.session.notifier().retrieve(node.id, 0, 4096).get(10, TimeUnit.SECONDS);
                assertThat(retrieved.data().toArray(ValueLayout.JAVA_BYTE)).isEqualTo(page);
                byte[] read = new byte[4096];
                open.readFully(read);
                assertThat(read).isEqualTo(page);
            }
            assertThat(mounted.session.notifier().retrieve(987_654, 0, 10))
                    .failsWithin(java.time.Duration.ofSeconds(10));
        }
    }

    /** A shell that stays, for what a process with its working directory in the mount sees. */
    private static final class Shell implements AutoCloseable {
        private final Process process;
        private final BufferedWriter in;
        private final BufferedReader out;

        Shell(Mounted mounted) throws IOException {
            ProcessBuilder builder = new ProcessBuilder("sh").redirectErrorStream(true);
            builder.environment().put("M", mounted.path.toString());
            process = builder.start();
            in = new BufferedWriter(new OutputStreamWriter(process.getOutputStream(), UTF_8));
            out = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
        }

        String run(String command) throws IOException {
            in.write(command + "; echo; echo ---\n");
            in.flush();
            StringBuilder said = new StringBuilder();
            String line;
            while ((line = out.readLine()) != null && !line.equals("---")) {
                said.append(line).append('\n');
            }
            return said.toString().strip();
        }

        @Override
        public void close() throws IOException {
            in.close();
            process.destroy();
            try {
                process.waitFor();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }
}
