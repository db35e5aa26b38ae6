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

final class BenchVerbTest {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    @TempDir
    private Path folder;

    @Test
    void twoFoldersGiveATable() throws Exception {
        String mount = Files.createDirectory(folder.resolve("mount")).toString();
        String disk = Files.createDirectory(folder.resolve("disk")).toString();
        assertThat(run(
                        "--mount",
                        mount,
                        "--disk",
                        disk,
                        "--repeats",
                        "1",
                        "--size-mib",
                        "4",
                        "--files",
                        "10",
                        "--span",
                        "1ms"))
                .isEqualTo(ExitStatus.DONE);
        assertThat(out.toString(StandardCharsets.UTF_8))
                .startsWith("| what | unit | mount | disk | ratio | bar |\n|---|---|")
                .contains("| stat of 10 files, warm | ops/s |")
                .containsPattern("bars (reached|missed)");
    }

    @Test
    void whatCannotBeMeasuredIsNamed() {
        String here = folder.toString();
        wrong("even repeats", "no middle one", "--repeats", "2");
        wrong("no number", "--size-mib: 'much': expected a number", "--size-mib", "much");
        wrong("no time", "'soon'", "--span", "soon");
        wrong("no folder", "--disk: /nowhere: expected a folder", "--disk", "/nowhere");
        wrong("one folder", "name two folders", "--mount", here, "--disk", here);
        wrong("a word", "usage: fusecache bench", "word");
    }

    private void wrong(String what, String message, String... words) {
        assertThatThrownBy(() -> run(words))
                .as(what)
                .isInstanceOf(UsageException.class)
                .hasMessageContaining(message);
    }

    private int run(String... words) throws Exception {
        return BenchVerb.run(List.of(words), new PrintStream(out, true, StandardCharsets.UTF_8));
    }
}
