package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.client.settings.UsageException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** bash itself completes by the script. */
final class CompletionVerbTest {
    @TempDir
    Path directory;

    @Test
    void bashCompletesVerbsFlagsAndFiles() throws Exception {
        Path script = Files.writeString(directory.resolve("completion"), script("bash"));
        assertThat(completed(script, "_fusecache", "fusecache", "st")).containsExactly("status", "stats");
        assertThat(completed(script, "_fusecache", "fusecache", "help", "exp")).containsExactly("explain");
        assertThat(completed(script, "_fusecache", "fusecache", "flush", "--t")).containsExactly("--timeout");
        assertThat(completed(script, "_fusecache", "fusecache", "mount", "-s3-b"))
                .containsExactly("-s3-bucket");
        assertThat(completed(script, "_fusecache", "fusecache", "status", "-s3-b"))
                .isEmpty();
        assertThat(completed(script, "_fusecache_client", "client", "-nvme")).containsExactly("-nvme", "-nvme-max-gb");
        assertThat(completed(script, "_fusecache_coordinator", "coordinator", "-raft-j"))
                .containsExactly("-raft-join");
        assertThat(completed(script, "_fusecache", "fusecache", "explain", directory + "/comp"))
                .containsExactly(script.toString());
    }

    @Test
    void zshRunsTheSame() throws UsageException {
        assertThat(script("zsh")).startsWith("autoload -U +X bashcompinit").endsWith(script("bash"));
        assertThatThrownBy(() -> script("fish")).hasMessageContaining("unknown shell 'fish'");
    }

    private static String script(String shell) throws UsageException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        CompletionVerb.run(List.of(shell), new PrintStream(bytes, true, StandardCharsets.UTF_8));
        return bytes.toString(StandardCharsets.UTF_8);
    }

    private static List<String> completed(Path script, String function, String... words) throws Exception {
        String line = "source %s; COMP_WORDS=(%s); COMP_CWORD=%d; %s; printf '%%s\\n' \"${COMPREPLY[@]}\""
                .formatted(script, String.join(" ", words), words.length - 1, function);
        Process bash = new ProcessBuilder("bash", "--norc", "-c", line)
                .redirectErrorStream(true)
                .start();
        String output = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(bash.waitFor()).as(output).isZero();
        return output.lines().filter(word -> !word.isEmpty()).toList();
    }
}
