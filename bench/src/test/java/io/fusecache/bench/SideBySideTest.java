package io.fusecache.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On two plain folders: the rows run, agree with themselves, and leave nothing behind. */
final class SideBySideTest {
    private static final Sizes SMALL = new Sizes(1, 4, 10, Duration.ofMillis(1));

    @TempDir
    private Path folder;

    @Test
    void everyRowHasAFigureOnBothSidesAndNothingIsLeftBehind() throws Exception {
        Path one = Files.createDirectory(folder.resolve("one"));
        Path two = Files.createDirectory(folder.resolve("two"));
        List<String> progress = new ArrayList<>();

        Report report = new SideBySide(SMALL, progress::add).ofMount(one, two);

        assertThat(report.lines()).hasSizeGreaterThanOrEqualTo(8).allSatisfy(line -> {
            assertThat(line.ratio().orElseThrow()).isPositive().isFinite();
            assertThat(progress).contains(line.title());
        });
        assertThat(entries(one)).isEmpty();
        assertThat(entries(two)).isEmpty();
    }

    @Test
    void aFolderIsNotComparedWithItself() {
        assertThatThrownBy(() -> new SideBySide(SMALL, line -> {}).ofMount(folder, folder))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(folder.toString());
    }

    @Test
    void programsThatDoNotStartAreNamedWithTheirLastWordsAndLeaveNothingBehind() throws Exception {
        Path programs = Files.createDirectory(folder.resolve("bin"));
        Path disk = Files.createDirectory(folder.resolve("disk"));
        Path coordinator = Files.writeString(programs.resolve("coordinator"), "#!/bin/sh\necho port in use\nexit 1\n");
        assertThat(coordinator.toFile().setExecutable(true)).isTrue();

        assertThatThrownBy(() -> new SideBySide(SMALL, line -> {}).ofTrialCluster(programs, disk))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("coordinator ended with status 1")
                .hasMessageContaining("port in use");
        assertThat(entries(disk)).isEmpty();
    }

    private static List<Path> entries(Path folder) throws IOException {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.toList();
        }
    }
}
