package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.client.NodeConfiguration.Bucket;
import io.fusecache.client.NodeConfiguration.Store;
import io.fusecache.client.backup.VolumeBucket;
import io.fusecache.coordinator.dump.DumpLine;
import io.fusecache.coordinator.dump.DumpLine.Content;
import io.fusecache.coordinator.dump.DumpLine.Header;
import io.fusecache.coordinator.dump.DumpLine.InodeLine;
import io.fusecache.coordinator.dump.DumpLine.StoredAt;
import io.fusecache.coordinator.dump.LineReader;
import io.fusecache.coordinator.dump.LineWriter;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which object of a bucket that went on is a file's, where its own was on its way when the backup was made. */
final class BackupBroughtUpToDateTest {
    private static final String TIME = "1000000000.000000000";

    @TempDir
    private Path folder;

    private VolumeBucket bucket;

    @BeforeEach
    void open() throws Exception {
        Files.createDirectories(folder.resolve("bucket/p"));
        bucket = VolumeBucket.open(new Bucket(
                new Store.FileFolder(folder.resolve("bucket")), "p/", Duration.ofSeconds(30), Duration.ofMinutes(1)));
    }

    @AfterEach
    void close() {
        bucket.close();
    }

    /** Puts three bytes at the key; returns their ETag. */
    private String put(String key) throws Exception {
        Files.writeString(folder.resolve("bucket").resolve(key), "abc");
        return bucket.head(key).orElseThrow().object().etag();
    }

    private static InodeLine file(long inode, String place, long version, @Nullable StoredAt object) {
        return new InodeLine(
                "inode",
                inode,
                "regular",
                "0644",
                0,
                0,
                1,
                3,
                3,
                0,
                TIME,
                TIME,
                TIME,
                TIME,
                null,
                version,
                false,
                1,
                "f" + inode,
                0,
                0,
                null,
                place,
                null,
                null,
                new Content(version, 3, 4 << 20, null, 1, object, null));
    }

    private Path backup(InodeLine... lines) throws Exception {
        Path backup = folder.resolve("backup.gz");
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(backup))) {
            LineWriter writer = new LineWriter(out);
            writer.write(new Header("2026-01-01T00:00:00Z", "one", "p/", 100, 1, 0));
            for (InodeLine line : lines) {
                writer.write(line);
            }
            writer.end();
        }
        return backup;
    }

    private static List<DumpLine> lines(Path dump) throws Exception {
        List<DumpLine> lines = new ArrayList<>();
        try (InputStream in = new GZIPInputStream(Files.newInputStream(dump))) {
            LineReader reader = new LineReader(in);
            reader.header();
            for (DumpLine line = reader.next(); line != null; line = reader.next()) {
                lines.add(line);
            }
        }
        return lines;
    }

    @Test
    void whatAnotherFileHasPutWhereTheObjectWasIsNotTakenOver() throws Exception {
        InodeLine moving = file(2, "p/new", 1, new StoredAt("p/old", "one that is gone", 1));
        put("p/old");
        Path now = folder.resolve("now.gz");
        BackupBroughtUpToDate.Report report = BackupBroughtUpToDate.write(backup(moving), now, bucket);
        assertThat(report.lost()).containsExactly("p/new");
        assertThat(report.older()).isEmpty();
        assertThat(lines(now)).containsExactly(moving);
    }

    @Test
    void whatAnotherFileHasYetToMoveAwayIsNotTakenOver() throws Exception {
        InodeLine leaving = file(2, "p/other", 1, new StoredAt("p/name", put("p/name"), 1));
        InodeLine notPutYet = file(3, "p/name", 1, null);
        Path now = folder.resolve("now.gz");
        BackupBroughtUpToDate.Report report = BackupBroughtUpToDate.write(backup(leaving, notPutYet), now, bucket);
        assertThat(report.lost()).containsExactly("p/name");
        assertThat(lines(now)).containsExactly(leaving, notPutYet);
    }

    @Test
    void whatWasMovedSinceIsTakenOver() throws Exception {
        InodeLine moving = file(2, "p/new", 1, new StoredAt("p/old", "one that is gone", 1));
        String etag = put("p/new");
        Path now = folder.resolve("now.gz");
        BackupBroughtUpToDate.Report report = BackupBroughtUpToDate.write(backup(moving), now, bucket);
        assertThat(report.lost()).isEmpty();
        assertThat(report.older()).isEmpty();
        assertThat(lines(now)).singleElement().satisfies(line -> {
            InodeLine taken = (InodeLine) line;
            assertThat(taken.place()).isNull();
            assertThat(Objects.requireNonNull(taken.content()).object()).isEqualTo(new StoredAt("p/new", etag, 1));
        });
    }

    @Test
    void bytesOfAnOlderVersionAreToldOfWhateverTheirSize() throws Exception {
        InodeLine changed = file(2, "p/name", 2, new StoredAt("p/name", put("p/name"), 1));
        Path now = folder.resolve("now.gz");
        BackupBroughtUpToDate.Report report = BackupBroughtUpToDate.write(backup(changed), now, bucket);
        assertThat(report.older()).containsExactly("p/name");
        assertThat(report.lost()).isEmpty();
    }
}
