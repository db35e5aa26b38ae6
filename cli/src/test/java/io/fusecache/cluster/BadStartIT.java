package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.StateStore;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What cannot work ends with one line that names the thing and the way out, and leaves nothing half-started. */
final class BadStartIT {
    private static Cluster cluster;
    private ClusterNode node;

    @BeforeAll
    static void startCoordinator() throws Exception {
        cluster = Cluster.start(0);
    }

    @AfterAll
    static void stopCoordinator() throws Exception {
        cluster.close();
    }

    @BeforeEach
    void prepareNode() throws Exception {
        node = cluster.prepareNode("-mount-retries", "0");
    }

    @Test
    void theMountPointDoesNotExist() throws Exception {
        Files.delete(node.mount());

        fails(1, "mount point " + node.mount() + " does not exist: mkdir -p");
        assertThat(node.mount()).doesNotExist();
    }

    @Test
    void theMountPointIsNotEmpty() throws Exception {
        Files.writeString(node.mount().resolve("precious"), "bytes");

        fails(1, "mount point " + node.mount() + " is not empty (it holds precious)");
        assertThat(node.mount().resolve("precious")).hasContent("bytes");
    }

    @Test
    void theMountPointIsMountedAlready() throws Exception {
        asRoot("mount", "-t", "tmpfs", "none", node.mount().toString());
        try {
            fails(1, "mount point " + node.mount() + " is mounted already");
        } finally {
            asRoot("umount", node.mount().toString());
        }
    }

    @Test
    void theCacheIsReadOnly() throws Exception {
        Files.createDirectories(node.cache());
        asRoot("mount", "-t", "tmpfs", "-o", "ro", "none", node.cache().toString());
        try {
            fails(1, node.cache().toString(), "-nvme");
        } finally {
            asRoot("umount", node.cache().toString());
        }
    }

    @Test
    void theCacheIsFull() throws Exception {
        Files.createDirectories(node.cache());
        asRoot("mount", "-t", "tmpfs", "-o", "size=64k", "none", node.cache().toString());
        try {
            asRoot("sh", "-c", "cat /dev/zero > " + node.cache() + "/filler 2>/dev/null; true");
            fails(1, node.cache().toString());
        } finally {
            asRoot("umount", node.cache().toString());
        }
    }

    @Test
    void theCacheBelongsToAnotherMount() throws Exception {
        node.start();
        ClusterNode second = cluster.prepareNode("-mount-retries", "0");
        List<String> arguments = new java.util.ArrayList<>(second.arguments());
        arguments.set(arguments.indexOf(second.cache().toString()), node.cache().toString());

        failsWith(second, arguments, 1, node.cache().toString(), "-nvme");
        Files.writeString(node.mount().resolve("still"), "alive");
        node.stop();
    }

    @Test
    void theCoordinatorIsNotThere() throws Exception {
        int nobody = Cluster.freePort();
        List<String> arguments = new java.util.ArrayList<>(node.arguments());
        arguments.set(arguments.indexOf("-coordinator-grpc") + 1, "localhost:" + nobody);
        arguments.addAll(List.of("-coordinator-timeout", "2s"));

        failsWith(node, arguments, 1, "coordinator", "localhost:" + nobody, "-coordinator");
    }

    @Test
    void theCoordinatorIsStartedAfterTheNode() throws Exception {
        ClusterNode early = cluster.prepareNode("-mount-retries", "90", "-mount-retry-delay-sec", "1");
        cluster.killCoordinator();
        Daemon started = early.launch();
        Awaitility.await()
                .atMost(Duration.ofMinutes(1))
                .until(() -> started.output().contains("start bin/coordinator there"));
        cluster.startCoordinator();
        started.awaitReady();
        assertThat(early.mountedByFuse()).isTrue();
        assertThat(started.output().lines().filter(line -> line.contains("Connection refused")))
                .hasSize(1);
        early.stop();
    }

