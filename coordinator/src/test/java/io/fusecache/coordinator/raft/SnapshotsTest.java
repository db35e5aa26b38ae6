package io.fusecache.coordinator.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SnapshotsTest {
    @TempDir
    Path folder = Path.of("/");

    private Path made(String name, String... files) throws IOException {
        Path made = Files.createDirectories(folder.resolve(name));
        for (String file : files) {
            Files.writeString(made.resolve(file), name);
        }
        return made;
    }

    private static List<String> names(Path of) throws IOException {
        try (Stream<Path> entries = Files.list(of)) {
            return entries.map(entry -> entry.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void aSnapshotTakesThePlaceOfAllThatWasThere() throws Exception {
        Path snapshot = made("snapshot", "1.sst", "1.sst.md5", "CURRENT");
        Path live = made("state", "0.sst", "CURRENT", "MANIFEST");
        Snapshots.restore(snapshot, live);
        assertThat(names(live)).containsExactly("1.sst", "CURRENT");
        assertThat(live.resolve("CURRENT")).hasContent("snapshot");
        assertThat(names(folder)).containsExactly("snapshot", "state");
        Snapshots.restore(snapshot, live);
        assertThat(names(live)).containsExactly("1.sst", "CURRENT");
    }

    @Test
    void whatARestoreThatWasCutShortHasLeftGoes() throws Exception {
        Path live = made("state", "CURRENT");
        made("state.next", "1.sst");
        made("state.old", "0.sst");
        Snapshots.tidy(live);
        assertThat(names(folder)).containsExactly("state");
        assertThat(live.resolve("CURRENT")).hasContent("state");
    }

    @Test
    void whatWasMovedAwayComesBackWhereNothingTookItsPlace() throws Exception {
        made("state.next", "1.sst");
        made("state.old", "CURRENT");
        Path live = folder.resolve("state");
        Snapshots.tidy(live);
        assertThat(names(folder)).containsExactly("state");
        assertThat(live.resolve("CURRENT")).hasContent("state.old");
    }
}
