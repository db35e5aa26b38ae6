package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.client.settings.UsageException;
import io.fusecache.coordinator.CoordinatorConfiguration;
import io.fusecache.coordinator.raft.ReplicaGroup;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CoordinatorFlagsTest {
    @TempDir
    private Path folder;

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    private static CoordinatorConfiguration read(Map<String, String> environment, String... arguments)
            throws UsageException {
        return CoordinatorFlags.read(CoordinatorFlags.parse(arguments), environment);
    }

    private static CoordinatorConfiguration configuration(Map<String, String> environment, String... arguments)
            throws UsageException {
        return read(environment, arguments);
    }

    @Test
    void defaultsAreThoseOfTheInterfaces() throws Exception {
        assertThat(configuration(Map.of()))
                .isEqualTo(new CoordinatorConfiguration("0.0.0.0", 8080, 9080, Path.of("/tmp/fuse-coordinator"), null));
    }

    @Test
    void aFlagBeatsItsVariableWhichBeatsTheFile() throws Exception {
        Path file = Files.writeString(folder.resolve("c"), "port = 1\ngrpc-port = 2\napi-key = k\n");
        Map<String, String> environment =
                Map.of("COORDINATOR_CONFIG", file.toString(), "COORDINATOR_GRPC_PORT", "3", "COORDINATOR_PORT", "4");

        assertThat(configuration(environment, "--port", "5", "-data", "x"))
                .isEqualTo(new CoordinatorConfiguration(
                        "0.0.0.0", 5, 3, Path.of("x").toAbsolutePath(), "k"));
        assertThat(configuration(Map.of("FUSE_API_KEY", "s"), "-config", file.toString()))
                .returns(1, CoordinatorConfiguration::port)
                .returns("s", CoordinatorConfiguration::apiKey);
    }

    @Test
    void removedFilesAreKeptForDaysOrAsItWasSetLast() throws Exception {
        assertThat(configuration(Map.of()).trashKeep()).isNull();
        assertThat(configuration(Map.of(), "-trash-keep", "7d").trashKeep()).isEqualTo(Duration.ofDays(7));
        assertThat(configuration(Map.of("COORDINATOR_TRASH_KEEP", "0")).trashKeep())
                .isEqualTo(Duration.ZERO);
    }

    @Test
    void whatKubernetesCallsCoordinatorPortIsNotOurs() throws Exception {
        assertThat(configuration(Map.of("COORDINATOR_PORT", "tcp://10.0.0.1:8080"))
                        .port())
                .isEqualTo(8080);
    }

    @Test
    void whatIsWrongIsNamedWithItsOrigin() throws Exception {
        Path file = Files.writeString(folder.resolve("c"), "colour = red\n");

        wrong("-port", Map.of(), "-port", "70000");
        wrong("such as 7d", Map.of(), "-trash-keep", "a week");
        wrong("COORDINATOR_PORT", Map.of("COORDINATOR_PORT", "x"));
        wrong("both 9080", Map.of(), "-port", "9080");
        wrong("'-colour'", Map.of(), "-colour", "red");
        wrong("unexpected word 'start'", Map.of(), "start");
        wrong("colour", Map.of(), "-config", file.toString());
        wrong("cannot be read", Map.of(), "-config", folder.resolve("none").toString());
        wrong("go together", Map.of(), "-raft-id", "a");
        wrong("none of the members", Map.of(), "-raft-id", "a", "-raft-peers", "b=h:1");
        wrong("member 'a' twice", Map.of(), "-raft-id", "a", "-raft-peers", "a=h:1,a=h:2");
        wrong("ID=HOST:PORT", Map.of(), "-raft-id", "a", "-raft-peers", "a=h");
    }

    private static void wrong(String naming, Map<String, String> environment, String... arguments) {
        assertThatThrownBy(() -> read(environment, arguments))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining(naming)
                .message()
                .doesNotContain("\n");
    }

    @Test
    void membersOfAReplicaGroupAreNamed() throws Exception {
        assertThat(read(Map.of(), "-raft-id", "a", "-raft-peers", "a=h:1").replicas())
                .isNull();
        assertThat(read(Map.of(), "-raft-id", "a", "-raft-peers", "a=h:1,b=i:2").replicas())
                .isEqualTo(new ReplicaGroup(
                        "a",
                        Map.of(
                                "a", new ReplicaGroup.Member("h", 1, 9080, 8080),
                                "b", new ReplicaGroup.Member("i", 2, 9080, 8080))));
        assertThat(read(Map.of(), "-raft-id", "b", "-raft-peers", "a=h:1:2:3,b=[::1]:4:9080:8080")
                        .replicas())
                .isEqualTo(new ReplicaGroup(
                        "b",
                        Map.of(
                                "a", new ReplicaGroup.Member("h", 1, 2, 3),
                                "b", new ReplicaGroup.Member("::1", 4, 9080, 8080))));
        wrong("ports 5 and 6", Map.of(), "-raft-id", "a", "-raft-peers", "a=h:1:5:6,b=h:2");
    }

    @Test
    void oneProcessIsOneMember() {
        wrong("member 'b' twice", Map.of(), "-raft-id", "a", "-raft-peers", "a=h:1,b=i:1,b=j:1");
        wrong("members a and b are both at", Map.of(), "-raft-id", "c", "-raft-peers", "b=H:1,c=i:1,a=h:1");
        wrong("'d' is none of the members", Map.of(), "-raft-id", "d", "-raft-peers", "a=h:1,b=i:1");
        wrong("go together", Map.of(), "-raft-peers", "a=h:1,b=i:1");
    }

    @Test
    void helpAndVersionAreAnswered() {
        assertThat(run("-help")).isEqualTo(ExitStatus.DONE);
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("-grpc-port", "COORDINATOR_DATA", "-raft-peers");
        assertThat(run("--version")).isEqualTo(ExitStatus.DONE);
        assertThat(run("-what")).isEqualTo(ExitStatus.USAGE);
        assertThat(err()).startsWith("coordinator: unknown flag '-what'").hasLineCount(1);
    }

    @Test
    void aFolderThatCannotBeUsedIsOneLine() throws IOException {
        Path plain = Files.writeString(folder.resolve("plain"), "");

        assertThat(run("-port", "0", "-grpc-port", "0", "-data", plain.toString()))
                .isEqualTo(ExitStatus.FAILURE);
        assertThat(err()).contains(plain.toString()).hasLineCount(1);
    }

    private int run(String... arguments) {
        return Coordinator.run(
                arguments,
                Map.of(),
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8).strip();
    }
}
