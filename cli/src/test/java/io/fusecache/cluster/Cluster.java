package io.fusecache.cluster;

import java.io.IOException;
import java.net.BindException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;

/**
 * One coordinator and some nodes as real processes, over a folder as their bucket, on ports and in a directory of their
 * own. Closing ends them all, unmounts what is left and removes the directory.
 */
final class Cluster implements AutoCloseable {
    static final Duration UP_WITHIN = Duration.ofSeconds(60);

    /**
     * Below those that the kernel gives to outgoing connections (32768 and up), which could take the port that a killed node
     * wants back.
     */
    private static final int PORTS = 4_000;

    /** Each of the test JVMs that run side by side has its own. */
    private static final int FIRST_PORT = 20_000 + PORTS * (Integer.getInteger("fusecache.fork", 1) - 1);

    /** Begins anywhere, so that two runs on one machine hardly ever try the same one at once. */
    private static final AtomicInteger nextPort =
            new AtomicInteger(ThreadLocalRandom.current().nextInt(PORTS));

    private final HttpClient http =
            HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();
    private final Path directory;
    private final int coordinatorPort;
    private final int coordinatorGrpcPort;
    private final List<String> store;
    private final List<String> flags;
    private final List<ClusterNode> nodes = new ArrayList<>();
    private final Thread atExit = new Thread(this::killAll);
    private Daemon coordinator;

    /** @param store the flags that say which; empty for a folder of the cluster's own */
    private Cluster(List<String> store, List<String> flags) throws IOException, InterruptedException {
        Path base = Files.createDirectories(Path.of("target", "clusters").toAbsolutePath());
        this.directory = Files.createTempDirectory(base, "c");
        this.coordinatorPort = freePort();
        this.coordinatorGrpcPort = freePort();
        this.store = store.isEmpty()
                ? List.of("-cloud-provider", "file", "-file-root", bucket().toString())
                : List.copyOf(store);
        this.flags = List.copyOf(flags);
        Files.createDirectories(bucket());
        Runtime.getRuntime().addShutdownHook(atExit);
        coordinator = prepareCoordinator();
        coordinator.release();
    }

    /** @param flags of every node, beside those that make it part of this cluster */
    static Cluster start(int nodes, String... flags) throws IOException, InterruptedException {
        return startOn(List.of(), nodes, flags);
    }

    /** @param store flags that say which bucket */
    static Cluster startOn(List<String> store, int nodes, String... flags) throws IOException, InterruptedException {
        Cluster cluster = new Cluster(store, List.of(flags));
        try {
            cluster.awaitCoordinator();
            for (int i = 1; i <= nodes; i++) {
                cluster.addNode();
            }
            return cluster;
        } catch (IOException | InterruptedException | RuntimeException | AssertionError failed) {
            cluster.close();
            throw failed;
        }
    }

    /** A further node, mounted when this returns. */
    ClusterNode addNode(String... more) throws IOException, InterruptedException {
        ClusterNode node = prepareNode(more);
        node.start();
        return node;
    }

    /** A further node that is not started yet. */
    ClusterNode prepareNode(String... more) throws IOException {
        List<String> all = new ArrayList<>(flags);
        all.addAll(List.of(more));
        ClusterNode node = new ClusterNode(this, nodes.size() + 1, freePort(), all);
        nodes.add(node);
        return node;
    }

    /** What {@code bin/fusecache} says with these words, which must succeed. */
    String fusecache(String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(Daemon.command("fusecache", List.of(words)));
        Map<String, String> environment =
                Map.of("FUSECACHE_RUN_DIR", directory.resolve("run").toString());
        return Shell.run(directory, environment, command).orFail();
    }

    /** Counted from 1. */
    ClusterNode node(int number) {
        return nodes.get(number - 1);
    }

    Path directory() {
        return directory;
    }

    Path bucket() {
        return directory.resolve("bucket");
    }

    List<String> store() {
        return store;
    }

    int coordinatorPort() {
        return coordinatorPort;
    }

    int coordinatorGrpcPort() {
        return coordinatorGrpcPort;
    }

    HttpClient http() {
        return http;
    }

    Daemon coordinator() {
        return coordinator;
    }

    /** kill -9. */
    void killCoordinator() throws IOException, InterruptedException {
        Daemon next = prepareCoordinator();
        coordinator.kill();
        coordinator = next;
    }

    /** After {@link #killCoordinator}. */
    void startCoordinator() throws IOException {
        coordinator.release();
        awaitCoordinator();
    }

    private Daemon prepareCoordinator() throws IOException {
        return Daemon.prepare(
                "coordinator",
                directory,
                "coordinator",
                List.of(
                        "-port", Integer.toString(coordinatorPort),
                        "-grpc-port", Integer.toString(coordinatorGrpcPort),
                        "-data", directory.resolve("coordinator").toString()));
    }

    private void awaitCoordinator() {
        HttpRequest health = HttpRequest.newBuilder(URI.create("http://localhost:" + coordinatorPort + "/api/health"))
                .build();
        Awaitility.await("coordinator")
                .atMost(UP_WITHIN)
                .pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> {
                    if (!coordinator.alive()) {
                        throw new AssertionError("the coordinator ended: " + coordinator.output());
                    }
                    try {
                        return http.send(health, BodyHandlers.discarding()).statusCode() == 200;
                    } catch (IOException notYet) {
                        return false;
                    }
                });
    }

    /** A port that nobody listens on and that was not given out lately. */
    static int freePort() throws IOException {
        for (int tried = 0; tried < PORTS; tried++) {
            int port = FIRST_PORT + Math.floorMod(nextPort.getAndIncrement(), PORTS);
            try (ServerSocket free = new ServerSocket(port)) {
                return free.getLocalPort();
            } catch (BindException taken) {
                // The next one, then.
            }
        }
        throw new IOException("no port is free from " + FIRST_PORT + " to " + (FIRST_PORT + PORTS - 1));
    }

    @Override
    public void close() throws IOException, InterruptedException {
        try {
            for (ClusterNode node : nodes) {
                node.end();
            }
            coordinator.stop();
        } finally {
            killAll();
            http.close();
            Shell.remove(directory);
            Runtime.getRuntime().removeShutdownHook(atExit);
        }
    }

    /** What an interrupted test leaves. */
    private void killAll() {
        try {
            coordinator.kill();
            for (ClusterNode node : nodes) {
                node.remove();
            }
        } catch (IOException | InterruptedException failed) {
            throw new IllegalStateException("cleaning up " + directory, failed);
        }
    }
}
