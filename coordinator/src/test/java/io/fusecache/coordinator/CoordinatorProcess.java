package io.fusecache.coordinator;

import io.fusecache.coordinator.session.SessionLimits;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.CountDownLatch;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A coordinator in a process of its own, to be killed. */
final class CoordinatorProcess {
    private static final Logger LOG = LoggerFactory.getLogger(CoordinatorProcess.class);

    private final Process process;
    private final int grpcPort;

    private CoordinatorProcess(Process process, int grpcPort) {
        this.process = process;
        this.grpcPort = grpcPort;
    }

    public static void main(String[] arguments) throws Exception {
        CoordinatorServer server = CoordinatorServer.start(
                new CoordinatorConfiguration(
                        "127.0.0.1", 0, Integer.parseInt(arguments[1]), Path.of(arguments[0]), null),
                SessionLimits.DEFAULT);
        System.out.println("ready " + server.grpcPort());
        new CountDownLatch(1).await();
    }

    /** @param grpcPort 0 for any free one */
    static CoordinatorProcess start(Path data, int grpcPort) throws IOException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "--sun-misc-unsafe-memory-access=allow",
                        "-Dlogback.configurationFile=" + System.getProperty("logback.configurationFile", ""),
                        "-cp",
                        System.getProperty("java.class.path"),
                        CoordinatorProcess.class.getName(),
                        data.toString(),
                        Integer.toString(grpcPort))
                .redirectError(ProcessBuilder.Redirect.appendTo(new File(data + ".log")))
                .start();
        BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
            if (line.startsWith("ready ")) {
                // A full pipe would hold the process up.
                Thread.ofVirtual().start(() -> lines.lines().forEach(LOG::info));
                return new CoordinatorProcess(process, Integer.parseInt(line.substring(6)));
            }
        }
        throw new IOException("the coordinator's process ended: see " + data + ".log");
    }

    InetSocketAddress grpc() {
        return InetSocketAddress.createUnresolved("127.0.0.1", grpcPort);
    }

    int grpcPort() {
        return grpcPort;
    }

    /** SIGKILL. */
    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }
}
