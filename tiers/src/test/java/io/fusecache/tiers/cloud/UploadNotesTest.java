package io.fusecache.tiers.cloud;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.tiers.cloud.ObjectStore.Upload;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class UploadNotesTest {
    private static final Instant NOW = Instant.ofEpochMilli(1_700_000_000_123L);
    private static final InstantSource CLOCK = InstantSource.fixed(NOW);

    @TempDir
    Path folder;

    private static Upload upload(String key, String id) {
        return new Upload(key, id, 5L << 40, 550_000_000, Map.of("fusecache-mode", "644", "other", "a=b; c"));
    }

    private List<Path> files() throws Exception {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    @Test
    void whatIsWrittenIsThereAtTheNextStart() throws Exception {
        UploadNotes first = UploadNotes.open(folder, CLOCK);
        first.write("bucket", "1.2", upload("a/\u00fc\n", "id-1"));
        first.write("bucket", "1.3", upload("a/\u00fc\n", "id-2"));
        first.write("bucket", "9.9", upload("b", "id-3"));
        first.write("bucket", "9.9", upload("gone", "id-4"));
        first.remove("gone");
        first.remove("never was");

        UploadNotes next = UploadNotes.open(folder, CLOCK);
        assertThat(next.all()).hasSize(2).containsExactlyInAnyOrderElementsOf(first.all());
        assertThat(next.find("a/\u00fc\n"))
                .contains(new UploadNotes.Note("bucket", "1.3", upload("a/\u00fc\n", "id-2"), NOW));
        assertThat(next.find("gone")).isEmpty();
    }

    @Test
    void aNoteThatACrashToreIsDroppedAndTheOthersStay() throws Exception {
        UploadNotes.open(folder, CLOCK).write("bucket", "1.1", upload("torn", "id-1"));
        Path note = files().getFirst();
        byte[] bytes = Files.readAllBytes(note);
        for (int length : new int[] {0, 3, bytes.length / 2, bytes.length - 1}) {
            Files.write(note, java.util.Arrays.copyOf(bytes, length));
            assertThat(UploadNotes.open(folder, CLOCK).all()).isEmpty();
            assertThat(note).doesNotExist();
        }
        bytes[bytes.length / 2] ^= 1;
        Files.write(note, bytes);
        Files.writeString(folder.resolve("draft.upload.new"), "half");
        UploadNotes notes = UploadNotes.open(folder, CLOCK);
        assertThat(notes.all()).isEmpty();
        assertThat(files()).isEmpty();
        notes.write("bucket", "1.1", upload("torn", "id-2"));
        assertThat(UploadNotes.open(folder, CLOCK).find("torn")).isPresent();
    }
}
