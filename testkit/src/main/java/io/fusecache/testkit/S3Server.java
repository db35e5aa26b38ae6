package io.fusecache.testkit;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

    private final ServerProcess process;

    private S3Server(ServerProcess process) {
        this.process = process;
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
        return new S3Server(ServerProcess.start(
                "s3proxy",
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-Dlogback.configurationFile=" + logging,
                        "-cp",
                        ServerProcess.installed("target/s3proxy") + "/*",
                        "org.gaul.s3proxy.Main",
                        "--properties",
                        configuration.toString()),
                LISTENS));
    }

    public URI endpoint() {
        return process.endpoint();
    }

    @Override
    public void close() throws InterruptedException {
        process.close();
    }
}
