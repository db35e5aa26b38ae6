package io.fusecache.cluster;

import io.fusecache.testkit.posix.PosixContract;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The POSIX suite on a mount. */
final class PosixIT {
    private static final int THREADS = 16;

    /** Rules that are broken so far, by a pattern of their names, with the reason. */
    private static final Map<String, String> BROKEN = Map.of();

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
        return PosixContract.of(started.node(1).mount(), THREADS, BROKEN);
    }

    @TestFactory
    Stream<DynamicTest> throughTheDaemon() throws IOException, InterruptedException {
        Cluster started = Cluster.start(1, "-passthrough", "off");
        cluster = started;
        return PosixContract.of(started.node(1).mount(), THREADS, BROKEN);
    }

    /** Every name and attribute that a rule changes is leased to another node meanwhile. */
    @TestFactory
    Stream<DynamicTest> whileAnotherNodeLooksOn() throws IOException, InterruptedException {
        Cluster started = Cluster.start(2);
        cluster = started;
        Thread onlooker =
                Thread.ofPlatform().daemon().start(() -> lookOn(started.node(2).mount()));
        try {
            return PosixContract.of(started.node(1).mount(), THREADS, BROKEN);
        } finally {
            onlooker.interrupt();
            onlooker.join();
        }
    }

    /** Lists and reads the whole tree, again and again. */
    private static void lookOn(Path tree) {
        ByteBuffer buffer = ByteBuffer.allocate(1 << 16);
        while (!Thread.currentThread().isInterrupted()) {
            try {
                Files.walkFileTree(tree, new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                        if (attributes.isRegularFile()) {
                            read(file, buffer);
                        }
                        return Thread.currentThread().isInterrupted()
                                ? FileVisitResult.TERMINATE
                                : FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFileFailed(Path file, IOException gone) {
                        return FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult postVisitDirectory(Path directory, @Nullable IOException gone) {
                        return FileVisitResult.CONTINUE;
                    }
                });
            } catch (IOException gone) {
                throw new AssertionError("the walk hands nothing on", gone);
            }
        }
    }

    private static void read(Path file, ByteBuffer buffer) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            channel.read(buffer.clear());
        } catch (IOException gone) {
            // Rules remove, replace and forbid what they made at any time: what the onlooker gets is not what is
            // tested.
        }
    }
}
