package io.fusecache.client.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.client.NodeConfiguration.Bucket;
import io.fusecache.client.NodeConfiguration.Store;
import io.fusecache.client.backup.Backups.Backup;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which backups are made, taken for the newest, and dropped. */
final class BackupsTest {
    @TempDir
    private Path folder;

    private VolumeBucket bucket;
    private Backups backups;

    @BeforeEach
    void open() throws Exception {
        Path root = Files.createDirectory(folder.resolve("bucket"));
        bucket = VolumeBucket.open(
                new Bucket(new Store.FileFolder(root), "team/", Duration.ofSeconds(30), Duration.ofMinutes(1)));
        backups = bucket.backups();
    }

    @AfterEach
    void close() {
        bucket.close();
    }

    private static String text(String namespace) {
        return """
                {"kind":"fuse-cache-dump","format":1,"written":"2026-01-01T00:00:00Z","namespace":"%s"}
                {"kind":"end","lines":1}
                """.formatted(namespace);
    }

    private static Backups.Source dump(String text) {
        return () -> new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8));
    }

    private Backup make(String namespace, int kept) throws Exception {
        return backups.make(dump(text(namespace)), folder, kept, namespace);
    }

    /** Of no namespace: something that is no backup, under the name of one. */
    private Backup before(Duration age, String namespace) throws Exception {
        Path packed = folder.resolve("packed");
        if (namespace.isEmpty()) {
            Files.writeString(packed, "what no backup is");
        } else {
            PackedDump.write(dump(text(namespace)), packed);
        }
        return backups.put(packed, Instant.now().minus(age));
    }

    private List<String> names() throws IOException {
        return backups.list().stream().map(Backup::name).toList();
    }

    @Test
    void thoseThatAreTooManyAreDropped() throws Exception {
        before(Duration.ofDays(3), "one");
        Backup second = before(Duration.ofDays(2), "one");
        Backup third = make("one", 2);
        assertThat(names()).containsExactly(third.name(), second.name());

        Path fetched = folder.resolve("fetched");
        backups.fetch(third.name(), fetched);
        try (InputStream in = new GZIPInputStream(Files.newInputStream(fetched))) {
            assertThat(new String(in.readAllBytes(), StandardCharsets.UTF_8)).isEqualTo(text("one"));
        }
    }

    @Test
    void thoseOfAnotherNamespaceAreNeverDropped() throws Exception {
        Backup first = before(Duration.ofDays(4), "one");
        Backup second = before(Duration.ofDays(3), "one");
        Backup foreign = before(Duration.ofDays(2), "");
        make("two", 1);
        Backup fourth = make("two", 1);
        assertThat(names()).containsExactly(fourth.name(), foreign.name(), second.name(), first.name());
        Backup fifth = make("one", 2);
        assertThat(names()).containsExactly(fifth.name(), fourth.name(), foreign.name(), second.name());
    }

    @Test
    void theNewestIsAskedForByNamespace() throws Exception {
        before(Duration.ofDays(-2), "one");
        before(Duration.ofDays(4), "one");
        Backup one = before(Duration.ofDays(3), "one");
        Backup two = before(Duration.ofDays(2), "two");
        Instant now = Instant.now();
        assertThat(backups.newest("one", now).map(Backup::name)).hasValue(one.name());
        assertThat(backups.newest("two", now).map(Backup::name)).hasValue(two.name());
        assertThat(backups.newest("three", now)).isEmpty();
        assertThat(backups.namespace(one)).hasValue("one");
    }

    @Test
    void whatIsNoDumpOfTheNamespaceIsNotPut() throws Exception {
        Backup first = before(Duration.ofDays(3), "one");
        assertThatThrownBy(() -> backups.make(dump(text("two")), folder, 1, "one"))
                .hasMessageContaining("namespace two");
        assertThatThrownBy(() -> backups.make(dump("{}\n{\"kind\":\"end\",\"lines\":1}\n"), folder, 1, ""))
                .hasMessageContaining("no dump");
        String text = text("one");
        assertThatThrownBy(() -> backups.make(dump(text.substring(0, text.length() - 1)), folder, 1, "one"))
                .hasMessageContaining("broke off");
        assertThat(names()).containsExactly(first.name());
    }

    @Test
    void whatIsNamedForLaterIsNotTheNewestAndStays() throws Exception {
        Backup later = before(Duration.ofDays(-2), "one");
        assertThat(Backups.newest(backups.list(), Instant.now())).isEmpty();
        Backup older = before(Duration.ofDays(2), "one");
        assertThat(Backups.newest(backups.list(), Instant.now()).map(Backup::name))
                .hasValue(older.name());
        Backup made = make("one", 1);
        assertThat(names()).containsExactly(later.name(), made.name());
    }
}
