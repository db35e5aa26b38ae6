package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A real tree, written on one node, read on the others through all three tiers. */
final class ThreeTiersIT {
    private static final Path JDK = Path.of(System.getProperty("java.home"));

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void aJdkGoesThroughAllTiers(String passthrough) throws Exception {
        try (Cluster cluster = Cluster.start(3, "-passthrough", passthrough)) {
            Path written = cluster.node(1).mount().resolve("jdk");
            Shell.run(Path.of("/"), "cp", "-a", JDK.toString(), written.toString())
                    .orFail();
            Trees.assertSame(JDK, written);
            long bytes = Trees.bytes(JDK);

            ClusterNode second = cluster.node(2);
            Trees.assertSame(JDK, second.mount().resolve("jdk"));
            assertThat(second.peerBytes()).as("served by node 1").isGreaterThan(bytes * 9 / 10);
            compileAndRun(second.mount().resolve("jdk"), second.mount().resolve("work"));

            cluster.node(1).flush();
            second.flush();
            assertThat(Trees.sums(cluster.bucket().resolve("jdk"))).isEqualTo(Trees.sums(JDK));
            cluster.node(1).stop();
            second.stop();

            ClusterNode third = cluster.node(3);
            Trees.assertSame(JDK, third.mount().resolve("jdk"));
            assertThat(third.cloudBytes()).as("served by the bucket").isGreaterThan(bytes * 9 / 10);
            assertThat(third.peerBytes()).as("nobody else is there").isZero();
            compileAndRun(third.mount().resolve("jdk"), third.mount().resolve("work3"));
            assertThat(Files.readString(third.mount().resolve("work/Hello.java")))
                    .contains("class Hello");
        }
    }

    private static void compileAndRun(Path jdk, Path work) throws IOException, InterruptedException {
        assertThat(Shell.run(work.getRoot(), jdk.resolve("bin/java").toString(), "-version")
                        .orFail())
                .contains("25");
        Files.createDirectory(work);
        Files.writeString(work.resolve("Hello.java"), """
                class Hello {
                    public static void main(String[] arguments) {
                        System.out.println("hello from the mount");
                    }
                }
                """);
        Shell.run(work, jdk.resolve("bin/javac").toString(), "Hello.java").orFail();
        assertThat(Shell.run(work, jdk.resolve("bin/java").toString(), "-cp", ".", "Hello")
                        .orFail())
                .isEqualTo("hello from the mount\n");
    }

    /** What others put into the bucket is simply there, and goes on being theirs to read. */
    @Test
    void whatIsInTheBucketAppears() throws Exception {
        try (Cluster cluster = Cluster.start(1, "-bucket-refresh", "100ms")) {
            Path theirs = cluster.bucket().resolve("dir/by others");
            Files.createDirectories(theirs);
            Files.writeString(theirs.resolve("note.txt"), "from outside");
            Path mount = cluster.node(1).mount();

            assertThat(Files.readString(mount.resolve("dir/by others/note.txt")))
                    .isEqualTo("from outside");
            Files.writeString(mount.resolve("dir/by others/answer.txt"), "from inside");
            cluster.node(1).flush();
            assertThat(Files.readString(theirs.resolve("answer.txt"))).isEqualTo("from inside");
        }
    }
}
