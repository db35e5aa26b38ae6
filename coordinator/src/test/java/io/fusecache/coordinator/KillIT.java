package io.fusecache.coordinator;

import static io.fusecache.coordinator.SessionsTest.file;
import static io.fusecache.coordinator.SessionsTest.name;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A coordinator's process is killed in the middle of creates: whatever it had acknowledged is there. */
final class KillIT {
    private static final int ROUNDS = 3;
    private static final int ACKNOWLEDGED = 300;
    private static final int THREADS = 4;

    @TempDir
    Path folder;

    @Test
    void nothingAcknowledgedIsLost() throws Exception {
        List<String> acknowledged = new ArrayList<>();
        for (int round = 0; round < ROUNDS; round++) {
            acknowledged.addAll(createUntilKilled(round));
        }
        try (Coordinator coordinator = Coordinator.open(folder);
                Metadata metadata = coordinator.connect(new NodeId("after"), new Recorder())) {
            for (String line : acknowledged) {
                Inode inode = metadata.lookup(Inode.ROOT, name(line));
                assertThat(inode.version()).as("version of %s", line).isEqualTo(1);
                assertThat(metadata.content(inode.ino()).size()).isEqualTo(line.length());
            }
            long entries = 0;
            for (long cookie = 0; ; ) {
                var page = metadata.list(Inode.ROOT, cookie, 1000);
                if (page.isEmpty()) {
                    break;
                }
                entries += page.size();
                cookie = page.getLast().cookie();
            }
            assertThat(entries).isGreaterThanOrEqualTo(acknowledged.size());
            assertThat(metadata.usage().inodes()).isEqualTo(entries + 1);
        }
    }

    private List<String> createUntilKilled(int round) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--enable-native-access=ALL-UNNAMED",
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Creator.class.getName(),
                        folder.toString(),
                        Integer.toString(round))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<String> acknowledged = new ArrayList<>();
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith("file-")) {
                    acknowledged.add(line);
                }
                if (acknowledged.size() == ACKNOWLEDGED) {
                    // By its handle: the output that it has written already can still be read.
                    process.toHandle().destroyForcibly();
                }
            }
        } finally {
            process.destroyForcibly().waitFor();
        }
        assertThat(acknowledged).hasSizeGreaterThanOrEqualTo(ACKNOWLEDGED);
        return acknowledged;
    }

    /** The process that is killed: prints the name of every file that it was told is made and committed. */
    static final class Creator {
        private Creator() {}

        public static void main(String[] arguments) throws Exception {
            Coordinator coordinator = Coordinator.open(Path.of(arguments[0]));
            Metadata metadata = coordinator.connect(new NodeId("creator"), new Recorder());
            AtomicInteger number = new AtomicInteger();
            for (int i = 0; i < THREADS; i++) {
                Thread.ofPlatform().start(() -> {
                    try {
                        while (true) {
                            create(metadata, "file-" + arguments[1] + "-" + number.incrementAndGet());
                        }
                    } catch (Exception e) {
                        throw new AssertionError(e);
                    }
                });
            }
        }

        private static void create(Metadata metadata, String text) throws Exception {
            Inode inode = metadata.create(Inode.ROOT, name(text), file(true));
            FileVersion version = new FileVersion(inode.ino(), 1, text.length(), 4096, null, null);
            metadata.commit(version, Timestamp.EPOCH, Timestamp.EPOCH, 4096);
            metadata.endWrite(inode.ino());
            synchronized (System.out) {
                System.out.println(text);
                System.out.flush();
            }
        }
    }
}
