package io.fusecache.coordinator.state;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.AbstractMap.SimpleImmutableEntry;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which databases are opened, and which refused. */
final class StateFormatTest {
    @TempDir
    private Path folder;

    private void become(byte @Nullable [] format) throws IOException {
        try (StateStore store = StateStore.open(folder)) {
            store.write(List.of(
                    new SimpleImmutableEntry<>(Keys.inode(7), new byte[] {1}),
                    new SimpleImmutableEntry<>(Keys.format(), format)));
        }
    }

    /** Every byte that is there, and when it was written. */
    private static Map<String, String> bytes(Path of) throws IOException {
        Map<String, String> all = new TreeMap<>();
        try (Stream<Path> files = Files.walk(of)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                all.put(
                        file.toString(),
                        Files.getLastModifiedTime(file) + " " + Arrays.hashCode(Files.readAllBytes(file)));
            }
        }
        return all;
    }

    private void refused(String message) throws IOException {
        Map<String, String> before = bytes(folder);
        assertThatThrownBy(() -> StateStore.open(folder))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("data directory " + folder)
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
        assertThat(bytes(folder)).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(ints = {StateFormat.NEWEST + 1, 999_999_999})
    void aNewerFormatIsRefusedByNameAndLeftAlone(int number) throws Exception {
        become(StateFormat.record(number));
        refused("the format 'fuse-cache coordinator " + number + "'");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "fuse-cache coordinator ", "fuse-cache coordinator 0", "fuse-cache coordinator 1\n", "\0"})
    void aDamagedNumberIsRefusedAndLeftAlone(String text) throws Exception {
        become(text.getBytes(StandardCharsets.UTF_8));
        refused("is damaged: its format is '");
    }

    @Test
    void whatHasNoNumberIsOfTheFirstFormatAndGetsOne() throws Exception {
        become(null);
        try (StateStore store = StateStore.open(folder)) {
            assertThat(store.get(Keys.inode(7))).containsExactly(1);
            assertThat(store.get(Keys.format())).asString().isEqualTo("fuse-cache coordinator 1");
        }
        try (StateStore again = StateStore.open(folder)) {
            assertThat(again.get(Keys.inode(7))).containsExactly(1);
        }
    }
}
