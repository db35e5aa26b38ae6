package io.fusecache.testkit;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A server of somebody else's in a process of its own, on a port of loopback that is the system's choice. */
final class ServerProcess implements AutoCloseable {
    private static final int UP_SECONDS = 120;
    private static final int KEPT_CHARS = 100_000;

    private final Process process;
    private final Thread atExit;
    private final StringBuilder said = new StringBuilder();
    private final CompletableFuture<URI> endpoint = new CompletableFuture<>();

    private ServerProcess(Process process) {
        this.process = process;
        this.atExit = new Thread(process::destroyForcibly);
    }

    /** @param listens a line that it prints once it listens, with the port as its first group */
    static ServerProcess start(String name, List<String> command, Pattern listens)
            throws IOException, InterruptedException {
        ServerProcess server = new ServerProcess(
                new ProcessBuilder(command).redirectErrorStream(true).start());
        Runtime.getRuntime().addShutdownHook(server.atExit);
        Thread.ofPlatform().daemon().name(name + "-output").start(() -> server.listen(listens));
        try {
            server.endpoint.get(UP_SECONDS, TimeUnit.SECONDS);
            return server;
        } catch (ExecutionException | TimeoutException failed) {
            server.close();
            throw new IOException(name + " did not start: " + server.output(), failed);
        }
    }

    /** @param place where the modules below {@code stores} have put a server */
    static Path installed(String place) {
        Path beside = Path.of("..", "stores", place).toAbsolutePath().normalize();
        if (!Files.isDirectory(beside)) {
            throw new IllegalStateException(beside + " is missing: the modules below 'stores' make it");
        }
        return beside;
    }

    /** To the end of its output, so that it never waits for a reader. */
    private void listen(Pattern listens) {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                synchronized (said) {
                    if (said.length() < KEPT_CHARS) {
                        said.append(line).append('\n');
                    }
                }
                Matcher matcher = listens.matcher(line);
                if (matcher.find()) {
                    endpoint.complete(URI.create("http://127.0.0.1:" + matcher.group(1)));
                }
            }
            endpoint.completeExceptionally(new IOException("it ended"));
        } catch (IOException broken) {
            endpoint.completeExceptionally(new UncheckedIOException(broken));
        }
    }

    private String output() {
        synchronized (said) {
            return said.toString();
        }
    }

    URI endpoint() {
        return endpoint.join();
    }

    @Override
    public void close() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
        Runtime.getRuntime().removeShutdownHook(atExit);
    }
}
