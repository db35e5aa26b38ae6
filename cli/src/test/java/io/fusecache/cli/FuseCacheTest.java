package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

final class FuseCacheTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @Test
    void helpListsTheVerbs() {
        assertThat(run("help")).isEqualTo(ExitStatus.DONE);
        assertThat(text(out)).contains("status", "flush", "explain", "doctor");
    }

    @Test
    void versionIsOneLine() {
        assertThat(run("version")).isEqualTo(ExitStatus.DONE);
        assertThat(text(out)).matches("fuse-cache \\S+ \\(Java 25\\S*\\)\n");
    }

    @Test
    void whatIsUnknownIsNamedWithStatusTwo() {
        assertThat(run("frobnicate")).isEqualTo(ExitStatus.USAGE);
        assertThat(text(err)).isEqualTo("fusecache: unknown verb 'frobnicate': fusecache help lists them\n");
    }

    @Test
    void aWrongWordIsNamedWithTheUsage() {
        assertThat(run("explain")).isEqualTo(ExitStatus.USAGE);
        assertThat(run("status", "--jsn")).isEqualTo(ExitStatus.USAGE);
        assertThat(run("flush", "a", "b")).isEqualTo(ExitStatus.USAGE);
        assertThat(text(err)).contains("usage: fusecache explain", "'--jsn'", "usage: fusecache flush");
        assertThat(text(err).lines()).hasSize(3);
    }

    @Test
    void doctorNamesWhatIsMissing() {
        assertThat(run("doctor", "-mount", "/nowhere", "-coordinator", "localhost:1", "-cloud-provider", "file"))
                .isEqualTo(ExitStatus.FAILURE);
        assertThat(text(out))
                .contains("BAD   mount point /nowhere: is no directory: mkdir -p /nowhere")
                .contains("BAD   coordinator http localhost:1: Connection refused: start bin/coordinator");
    }

    private int run(String... words) {
        return FuseCache.run(List.of(words), stream(out), stream(err));
    }

    private static PrintStream stream(ByteArrayOutputStream bytes) {
        return new PrintStream(bytes, true, StandardCharsets.UTF_8);
    }

    private static String text(ByteArrayOutputStream bytes) {
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
