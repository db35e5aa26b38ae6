package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.fuse.sys.LocalFile;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.testkit.posix.PosixContract;
import io.fusecache.testkit.posix.PosixSuite;
import io.fusecache.testkit.posix.scene.Rule;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The POSIX suite on mounts: with passthrough, through the daemon, and while another node has leases on all of it. Each of
 * the three runs takes a third of the rules, for the sake of time; with {@code -Dposix.all=true}, each takes all.
 */
final class PosixIT {
    private static final int THREADS = 16;

    /** Rules that are broken, by a pattern of their names, with the reason; SEMANTICS.md says more. */
    private static final Map<String, String> BROKEN = Map.of(
            "RWF_NOAPPEND",
            "the kernel does not tell FUSE of it",
            "ETXTBSY for O_RDONLY.O_TRUNC of a running program",
            "the kernel has FUSE_OPEN truncate before it looks whether the program runs",
            "fcntl_locking.*EDEADLK",
            "the suite's processes are threads of one, and FUSE names that one for all of them",
            "who asks for (a process is told process -1|an open file description is told the process) where",
            "FUSE does not tell of whom an answer is to speak");

    private static final Map<String, String> BROKEN_WHERE_PASSED_THROUGH = Map.of(
            "msync.*the times of a file that was changed through a mapping",
            "the kernel maps the file below, and tells nobody");

    private static final int RUNS = 3;

    private final AtomicInteger filesRead = new AtomicInteger();
    private @Nullable Cluster cluster;

    @AfterEach
    void stop() throws IOException, InterruptedException {
        if (cluster != null) {
            cluster.close();
        }
    }

    @TestFactory
    Stream<DynamicTest> passedThrough() throws IOException, InterruptedException {
        Cluster started = Cluster.start(1, "-passthrough", "auto");
        cluster = started;
        return PosixContract.of(rules(0), started.node(1).mount(), THREADS, brokenWherePassedThrough());
    }

    @TestFactory
    Stream<DynamicTest> throughTheDaemon() throws IOException, InterruptedException {
        Cluster started = Cluster.start(1, "-passthrough", "off");
        cluster = started;
        return PosixContract.of(rules(1), started.node(1).mount(), THREADS, BROKEN);
    }

    /** Every name and attribute that a rule changes is leased to another node meanwhile, whose reads leave no trace. */
    @TestFactory
    Stream<DynamicTest> whileAnotherNodeLooksOn() throws IOException, InterruptedException {
        Cluster started = Cluster.start(1, "-passthrough", "auto");
        cluster = started;
        Path other = started.addNode("-read-only", "true").mount();
        Thread onlooker = Thread.ofPlatform().daemon().start(() -> lookOn(other));
        Stream<DynamicTest> tests;
        try {
            tests = PosixContract.of(rules(2), started.node(1).mount(), THREADS, brokenWherePassedThrough());
        } finally {
            onlooker.interrupt();
            onlooker.join();
        }
        assertThat(filesRead).as("files that the other node read").hasPositiveValue();
        return tests;
    }

    private static List<Rule> rules(int run) {
        return Boolean.getBoolean("posix.all") ? PosixSuite.rules() : PosixSuite.share(run, RUNS);
    }

    private static Map<String, String> brokenWherePassedThrough() {
        Map<String, String> broken = new HashMap<>(BROKEN);
        broken.putAll(BROKEN_WHERE_PASSED_THROUGH);
        return broken;
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