    @Test
    void theCoordinatorsStateIsOfANewerRelease() throws Exception {
        Path data = Files.createTempDirectory(cluster.directory(), "newer");
        try (StateStore store = StateStore.open(data)) {
            store.write(
                    List.of(Map.entry(Keys.format(), "fuse-cache coordinator 7".getBytes(StandardCharsets.US_ASCII))));
        }
        List<String> arguments = List.of("-port", "0", "-grpc-port", "0", "-data", data.toString());
        Shell.Outcome outcome = Shell.run(cluster.directory(), Map.of(), Daemon.command("coordinator", arguments));

        assertThat(outcome.output().lines())
                .singleElement()
                .asString()
                .startsWith("coordinator: data directory " + data + " has the format 'fuse-cache coordinator 7'");
        assertThat(outcome.status()).isEqualTo(1);
    }

    @Test
    void whatAnswersIsNoCoordinator() throws Exception {
        List<String> arguments = new java.util.ArrayList<>(node.arguments());
        String http = "localhost:" + cluster.coordinatorPort();
        arguments.set(arguments.indexOf("-coordinator-grpc") + 1, http);

        failsWith(node, arguments, 1, http, "-coordinator-grpc");
    }

    @Test
    void theBucketIsNotThere() throws Exception {
        List<String> arguments = new java.util.ArrayList<>(node.arguments());
        Path nowhere = cluster.directory().resolve("nowhere");
        arguments.set(arguments.indexOf("-file-root") + 1, nowhere.toString());

        failsWith(node, arguments, 1, "bucket folder " + nowhere + " does not exist", "-file-root");
    }

    @Test
    void thePortIsInUse() throws Exception {
        try (ServerSocket taken = new ServerSocket(node.port())) {
            fails(1, "port " + taken.getLocalPort() + " of 127.0.0.1 is in use", "-port");
        }
    }

    @Test
    void aFlagIsUnknown() throws Exception {
        List<String> arguments = new java.util.ArrayList<>(node.arguments());
        arguments.add("-frobnicate");

        failsWith(node, arguments, 2, "unknown flag '-frobnicate'", "-help");
    }

    @Test
    void flagsContradict() throws Exception {
        List<String> arguments = new java.util.ArrayList<>(node.arguments());
        arguments.addAll(List.of("-s3-bucket", "elsewhere"));

        failsWith(node, arguments, 2, "-s3-bucket contradicts cloud provider file");
    }

    @Test
    void passthroughIsWantedWhereItCannotBe() throws Exception {
        Files.createDirectories(node.cache());
        asRoot(
                "mkdir",
                "-p",
                cluster.directory() + "/lower",
                cluster.directory() + "/upper",
                cluster.directory() + "/work");
        asRoot(
                "mount",
                "-t",
                "overlay",
                "-o",
                "lowerdir=%1$s/lower,upperdir=%1$s/upper,workdir=%1$s/work".formatted(cluster.directory()),
                "none",
                node.cache().toString());
        try {
            List<String> arguments = new java.util.ArrayList<>(node.arguments());
            arguments.addAll(List.of("-passthrough", "on"));
            failsWith(node, arguments, 1, "passthrough");
        } finally {
            asRoot("umount", node.cache().toString());
        }
    }

    private void fails(int status, String... parts) throws IOException, InterruptedException {
        failsWith(node, node.arguments(), status, parts);
    }

    private static void failsWith(ClusterNode node, List<String> arguments, int status, String... parts)
            throws IOException, InterruptedException {
        Shell.Outcome outcome = Shell.run(cluster.directory(), java.util.Map.of(), Daemon.command("client", arguments));

        assertThat(outcome.output()).contains(parts);
        assertThat(outcome.status()).as(outcome.output()).isEqualTo(status);
        assertThat(outcome.output().lines().filter(line -> line.startsWith("client: ")))
                .as(outcome.output())
                .hasSize(1);
        assertThat(node.mountedByFuse()).as("left mounted").isFalse();
        assertThat(outcome.output()).as("no stack trace").doesNotContain("\tat ");
    }

    private static void asRoot(String... command) throws IOException, InterruptedException {
        assumeThat(System.getProperty("user.name")).as("needs root").isEqualTo("root");
        Shell.run(Path.of("/"), command).orFail();
    }
}
