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
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * Coordinators and nodes as real processes, over a bucket, on ports and in a directory of their own. Closing ends them all, unmounts
 * what is left and removes the directory.
 */
abstract class ClusterProcesses implements AutoCloseable {
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
    private final List<Integer> httpPorts = new ArrayList<>();
    private final List<Integer> grpcPorts = new ArrayList<>();
    private final List<String> store;
    private final List<String> flags;
    private final List<ClusterNode> nodes = new ArrayList<>();
    private final Thread atExit = new Thread(this::killAll);

    /** By their number, from 0: those that run, or are to be released. */
    private final List<Daemon> coordinators = new ArrayList<>();

    /**
     * @param coordinators so many
     * @param store the flags that say which; empty for a folder of the cluster's own
     * @param flags of every node, beside those that make it part of this cluster
     */
    ClusterProcesses(int coordinators, List<String> store, List<String> flags) throws IOException {
        Path base = Files.createDirectories(Path.of("target", "clusters").toAbsolutePath());
        this.directory = Files.createTempDirectory(base, "c");
        for (int i = 0; i < coordinators; i++) {
            httpPorts.add(freePort());
            grpcPorts.add(freePort());
        }
        this.store = store.isEmpty()
                ? List.of("-cloud-provider", "file", "-file-root", bucket().toString())
                : List.copyOf(store);
        this.flags = List.copyOf(flags);
        Files.createDirectories(bucket());
        Runtime.getRuntime().addShutdownHook(atExit);
    }

    /** Starts the coordinators and, once they are up, so many nodes; closes all of it where that fails. */
    final void begin(int nodeCount) throws IOException, InterruptedException {
        try {
            for (int i = 0; i < httpPorts.size(); i++) {
                coordinators.add(prepareCoordinator(i));
                coordinators.get(i).release();
            }
            for (int i = 0; i < httpPorts.size(); i++) {
                awaitCoordinator(i);
            }
            for (int i = 1; i <= nodeCount; i++) {
                addNode();
            }
        } catch (IOException | InterruptedException | RuntimeException | AssertionError failed) {
            close();
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

    final int httpPort(int coordinator) {
        return httpPorts.get(coordinator);
    }

    final int grpcPort(int coordinator) {
        return grpcPorts.get(coordinator);
    }

    /** Of all coordinators, as a node is told. */
    final String httpAddresses() {
        return addresses(httpPorts);
    }

    final String grpcAddresses() {
        return addresses(grpcPorts);
    }

    private static String addresses(List<Integer> ports) {
        return ports.stream().map(port -> "localhost:" + port).collect(Collectors.joining(","));
    }

    HttpClient http() {
        return http;
    }

    final Daemon coordinator(int number) {
        return coordinators.get(number);
    }

    /** kill -9. What comes after it is prepared before: see {@link Daemon#prepare}. */
    final void killCoordinator(int number) throws IOException, InterruptedException {
        Daemon next = prepareCoordinator(number);
        coordinators.get(number).kill();
        coordinators.set(number, next);
    }

    /** SIGTERM, which has to end it cleanly. */
    final void stopCoordinator(int number) throws IOException, InterruptedException {
        Daemon ended = coordinators.get(number);
        coordinators.set(number, prepareCoordinator(number));
        int status = ended.stop();
        if (status != 0) {
            throw new AssertionError("the coordinator ended with " + status + ": " + ended.output());
        }
    }

    /** After {@link #killCoordinator} or {@link #stopCoordinator}. */
    final void startCoordinator(int number) throws IOException {
        coordinators.get(number).release();
        awaitCoordinator(number);
    }

    private Daemon prepareCoordinator(int number) throws IOException {
        String name = "coordinator" + (httpPorts.size() == 1 ? "" : number);
        List<String> arguments = new ArrayList<>(List.of(
                "-port", Integer.toString(httpPort(number)),
                "-grpc-port", Integer.toString(grpcPort(number)),
                "-data", directory.resolve(name).toString()));
        arguments.addAll(coordinatorFlags(number));
        return Daemon.prepare(name, directory, "coordinator", arguments);
    }

    /** What a coordinator is told beside its ports and its folder. */
    abstract List<String> coordinatorFlags(int number);

    private void awaitCoordinator(int number) {
        HttpRequest health = HttpRequest.newBuilder(URI.create("http://localhost:" + httpPort(number) + "/api/health"))
                .build();
        Daemon coordinator = coordinators.get(number);
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
            for (Daemon coordinator : coordinators) {
                coordinator.stop();
            }
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
            for (Daemon coordinator : coordinators) {
                coordinator.kill();
            }
            for (ClusterNode node : nodes) {
                node.remove();
            }
        } catch (IOException | InterruptedException failed) {
            throw new IllegalStateException("cleaning up " + directory, failed);
        }
    }
}
