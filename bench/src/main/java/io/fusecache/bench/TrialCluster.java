package io.fusecache.bench;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A coordinator and one client of our own, started for a bench by the programs that a user starts, over a folder as
 * their bucket. Everything lies in one folder; the caller removes it after {@link #close}.
 */
final class TrialCluster implements AutoCloseable {
    private static final Duration START_BOUND = Duration.ofSeconds(30);
    private static final Duration STOP_BOUND = Duration.ofSeconds(60);
    private static final Duration UPLOAD_BOUND = Duration.ofSeconds(60);
    private static final long POLL_NANOS = 500_000;

    private final Path programs;
    private final Path folder;
    private final List<String> bucket;
    private final int coordinatorPort = freePort();
    private final int coordinatorGrpcPort = freePort();
    private final int clientPort = freePort();
    private final Process coordinator;
    private @Nullable Process client;

    /**
     * Starts the coordinator and waits until it answers.
     *
     * @param programs the folder of {@code client} and {@code coordinator}
     * @param folder an empty one, on the disk to be measured
     */
    TrialCluster(Path programs, Path folder) throws IOException, InterruptedException {
        this(
                programs,
                folder,
                List.of(
                        "-cloud-provider",
                        "file",
                        "-file-root",
                        folder.resolve("bucket").toString()));
    }

    /** @param bucket the flags by which its clients find theirs; keys and endpoints come from the environment */
    TrialCluster(Path programs, Path folder, List<String> bucket) throws IOException, InterruptedException {
        this.programs = programs;
        this.folder = folder;
        this.bucket = List.copyOf(bucket);
        for (Path needed : List.of(mount(), folder.resolve("nvme"), folder.resolve("bucket"))) {
            Files.createDirectories(needed);
        }
        coordinator = start(
                "coordinator",
                List.of(
                        "-port", Integer.toString(coordinatorPort),
                        "-grpc-port", Integer.toString(coordinatorGrpcPort),
                        "-data", folder.resolve("coordinator").toString()));
        try {
            await(coordinator, "coordinator", this::coordinatorAnswers);
        } catch (IOException | InterruptedException e) {
            stop(coordinator);
            throw e;
        }
    }

    Path mount() {
        return folder.resolve("mnt");
    }

    /** @return the time from the start of the program to the first answer of its mount */
    Duration startClient() throws IOException, InterruptedException {
        Stopwatch watch = new Stopwatch();
        List<String> arguments = new ArrayList<>(bucket);
        arguments.addAll(List.of(
                "-mount", mount().toString(),
                "-nvme", folder.resolve("nvme").toString(),
                "-port", Integer.toString(clientPort),
                "-grpc-port", Integer.toString(freePort()),
                "-coordinator", "localhost:" + coordinatorPort,
                "-coordinator-grpc", "localhost:" + coordinatorGrpcPort));
        Process started = start("client", arguments);
        client = started;
        await(started, "client", this::mounted);
        Files.getLastModifiedTime(mount());
        return watch.elapsed();
    }

    /** Starts it anew, as a node that has nothing in its cache. */
    void restartEmpty() throws IOException, InterruptedException {
        stopClient();
        Path nvme = folder.resolve("nvme");
        new Scratch(nvme).close();
        Files.createDirectories(nvme);
        startClient();
    }

    /** What a counter of the client's stands at. */
    double clientCounter(String name) throws IOException {
        URI uri = URI.create("http://localhost:" + clientPort + "/metrics");
        try (InputStream body = uri.toURL().openStream()) {
            for (String line : new String(body.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
                if (line.startsWith(name + " ")) {
                    return Double.parseDouble(line.substring(name.length() + 1));
                }
            }
        }
        throw new IOException(uri + " has no " + name);
    }

    /** Ends it as a user would, by a signal, and waits until it is gone. */
    void stopClient() throws IOException, InterruptedException {
        Process running = client;
        if (running != null) {
            client = null;
            stop(running);
        }
    }

    /** Waits until everything written is in the bucket, so that no upload disturbs what is measured next. */
    void flush() throws IOException {
        URI uri =
                URI.create("http://localhost:" + clientPort + "/api/flush?timeout_seconds=" + UPLOAD_BOUND.toSeconds());
        HttpURLConnection connection = (HttpURLConnection) uri.toURL().openConnection();
        connection.setRequestMethod("POST");
        connection.setReadTimeout(Math.toIntExact(UPLOAD_BOUND.plusSeconds(5).toMillis()));
        if (connection.getResponseCode() != 200) {
            throw new IOException("the client answered " + connection.getResponseCode() + " to " + uri);
        }
        try (InputStream body = connection.getInputStream()) {
            String uploads = new String(body.readAllBytes(), StandardCharsets.UTF_8);
            if (!uploads.matches("(?s).*\"pending_files\"\\s*:\\s*0\\D.*")) {
                throw new IOException("uploads are still pending after " + UPLOAD_BOUND.toSeconds() + " s: " + uploads);
            }
        }
    }

    /** @return the most memory that the client has had resident so far */
    double clientPeakMebibytes() throws IOException {
        Process running = client;
        if (running == null) {
            throw new IllegalStateException("no client runs");
        }
        return peakMebibytes(running);
    }

    /** @return the most memory that the coordinator has had resident so far */
    double coordinatorPeakMebibytes() throws IOException {
        return peakMebibytes(coordinator);
    }

    @Override
    public void close() throws IOException, InterruptedException {
        try {
            stopClient();
        } finally {
            stop(coordinator);
        }
    }

    private Process start(String program, List<String> arguments) throws IOException {
        ProcessBuilder builder = new ProcessBuilder(programs.resolve(program).toString());
        builder.command().addAll(arguments);
        return builder.redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(log(program).toFile()))
                .start();
    }

    private Path log(String program) {
        return folder.resolve(program + ".log");
    }

    /** Neither a mount nor a listening socket of another process can be waited for, so this looks every half millisecond. */
    private void await(Process process, String program, Condition condition) throws IOException, InterruptedException {
        Stopwatch watch = new Stopwatch();
        while (!condition.holds()) {
            if (!process.isAlive()) {
                throw new IOException(program + " ended with status " + process.exitValue() + " before it was ready: "
                        + lastWords(program));
            }
            if (watch.elapsed().compareTo(START_BOUND) > 0) {
                throw new IOException(
                        program + " was not ready within " + START_BOUND.toSeconds() + " s: " + lastWords(program));
            }
            LockSupport.parkNanos(POLL_NANOS);
            if (Thread.interrupted()) {
                throw new InterruptedException();
            }
        }
    }

    private String lastWords(String program) throws IOException {
        List<String> lines = Files.readAllLines(log(program));
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
    }

    private boolean mounted() throws IOException {
        return Files.readString(Path.of("/proc/self/mounts")).contains(" " + mount() + " fuse");
    }

    private boolean coordinatorAnswers() {
        try {
            URI uri = URI.create("http://localhost:" + coordinatorPort + "/api/health");
            return ((HttpURLConnection) uri.toURL().openConnection()).getResponseCode() == 200;
        } catch (IOException notYet) {
            return false;
        }
    }

    private static void stop(Process process) throws IOException, InterruptedException {
        process.destroy();
        if (!process.waitFor(STOP_BOUND.toSeconds(), TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            throw new IOException("process " + process.pid() + " did not stop within " + STOP_BOUND.toSeconds() + " s");
        }
    }

    private static double peakMebibytes(Process process) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
            if (line.startsWith("VmHWM:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
            }
        }
        throw new IOException("/proc/" + process.pid() + "/status has no VmHWM");
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            return socket.getLocalPort();
        }
    }

    @FunctionalInterface
    private interface Condition {
        boolean holds() throws IOException;
    }
}
