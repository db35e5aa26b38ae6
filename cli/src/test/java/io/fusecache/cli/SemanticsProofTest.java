package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** docs/SEMANTICS.md names the tests that hold what it says: they are there. */
final class SemanticsProofTest {
    private static final Pattern PROOF = Pattern.compile("`([A-Z]\\w*(?:IT|Test))(?:\\.(\\w+))?`");

    @Test
    void everyTestThatItNamesExists() throws IOException {
        Path repository = repository();
        String document = Files.readString(repository.resolve("docs/SEMANTICS.md"));
        TreeSet<String> missing = new TreeSet<>();
        int proofs = 0;
        Matcher proof = PROOF.matcher(document);
        while (proof.find()) {
            proofs++;
            String method = proof.group(2);
            List<Path> files = sources(repository, proof.group(1));
            boolean there = false;
            for (Path file : files) {
                there |= method == null || Files.readString(file).contains(" " + method + "(");
            }
            if (!there) {
                missing.add(proof.group() + " is no test: name one that holds what the row says");
            }
        }
        assertThat(missing).isEmpty();
        assertThat(proofs).isGreaterThan(20);
    }

    private static List<Path> sources(Path repository, String name) throws IOException {
        try (Stream<Path> modules = Files.list(repository)) {
            return modules.map(module -> module.resolve("src/test/java"))
                    .filter(Files::isDirectory)
                    .flatMap(SemanticsProofTest::below)
                    .filter(file -> file.endsWith(name + ".java"))
                    .toList();
        }
    }

    private static Stream<Path> below(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.toList().stream();
        } catch (IOException unreadable) {
            throw new java.io.UncheckedIOException(unreadable);
        }
    }

    private static Path repository() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.exists(folder.resolve("docs/SEMANTICS.md"))) {
            folder = Objects.requireNonNull(folder.getParent(), "run from within the repository");
        }
        return folder;
    }
}
