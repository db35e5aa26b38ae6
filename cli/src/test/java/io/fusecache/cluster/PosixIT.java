package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.fuse.sys.LocalFile;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.testkit.posix.PosixContract;
import io.fusecache.testkit.posix.PosixContract.Excuses;
import io.fusecache.testkit.posix.PosixSuite;
import io.fusecache.testkit.posix.scene.Rule;
import io.fusecache.testkit.posix.scene.Runner.Leftovers;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The POSIX suite on mounts: all of it with passthrough and through the daemon, and a third while another node has leases on
 * all that the rules touch; with {@code -Dposix.all=true}, all of it there, too.
 */
final class PosixIT {
    private static final int THREADS = 16;
    private static final int ONLOOKERS_SHARE = 3;

    /** What rules make would otherwise be uploaded, and is gone with the cluster. */
    private static final List<String> NO_UPLOADS = List.of("-upload-delay", "1h");

    /** Rules that are broken, by a pattern of their names, with the reason; SEMANTICS.md says more. */
    private static final Map<String, String> BROKEN = Map.of(
            "RWF_NOAPPEND",
            "the kernel does not tell FUSE of it",
            "ETXTBSY for O_RDONLY.O_TRUNC of a running program",
            "the kernel has FUSE_OPEN truncate before it looks whether the program runs",
            "fcntl_locking.*EDEADLK",
            "the suite's processes are threads of one, and FUSE names that one for all of them",
            "who asks for (a process is told process -1|an open file description is told the process) where",
            "FUSE does not tell of whom an answer is to speak",
            "(read|getdents64|readlink)\\(2\\): a read-only mount does not matter",
            "FUSE does not tell by which of its mounts a file is read, and its time of access shows");

    private static final Map<String, String> BROKEN_WHERE_PASSED_THROUGH = Map.of(
            "msync.*the times of a file that was changed through a mapping",
            "the kernel maps the file below, and tells nobody");

    private static final Map<String, String> INAPPLICABLE = Map.of(
            "(COLLAPSE|INSERT)_RANGE( of .+ bytes at|, as )|(the bytes|see it at once) .(COLLAPSE|INSERT)_RANGE",
            "the kernel refuses them without asking FUSE");

    private final AtomicInteger filesRead = new AtomicInteger();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private @Nullable Cluster cluster;

    @AfterEach
    void stop() throws IOException, InterruptedException {
        if (cluster != null) {
            // Nobody waits for the upload of what the rules left.
            cluster.node(1).kill();
            cluster.close();
        }
    }

    @TestFactory
    Stream<DynamicTest> passedThrough() throws IOException, InterruptedException {
        Path mount = start("auto").node(1).mount();
        return PosixContract.of(PosixSuite.rules(), mount, THREADS, Leftovers.KEPT, excuses(true));
    }

    @TestFactory
    Stream<DynamicTest> throughTheDaemon() throws IOException, InterruptedException {
        Path mount = start("off").node(1).mount();
        return PosixContract.of(PosixSuite.rules(), mount, THREADS, Leftovers.KEPT, excuses(false));
    }

    /** Every name and attribute that a rule changes is leased to another node meanwhile, whose reads leave no trace. */
    @TestFactory
    Stream<DynamicTest> whileAnotherNodeLooksOn() throws IOException, InterruptedException {
        Path mount = start("auto").node(1).mount();
        ClusterNode other = Objects.requireNonNull(cluster).addNode("-read-only", "true");
        Thread onlooker = Thread.ofPlatform()
                .daemon()
                .uncaughtExceptionHandler((_, broken) -> failure.set(broken))
                .start(() -> lookOn(other.mount()));
        List<Rule> rules = Boolean.getBoolean("posix.all") ? PosixSuite.rules() : PosixSuite.share(0, ONLOOKERS_SHARE);
        Stream<DynamicTest> tests;
        try {
            // Removed, so that it is what is there now that the onlooker looks at.
            tests = PosixContract.of(rules, mount, THREADS, Leftovers.REMOVED, excuses(true));
            assertThat(filesRead).as("files read beside the rules").hasValueGreaterThan(100);
            int before = filesRead.get();
            Files.writeString(mount.resolve("last"), "content");
            Awaitility.await("the onlooker still reads")
                    .atMost(Cluster.UP_WITHIN)
                    .until(() -> filesRead.get() > before);
            assertThat(other.daemon().alive()).isTrue();
        } finally {
            onlooker.interrupt();
            onlooker.join();
        }
        assertThat(failure).hasValue(null);
        return tests;
    }

    private Cluster start(String passthrough) throws IOException, InterruptedException {
        List<String> flags = new ArrayList<>(NO_UPLOADS);
        flags.addAll(List.of("-passthrough", passthrough));
        Cluster started = Cluster.start(1, flags.toArray(String[]::new));
        cluster = started;
        return started;
    }

    private static Excuses excuses(boolean passedThrough) {
        Map<String, String> broken = new HashMap<>(BROKEN);
        if (passedThrough) {
            broken.putAll(BROKEN_WHERE_PASSED_THROUGH);
        }
        return new Excuses(broken, INAPPLICABLE);
    }

    /** Lists and reads the whole tree, again and again. */
    private void lookOn(Path tree) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(1 << 16);
            while (!Thread.currentThread().isInterrupted()) {
                Files.walkFileTree(tree, new Onlooker(buffer));
            }
        } catch (IOException gone) {
            throw new AssertionError("the walk hands nothing on", gone);
        }
    }

    /** Rules remove, replace and forbid what they made at any time: what the onlooker gets is not what is tested. */
    private final class Onlooker extends SimpleFileVisitor<Path> {
        private final MemorySegment buffer;

        Onlooker(MemorySegment buffer) {
            this.buffer = buffer;
        }

        @Override
        public FileVisitResult visitFile(Path path, BasicFileAttributes attributes) {
            // By the time of the open it may be a FIFO, which waits for a writer unless told not to.
            int flags = Posix.O_RDONLY | Posix.O_NONBLOCK;
            if (attributes.isRegularFile()) {
                try (LocalFile file = LocalFile.open(path, flags, 0)) {
                    file.read(buffer, 0);
                    filesRead.incrementAndGet();
                } catch (IOException gone) {
                    return next();
                }
            }
            return next();
        }

        @Override
        public FileVisitResult visitFileFailed(Path path, IOException gone) {
            return next();
        }

        @Override
        public FileVisitResult postVisitDirectory(Path path, @Nullable IOException gone) {
            return next();
        }

        private FileVisitResult next() {
            return Thread.currentThread().isInterrupted() ? FileVisitResult.TERMINATE : FileVisitResult.CONTINUE;
        }
    }
}
