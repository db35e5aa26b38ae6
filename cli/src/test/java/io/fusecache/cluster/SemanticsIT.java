package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Runs the examples of docs/SEMANTICS.md: what a console block shows is what a user sees. */
final class SemanticsIT {
    private static final Pattern PROMPT = Pattern.compile("(node\\d|bucket)\\$ (.*)");

    private static Cluster cluster;

    @BeforeAll
    static void start() throws Exception {
        cluster = Cluster.start(2, "-bucket-refresh", "100ms");
        Path programs = Files.createDirectory(cluster.directory().resolve("bin"));
        String command = Daemon.command("fusecache", List.of()).stream()
                .map(word -> "'" + word + "'")
                .collect(Collectors.joining(" "));
        Path program = Files.writeString(
                programs.resolve("fusecache"),
                "#!/bin/sh\nFUSECACHE_RUN_DIR='" + cluster.directory().resolve("run") + "' exec " + command
                        + " \"$@\"\n");
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @AfterAll
    static void stop() throws Exception {
        cluster.close();
    }

    @TestFactory
    Stream<DynamicTest> examples() throws IOException {
        List<List<String>> blocks = blocks(Files.readAllLines(document()));
        assertThat(blocks).hasSizeGreaterThan(10);
        return Stream.iterate(0, i -> i + 1)
                .limit(blocks.size())
                .map(i -> dynamicTest(blocks.get(i).getFirst(), () -> run("example" + i, blocks.get(i))));
    }

    /** A block in a directory of its own, line by line: the transcript must be the block itself. */
    private static void run(String directory, List<String> block) throws IOException, InterruptedException {
        Files.createDirectory(cluster.node(1).mount().resolve(directory));
        List<String> transcript = new ArrayList<>();
        for (String line : block) {
            Matcher prompt = PROMPT.matcher(line);
            if (prompt.matches()) {
                transcript.add(line);
                transcript.addAll(output(place(prompt.group(1), directory), prompt.group(2)));
            }
        }
        assertThat(String.join("\n", transcript)).isEqualTo(String.join("\n", block));
    }

    private static Path place(String prompt, String directory) throws IOException {
        return prompt.equals("bucket")
                ? Files.createDirectories(cluster.bucket().resolve(directory))
                : cluster.node(prompt.charAt(4) - '0').mount().resolve(directory);
    }

    private static List<String> output(Path directory, String command) throws IOException, InterruptedException {
        String path = cluster.directory().resolve("bin") + ":" + System.getenv("PATH");
        return Shell.run(directory, Map.of("PATH", path, "LC_ALL", "C.UTF-8"), List.of("sh", "-c", command))
                .output()
                .lines()
                .toList();
    }

    private static List<List<String>> blocks(List<String> lines) {
        List<List<String>> blocks = new ArrayList<>();
        List<String> block = null;
        for (String line : lines) {
            if (line.equals("```console")) {
                block = new ArrayList<>();
            } else if (line.equals("```") && block != null) {
                blocks.add(block);
                block = null;
            } else if (block != null) {
                block.add(line);
            }
        }
        return blocks;
    }

    private static Path document() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("docs/SEMANTICS.md"))) {
            folder = Objects.requireNonNull(folder.getParent(), "run from within the repository");
        }
        return folder.resolve("docs/SEMANTICS.md");
    }
}
