package io.fusecache.cluster;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** One node of a cluster. */
final class ClusterNode {
    private static final JsonMapper JSON = new JsonMapper();

    private final ClusterProcesses cluster;
    private final int number;
    private final int port;
    private final List<String> flags;
    private @Nullable Daemon daemon;

    ClusterNode(ClusterProcesses cluster, int number, int port, List<String> flags) throws IOException {
        this.cluster = cluster;
        this.number = number;
        this.port = port;
        this.flags = List.copyOf(flags);
        Files.createDirectories(mount());
    }

    Path mount() {
        return cluster.directory().resolve("mnt" + number);
    }

    Path cache() {
        return cluster.directory().resolve("nvme" + number);
    }

    int port() {
        return port;
    }

    Daemon daemon() {
        return Objects.requireNonNull(daemon, "not started");
    }

    void start() throws IOException, InterruptedException {
        launch().awaitReady();
    }

    Daemon launch() throws IOException {
        Daemon started = Daemon.start(
                "node" + number, cluster.directory(), "client", arguments(), line -> line.contains(" is mounted at "));
        daemon = started;
        return started;
    }

    List<String> arguments() {
        List<String> arguments = new ArrayList<>(List.of(
                "-mount",
                mount().toString(),
                "-nvme",
                cache().toString(),
                "-peer-id",
                "node" + number,
                "-port",
                Integer.toString(port),
                "-listen",
                "127.0.0.1",
                "-coordinator",
                cluster.httpAddresses(),
                "-coordinator-grpc",
                cluster.grpcAddresses()));
        arguments.addAll(cluster.store());
        arguments.addAll(flags);
        return arguments;
    }

    /** A clean stop. */
    void stop() throws InterruptedException {
        int status = daemon().stop();
        if (status != 0) {
            throw new AssertionError("node" + number + " ended with " + status + ": " + daemon().output());
        }
    }

    /** kill -9, and what the user has to do then. */
    void kill() throws IOException, InterruptedException {
        daemon().kill();
        detach();
    }

    void end() throws InterruptedException {
        if (daemon != null && daemon.alive()) {
            daemon.stop();
        }
    }

    void remove() throws IOException, InterruptedException {
        if (daemon != null) {
            daemon.kill();
        }
        detach();
    }

    private void detach() throws IOException, InterruptedException {
        while (mounted()) {
            Shell.run(Path.of("/"), "umount", "-l", mount().toString()).orFail();
        }
    }

    boolean mountedByFuse() throws IOException {
        String point = " " + mount() + " ";
        return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream()
                .anyMatch(line -> line.contains(point) && line.contains(" - fuse."));
    }

    boolean mounted() throws IOException {
        String point = " " + mount() + " ";
        return Files.readAllLines(Path.of("/proc/self/mountinfo")).stream().anyMatch(line -> line.contains(point));
    }

    /** Waits until everything is in the bucket. */
    void flush() throws IOException, InterruptedException {
        JsonNode uploads;
        int rounds = 0;
        do {
            uploads = post("/api/flush?timeout_seconds=30");
            rounds++;
        } while (uploads.at("/pending_files").asLong() > 0 && rounds < 6);
        if (uploads.at("/pending_files").asLong() > 0) {
            throw new AssertionError("node" + number + " still has to upload: " + uploads + "\n" + daemon().output());
        }
    }

    JsonNode get(String path) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(uri(path)).build());
    }

    JsonNode post(String path) throws IOException, InterruptedException {
        return send(
                HttpRequest.newBuilder(uri(path)).POST(BodyPublishers.noBody()).build());
    }

    URI uri(String path) {
        return URI.create("http://localhost:" + port + path);
    }

    private JsonNode send(HttpRequest request) throws IOException, InterruptedException {
        HttpResponse<String> reply = cluster.http().send(request, BodyHandlers.ofString());
        if (reply.statusCode() != 200) {
            throw new AssertionError(request + ": " + reply.statusCode() + " " + reply.body());
        }
        return JSON.readTree(reply.body());
    }

    /** A count of {@code GET /api/cache/stats}, by its JSON pointer. */
    long stat(String pointer) throws IOException, InterruptedException {
        return get("/api/cache/stats").at(pointer).asLong();
    }

    /** How often the kernel had to drop all names of the mount. */
    long namesDropped() throws IOException, InterruptedException {
        HttpRequest metrics = HttpRequest.newBuilder(uri("/metrics")).build();
        String figure = "fuse_kernel_names_dropped_total ";
        return cluster.http()
                .send(metrics, BodyHandlers.ofString())
                .body()
                .lines()
                .filter(line -> line.startsWith(figure))
                .mapToLong(line -> (long) Double.parseDouble(line.substring(figure.length())))
                .findFirst()
                .orElseThrow();
    }

    long peerBytes() throws IOException, InterruptedException {
        return stat("/reads/peer/bytes");
    }

    long cloudBytes() throws IOException, InterruptedException {
        return stat("/reads/cloud/bytes");
    }
}
