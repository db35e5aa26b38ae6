package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.client.settings.Setting;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
    void everyVerbSaysMoreOfItself() {
        for (Verb verb : FuseCache.verbs()) {
            out.reset();
            assertThat(run(verb.name(), "--help")).as(verb.name()).isEqualTo(ExitStatus.DONE);
            assertThat(text(out))
                    .startsWith("Usage: fusecache " + verb.name())
                    .contains("Examples:\n  ", "fusecache " + verb.name());
            Matcher option = Pattern.compile("--[a-z][a-z-]+").matcher(verb.usage());
            while (option.find()) {
                assertThat(verb.options()).as(verb.name()).contains(option.group());
            }
            assertThat(text(out).contains("-cloud-provider=NAME")).isEqualTo(verb.takesClientFlags());
        }
        String ofExplain = page("explain", "-h");
        assertThat(page("help", "explain")).isEqualTo(ofExplain).contains("  --json  ");
        assertThat(run("help", "frobnicate")).isEqualTo(ExitStatus.USAGE);
    }

    @Test
    void configNamesEverySettingAndItsOrigin() throws Exception {
        Map<String, String> environment = Map.of("FUSE_API_KEY", "hush", "S3_BUCKET", "models");
        ConfigVerb.run(List.of("-port", "1", "--prefix=a/"), environment, stream(out));
        List<String> lines =
                text(out).lines().map(line -> line.replaceAll(" +", " ")).toList();
        assertThat(lines)
                .hasSize(Setting.values().length)
                .contains(
                        "port 1 -port", "prefix a/ -prefix", "s3-bucket models S3_BUCKET", "api-key **** FUSE_API_KEY")
                .contains("mount /tmp/fuse-client default");
        out.reset();
        ConfigVerb.run(List.of("--json", "--changed", "-port", "1"), environment, stream(out));
        assertThat(text(out))
                .isEqualTo(
                        "{\"port\":{\"value\":\"1\",\"source\":\"flag\",\"origin\":\"-port\"},"
                                + "\"api-key\":{\"value\":\"****\",\"source\":\"environment\",\"origin\":\"FUSE_API_KEY\"},"
                                + "\"s3-bucket\":{\"value\":\"models\",\"source\":\"environment\",\"origin\":\"S3_BUCKET\"}}\n");
        assertThat(run("config", "-chunk-size", "3")).isEqualTo(ExitStatus.USAGE);
        assertThat(text(err)).contains("-chunk-size");
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

    private String page(String... words) {
        out.reset();
        assertThat(run(words)).isEqualTo(ExitStatus.DONE);
        return text(out);
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
