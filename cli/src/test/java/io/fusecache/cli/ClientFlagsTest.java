package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.client.NodeConfiguration;
import io.fusecache.client.settings.Setting;
import io.fusecache.client.settings.UsageException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ClientFlagsTest {
    private final ClientFlags flags = new ClientFlags("client", "", List.of());

    @Test
    void oneDashOrTwoBlankOrEquals() throws UsageException {
        NodeConfiguration configuration = flags.parse(
                        "-port",
                        "1",
                        "--mount=/m",
                        "-nvme=/n",
                        "--cloud-provider",
                        "file",
                        "-read-only",
                        "-grpc-port=2")
                .configuration(Map.of());

        assertThat(configuration.network().httpPort()).isEqualTo(1);
        assertThat(configuration.network().grpcPort()).isEqualTo(2);
        assertThat(configuration.mount().directory()).isEqualTo(Path.of("/m"));
        assertThat(configuration.mount().readOnly()).isTrue();
    }

    @Test
    void helpNamesEveryFlagItsDefaultAndItsVariable() throws UsageException {
        assertThat(flags.parse("-help").help()).isTrue();
        assertThat(flags.parse("--version").version()).isTrue();
        String help = flags.help().replaceAll("\\s+", " ");
        for (Setting setting : Setting.values()) {
            assertThat(help)
                    .contains(
                            "-" + setting.flag(), setting.variables().getFirst().name());
        }
        assertThat(help).contains("(default: /tmp/fuse-client)");
    }

    @Test
    void whatIsWrongIsOneLineWithTheWayOut() {
        refused("unknown flag '-prot'", "-prot", "1");
        refused("did you mean '-mount'", "-mout", "/x");
        refused("unexpected word 'extra'", "-port", "1", "extra");
        refused("-port", "-port", "1", "-port", "2");
        refused("-mount", "-mount");
        refused("-mount", "-mount", "-port", "1");
    }

    @Test
    void theFileComesFromTheFlagOrTheEnvironment(@TempDir Path directory) throws Exception {
        Path file = Files.writeString(directory.resolve("c.properties"), "port = 7\n");

        assertThat(flags.parse("-config", file.toString())
                        .configuration(Map.of())
                        .network()
                        .httpPort())
                .isEqualTo(7);
        assertThat(flags.parse()
                        .configuration(Map.of("FUSE_CONFIG", file.toString()))
                        .network()
                        .httpPort())
                .isEqualTo(7);
        assertThatThrownBy(() -> flags.parse("-config", "/nowhere").configuration(Map.of()))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("configuration file /nowhere cannot be read");
    }

    private void refused(String message, String... arguments) {
        assertThatThrownBy(() -> flags.parse(arguments))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining(message)
                .hasMessageContaining("-help lists the flags")
                .hasMessageNotContaining("\n");
    }
}
