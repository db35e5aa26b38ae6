package io.fusecache.tiers.cloud.file;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SortedNamesTest {
    private static final SortedNames.Room ALL = new SortedNames.Room(Integer.MAX_VALUE, 1 << 20);

    @TempDir
    Path folder;

    @Test
    void allThereIsRoomForAreInTheOrderOfTheirBytes() throws Exception {
        // Two code units of UTF-16 come before one of them that is larger; as code points, and bytes, they come after
        // it.
        make("b", "a", "é", "￼", "😀", "B", "a.", "a0");
        assertThat(all(read("", ALL))).containsExactly("B", "a", "a.", "a0", "b", "é", "￼", "😀");
        assertThat(all(read("a.", ALL))).containsExactly("a0", "b", "é", "￼", "😀");
        assertThat(read("", ALL).more()).isFalse();
    }

    @Test
    void theFirstOnesAreKeptWhereThereIsRoomForFew() throws Exception {
        List<String> names =
                IntStream.range(0, 1000).mapToObj("name-%04d"::formatted).toList();
        make(names.toArray(String[]::new));
        for (SortedNames.Room room : List.of(new SortedNames.Room(7, 1 << 20), new SortedNames.Room(1000, 300))) {
            List<String> seen = new ArrayList<>();
            String at = "";
            SortedNames part;
            do {
                part = read(at, room);
                assertThat(part.size()).isBetween(1, 11);
                seen.addAll(all(part));
                at = part.last();
            } while (part.more());
            assertThat(seen).isEqualTo(names);
        }
    }

    @Test
    void aListingGoesOnInThemWhereTheyHaveWhatComesNext() throws Exception {
        make("b", "d", "f", "h");
        SortedNames two = read("a", new SortedNames.Room(2, 1 << 20));
        assertThat(all(two)).containsExactly("b", "d");
        assertThat(List.of("a", "b", "c")).allMatch(two::goOnAfter);
        assertThat(List.of("", "A", "d", "e", "z")).noneMatch(two::goOnAfter);
        assertThat(List.of(two.firstAfter("a"), two.firstAfter("b"), two.firstAfter("c")))
                .containsExactly(0, 1, 1);
        SortedNames rest = read("d", ALL);
        assertThat(List.of("d", "h", "z")).allMatch(rest::goOnAfter);
        assertThat(rest.firstAfter("h")).isEqualTo(2);
    }

    @Test
    void aFolderThatIsGoneHasNone() throws Exception {
        SortedNames none = SortedNames.read(folder.resolve("gone"), "", ALL, name -> true);
        assertThat(none.size()).isZero();
        assertThat(none.more()).isFalse();
    }

    private SortedNames read(String after, SortedNames.Room room) throws Exception {
        return SortedNames.read(folder, after, room, name -> true);
    }

    private void make(String... names) throws Exception {
        KeyPaths keys = new KeyPaths(folder);
        for (String name : names) {
            Files.createFile(keys.path(name));
        }
    }

    private static List<String> all(SortedNames names) {
        return IntStream.range(0, names.size()).mapToObj(names::name).toList();
    }
}
