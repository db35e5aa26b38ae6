package io.fusecache.coordinator;

import static io.fusecache.coordinator.SessionsTest.directory;
import static io.fusecache.coordinator.SessionsTest.file;
import static io.fusecache.coordinator.SessionsTest.name;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.coordinator.UpgradeFixture.Running;
import io.fusecache.coordinator.namespace.Quotas;
import io.fusecache.coordinator.namespace.Trash;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.StateStore;
import io.fusecache.metadata.AccessControlList;
import io.fusecache.metadata.CloudWork;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.WriteLease;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.ZipInputStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A coordinator on data directories of before: all is there, and can be changed.
 *
 * <p>There is one fixture for each format that there ever was, {@code state-format-N.zip}, made by the last release that wrote it; none
 * is ever made anew or dropped. When the format's number grows, {@code -Dfusecache.fixture=FILE} with this test keeps what the code
 * before the change makes; what it makes now is tried each time.
 */
final class UpgradeTest {
    @TempDir
    private Path folder;

    private void unpack(int format) throws Exception {
        try (InputStream packed = Objects.requireNonNull(
                UpgradeTest.class.getResourceAsStream("/state-format-" + format + ".zip"), "no such fixture")) {
            UpgradeFixture.unpack(new ZipInputStream(packed), folder);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = 1)
    void aCoordinatorGoesOnWithADirectoryOfBefore(int format) throws Exception {
        unpack(format);
        goesOn(() -> UpgradeFixture.single(folder));
    }

    @ParameterizedTest
    @ValueSource(ints = 1)
    void aMemberGoesOnWithADirectoryOfBefore(int format) throws Exception {
        unpack(format);
        goesOn(() -> UpgradeFixture.member(folder));
    }

    @Test
    void whatIsMadeNowCanBeAFixture() throws Exception {
        Path made = folder.resolve("made");
        UpgradeFixture.make(made);
        Path packed = folder.resolve("packed.zip");
        try (OutputStream out = Files.newOutputStream(packed)) {
            UpgradeFixture.pack(made, out);
        }
        try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(packed))) {
            UpgradeFixture.unpack(zip, folder);
        }
        String kept = System.getProperty("fusecache.fixture");
        if (kept != null) {
            Files.copy(packed, Path.of(kept));
        }
        goesOn(() -> UpgradeFixture.single(folder));
        goesOn(() -> UpgradeFixture.member(folder));
    }

    @Test
    void oneOfAFormatToComeIsRefused() throws Exception {
        unpack(1);
        for (Path state : List.of(folder.resolve("single"), folder.resolve("member/state"))) {
            try (StateStore store = StateStore.open(state)) {
                store.write(List.of(
                        Map.entry(Keys.format(), "fuse-cache coordinator 2000".getBytes(StandardCharsets.US_ASCII))));
            }
        }
        assertThatThrownBy(() -> UpgradeFixture.single(folder)).hasMessageContaining("coordinator 2000");
        assertThatThrownBy(() -> UpgradeFixture.member(folder)).hasMessageContaining("coordinator 2000");
    }

    @FunctionalInterface
    private interface Start {
        Running start() throws Exception;
    }

    private void goesOn(Start start) throws Exception {
        try (Running running = start.start()) {
            assertThat(running.coordinator().sessions().nodes())
                    .singleElement()
                    .satisfies(node -> assertThat(node.address().id()).isEqualTo(new NodeId("one")))
                    .satisfies(node -> assertThat(node.connected()).isFalse());
            try (Metadata one = running.node("one")) {
                allIsThere(running, one);
                isChanged(running, one);
            }
            isOneWhole(running);
        }
        try (Running again = start.start();
                Metadata two = again.node("two")) {
            assertThat(two.lookup(Inode.ROOT, name("new")).size()).isEqualTo(6);
        }
    }

    private static void allIsThere(Running running, Metadata node) throws Exception {
        assertThat(names(node, Inode.ROOT))
                .containsExactlyInAnyOrder(
                        "d", "link", "fifo", "many", "moved", "empty", "written", "uploading", "theirs");
        Inode d = node.lookup(Inode.ROOT, name("d"));
        assertThat(node.attribute(d.ino(), UpgradeFixture.COLOR)).isEqualTo(UpgradeFixture.VALUE);
        assertThat(names(node, d.ino())).containsExactlyInAnyOrder("f", "hard");
        Inode f = node.lookup(d.ino(), name("f"));
        assertThat(f.links()).isEqualTo(2);
        assertThat(f.permissions()).isEqualTo(0640);
        assertThat(f.modified()).isEqualTo(new Timestamp(1_000, 5));
        assertThat(node.lookup(d.ino(), name("hard"))).isEqualTo(f);
        assertThat(node.attribute(f.ino(), AccessControlList.ACCESS)).isEqualTo(UpgradeFixture.ACL);
        FileVersion content = node.content(f.ino());
        assertThat(content.size()).isEqualTo(5);
        assertThat(content.checksums()).containsExactly(5);
        assertThat(String.valueOf(content.object())).contains("d/f", "etag-d/f");
        assertThat(node.lookup(Inode.ROOT, name("link")).target())
                .asString(StandardCharsets.UTF_8)
                .isEqualTo("d/f");
        assertThat(node.lookup(Inode.ROOT, name("fifo")).type()).isEqualTo(FileType.FIFO);
        assertThat(names(node, node.lookup(Inode.ROOT, name("many")).ino())).hasSize(UpgradeFixture.MANY);
        assertThat(node.lookup(Inode.ROOT, name("theirs")).size()).isEqualTo(10);
        Inode written = node.lookup(Inode.ROOT, name("written"));
        assertThat(node.content(written.ino()).persisted()).isFalse();
        try (Metadata other = running.node("other")) {
            assertThat(other.beginWrite(written.ino(), Duration.ZERO))
                    .isEqualTo(new WriteLease.HeldBy(new NodeId("one")));
        }
        List<Quotas.Limited> limits = running.coordinator().sessions().read((context, view) -> Quotas.all(view));
        assertThat(limits)
                .singleElement()
                .satisfies(limited -> assertThat(limited.quota().mostBytes()).isEqualTo(1_000))
                .satisfies(limited -> assertThat(limited.quota().mostInodes()).isEqualTo(4))
                .satisfies(limited -> assertThat(limited.quota().usedBytes()).isEqualTo(5));
        assertThat(running.coordinator()
                        .sessions()
                        .read((context, view) -> Trash.rule(view))
                        .keepMillis())
                .isEqualTo(UpgradeFixture.KEPT.toMillis());
    }

    private static void isChanged(Running running, Metadata node) throws Exception {
        // What was removed just now is due some seconds later.
        List<String> taken = new ArrayList<>();
        Awaitility.await().until(() -> {
            node.takeWork(100, Duration.ofMinutes(1)).stream()
                    .map(UpgradeTest::text)
                    .forEach(taken::add);
            return taken.contains("delete gone");
        });
        assertThat(taken)
                .containsExactlyInAnyOrder(
                        "move kept to .fusecache/trash/%x".formatted(7 + UpgradeFixture.MANY),
                        "move before to moved",
                        "put empty/",
                        "delete gone");
        Trash.Page page =
                running.coordinator().sessions().read((context, view) -> Trash.page(List.of(), null, 10, view));
        long kept = page.files().getFirst().inode().ino();
        running.change((context, view) -> Trash.restore(kept, Inode.ROOT, name("restored"), context, view));
        assertThat(node.lookup(Inode.ROOT, name("restored")).size()).isEqualTo(7);
        long d = node.lookup(Inode.ROOT, name("d")).ino();
        node.create(d, name("third"), directory());
        node.create(d, name("fourth"), directory());
        node.create(d, name("fifth"), directory());
        assertThatThrownBy(() -> node.create(d, name("sixth"), file(false)))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EDQUOT));
        node.rename(d, name("f"), Inode.ROOT, name("f"), 0);
        UpgradeFixture.remove(node, Inode.ROOT, "f");
        node.rmdir(Inode.ROOT, name("empty"));
        Inode made = node.create(Inode.ROOT, name("new"), file(true));
        FileVersion base = node.content(made.ino());
        node.commit(
                new FileVersion(made.ino(), base.version() + 1, 6, base.blockBytes(), null, null),
                Timestamp.EPOCH,
                Timestamp.EPOCH,
                6);
    }

    private static List<String> names(Metadata node, long directory) throws Exception {
        return node.list(directory, 0, 1_000).stream()
                .map(DirectoryEntry::name)
                .map(Object::toString)
                .toList();
    }

    private static String text(CloudWork work) {
        return switch (work) {
            case CloudWork.Delete delete -> "delete " + delete.key();
            case CloudWork.Move move -> "move " + move.from().key() + " to " + move.toKey();
            case CloudWork.PutMarker put -> "put " + put.key();
            case CloudWork.DeleteMarker delete -> "delete marker " + delete.key();
        };
    }

    /** A load counts everything that a dump has. */
    private void isOneWhole(Running running) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        running.coordinator().dump(out);
        Path copy = Files.createTempDirectory(folder, "copy");
        try (Coordinator other = Coordinator.open(copy)) {
            assertThat(other.load(new ByteArrayInputStream(out.toByteArray())).inodes())
                    .isGreaterThan(UpgradeFixture.MANY);
        }
    }
}
