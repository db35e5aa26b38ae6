package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The program as a process: its start line, its refusals, its end. */
final class CoordinatorIT {
    private static final Pattern SERVES =
            Pattern.compile(".* serves: listen=127.0.0.1 port=(\\d+) grpc-port=(\\d+) .*");

    @TempDir
    private Path folder;

    private static Process program(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                "io.fusecache.cli.Coordinator"));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().keySet().removeIf(name -> name.startsWith("COORDINATOR_") || name.startsWith("FUSE_"));
        return builder.start();
    }

    private Process server(int port) throws IOException {
        return program(
                "-listen",
                "127.0.0.1",
                "-port",
                Integer.toString(port),
                "--grpc-port",
                "0",
                "-data",
                folder.resolve("data").toString());
    }

    private static BufferedReader lines(Process process) {
        return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    private static int end(Process process) throws InterruptedException {
        assertThat(process.waitFor(20, TimeUnit.SECONDS)).isTrue();
        return process.exitValue();
    }

    @Test
    void itSaysHowItRunsRefusesASecondOfItselfAndEndsWithASignal() throws Exception {
        Process first = server(0);
        BufferedReader said = lines(first);
        Matcher line = SERVES.matcher(said.readLine());
        assertThat(line.matches()).isTrue();
        assertThat(line.group()).contains("api-key off", "replication off", "memory: heap");

        Process samePort = server(Integer.parseInt(line.group(1)));
        assertThat(lines(samePort).lines()).singleElement().asString().contains("is in use", "-port");
        assertThat(end(samePort)).isEqualTo(ExitStatus.FAILURE);

        Process sameFolder = server(0);
        assertThat(lines(sameFolder).lines())
                .singleElement()
                .asString()
                .contains(folder.resolve("data").toString());
        assertThat(end(sameFolder)).isEqualTo(ExitStatus.FAILURE);

        // By its handle: Process.destroy would close the pipe as well.
        assertThat(first.toHandle().destroy()).isTrue();
        assertThat(end(first)).isEqualTo(ExitStatus.DONE);
        assertThat(said.lines()).singleElement().asString().contains("coordinator stopped");
    }
}
