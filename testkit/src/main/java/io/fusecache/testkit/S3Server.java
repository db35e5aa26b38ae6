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

/**
 * S3Proxy over a folder, in a process of its own on a port of loopback: an S3 server that checks signatures, checksums and
 * conditions. The module {@code stores} has its libraries.
 */
public final class S3Server implements AutoCloseable {
    public static final String ACCESS_KEY = "test-key";
    public static final String SECRET_KEY = "test-secret";

    /** What its server says when it listens; the port is the system's choice. */
    private static final Pattern LISTENS = Pattern.compile("Started .*ServerConnector.*\\{127\\.0\\.0\\.1:(\\d+)}");

    private static final int UP_SECONDS = 60;

    private final Process process;
    private final URI endpoint;
    private final Thread atExit;

    private S3Server(Process process, URI endpoint, Thread atExit) {
        this.process = process;
        this.endpoint = endpoint;
        this.atExit = atExit;
    }

    /**
     * @param folder where it keeps its buckets
     * @param buckets that are there from the beginning
     */
    public static S3Server start(Path folder, String... buckets) throws IOException, InterruptedException {
        Files.createDirectories(folder.resolve("buckets"));
        for (String bucket : buckets) {
            Files.createDirectories(folder.resolve("buckets").resolve(bucket));
        }
        Path configuration = folder.resolve("s3proxy.properties");
        Files.writeString(configuration, """
                s3proxy.endpoint=http://127.0.0.1:0
                s3proxy.authorization=aws-v2-or-v4
                s3proxy.identity=%s
                s3proxy.credential=%s
                jclouds.provider=filesystem-nio2
                jclouds.filesystem.basedir=%s
                """.formatted(ACCESS_KEY, SECRET_KEY, folder.resolve("buckets")));
        Path logging = folder.resolve("logback.xml");
        Files.writeString(logging, """
                <configuration>
                  <appender name="out" class="ch.qos.logback.core.ConsoleAppender">
                    <encoder><pattern>%level %logger %msg%n</pattern></encoder>
                  </appender>
                  <root level="INFO"><appender-ref ref="out"/></root>
                </configuration>
                """);
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-Dlogback.configurationFile=" + logging,
                        "-cp",
                        libraries() + "/*",
                        "org.gaul.s3proxy.Main",
                        "--properties",
                        configuration.toString()))
                .redirectErrorStream(true)
                .start();
        Thread atExit = new Thread(process::destroyForcibly);
        Runtime.getRuntime().addShutdownHook(atExit);
        CompletableFuture<URI> endpoint = new CompletableFuture<>();
        StringBuilder said = new StringBuilder();
        Thread.ofPlatform().daemon().name("s3proxy-output").start(() -> listen(process, said, endpoint));
        try {
            return new S3Server(process, endpoint.get(UP_SECONDS, TimeUnit.SECONDS), atExit);
        } catch (ExecutionException | TimeoutException e) {
            process.destroyForcibly();
            synchronized (said) {
                throw new IOException("S3Proxy did not start: " + said, e);
            }
        }
    }

    private static Path libraries() {
        Path beside =
                Path.of("..", "stores", "target", "s3proxy").toAbsolutePath().normalize();
        if (!Files.isDirectory(beside)) {
            throw new IllegalStateException(beside + " is missing: the module 'stores' makes it");
        }
        return beside;
    }

    /** To the end of its output, so that it never waits for a reader. */
    private static void listen(Process process, StringBuilder said, CompletableFuture<URI> endpoint) {
        try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                synchronized (said) {
                    if (said.length() < 100_000) {
                        said.append(line).append('\n');
                    }
                }
                Matcher listens = LISTENS.matcher(line);
                if (listens.find()) {
                    endpoint.complete(URI.create("http://127.0.0.1:" + listens.group(1)));
                }
            }
            endpoint.completeExceptionally(new IOException("it ended"));
        } catch (IOException e) {
            endpoint.completeExceptionally(new UncheckedIOException(e));
        }
    }

    public URI endpoint() {
        return endpoint;
    }

    @Override
    public void close() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor();
        Runtime.getRuntime().removeShutdownHook(atExit);
    }
}
