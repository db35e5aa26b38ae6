package io.fusecache.testkit.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.testkit.posix.scene.Violation;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RandomFileTest {
    private static final int OPERATIONS = 2000;

    @TempDir
    Path directory = Path.of("/");

    /** Changes a byte of the file behind its back, as a broken file system would. */
    private final class Damage implements Surroundings {
        @Override
        public List<Incident> incidents() {
            return List.of(new Incident("damage", false));
        }

        @Override
        public void happen(String name) throws IOException {
            try (Stream<Path> files = Files.list(directory)) {
                for (Path file : files.toList()) {
                    flip(file);
                }
            }
        }

        private static void flip(Path file) throws IOException {
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                ByteBuffer first = ByteBuffer.allocate(1);
                if (channel.read(first, 0) == 1) {
                    first.put(0, (byte) ~first.get(0)).rewind();
                    channel.write(first, 0);
                }
            }
        }
    }

    @Test
    void aWrongByteIsFoundAndShownByAShortTrace() throws IOException {
        RandomFile file = new RandomFile(directory, new Damage());
        assertThatThrownBy(() -> file.check(5, OPERATIONS))
                .isInstanceOf(Violation.class)
                .hasMessageContaining("of seed 5")
                .hasMessageContaining("Happen name=damage closed=false")
                .message()
                .as("with what is left of the trace")
                .hasLineCount(5);
        assertThat(directory).isEmptyDirectory();
    }

    @Test
    void theTraceThatIsShownFailsAgain() {
        RandomFile file = new RandomFile(directory, new Damage());
        List<String> trace = List.of(
                "# a byte, damage, a look at it", "Write offset=0 length=1 fill=1", "Happen name=damage closed=false");
        assertThatThrownBy(() -> file.replay(trace))
                .isInstanceOf(Violation.class)
                .hasMessageContaining("byte 0 was read");
    }

    @Test
    void aSeedGivesTheSameFileAgain() throws Exception {
        RandomFile file = new RandomFile(directory, Surroundings.QUIET);
        RandomFile.Left once = file.check(7, OPERATIONS);
        RandomFile.Left again = file.check(7, OPERATIONS);
        assertThat(again.content()).isEqualTo(once.content());
        assertThat(Files.readAllBytes(once.file())).isEqualTo(once.content());
    }
}
