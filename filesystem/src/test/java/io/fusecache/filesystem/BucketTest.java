package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileVersion;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Between the mount and the bucket, both ways. */
final class BucketTest {
    private static final int BLOCK = TestCluster.BLOCK_BYTES;
    private static final Duration LONG = Duration.ofSeconds(20);

    @TempDir
    Path folder = Path.of("/");

    TestCluster cluster;

    @BeforeEach
    void start() throws IOException {
        cluster = new TestCluster(folder);
    }

    @AfterEach
    void stop() throws IOException {
        cluster.close();
    }

    private static byte[] text(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void aClosedFileBecomesAnObjectOfTheSameNameAndBytes() throws Exception {
        TestNode node = cluster.node("a", true);
        Programs programs = node.programs();
        byte[] content = OneNodeSuite.bytes(1, 7 * BLOCK + 1);
        programs.mkdir("/d");
        programs.write("/d/f", content);
        programs.create("/d/empty").close();
        assertThat(node.files.flushUploads(LONG)).isTrue();
        assertThat(cluster.object("d/f")).isEqualTo(content);
        assertThat(cluster.object("d/empty")).isEmpty();
        FileVersion version = node.metadata.content(programs.find("/d/f").id());
        assertThat(version.sealed()).isTrue();
        assertThat(version.persisted()).isTrue();
        assertThat(node.files.pendingUploads()).isEqualTo(new Uploads.Pending(0, 0, 0));
        assertThat(node.local.usage().unpersistedBytes()).isZero();
    }

    @Test
    void whatWasUploadedMayBeEvictedAndComesBack() throws Exception {
        TestNode node = cluster.node("a", true);
        Programs programs = node.programs();
        byte[] content = OneNodeSuite.bytes(1, 7 * BLOCK + 1);
        programs.write("/f", content);
        assertThat(node.files.flushUploads(LONG)).isTrue();
        node.local.discard(programs.find("/f").id());
        assertThat(programs.read("/f")).isEqualTo(content);
        try (Programs.Fd fd = programs.open("/f", Programs.READ_WRITE)) {
            fd.write(2 * BLOCK, text("changed"));
        }
        assertThat(node.files.flushUploads(LONG)).isTrue();
        System.arraycopy(text("changed"), 0, content, 2 * BLOCK, 7);
        assertThat(cluster.object("f")).isEqualTo(content);
    }

    @Test
    void aThirdNodeReadsFromTheBucketAlone() throws Exception {
        TestNode first = cluster.node("a", true);
        byte[] content = OneNodeSuite.bytes(1, 7 * BLOCK + 1);
        first.programs().write("/f", content);
        assertThat(first.files.flushUploads(LONG)).isTrue();
        first.close();
        TestNode second = cluster.node("b", false);
        assertThat(second.programs().read("/f")).isEqualTo(content);
        assertThat(second.counters.figures(io.fusecache.cache.TierKind.CLOUD).bytes())
                .isGreaterThanOrEqualTo(content.length);
    }

    @Test
    void whatOthersPutAppears() throws Exception {
        byte[] large = OneNodeSuite.bytes(1, 3 * BLOCK + 5);
        cluster.putForeign("there/before/f", large);
        TestNode node = cluster.node("a", TestNode.Setup.of(true).withBucketRefresh(Duration.ofMillis(50)));
        Programs programs = node.programs();
        assertThat(programs.list("/")).containsExactly("there");
        assertThat(programs.read("/there/before/f")).isEqualTo(large);
        cluster.putForeign("there/later", text("new"));
        Awaitility.await().until(() -> programs.exists("/there/later"));
        assertThat(programs.read("/there/later")).isEqualTo(text("new"));
        cluster.putForeign("there/later", text("newer, by a stranger"));
        Awaitility.await()
                .untilAsserted(() -> assertThat(programs.read("/there/later")).isEqualTo(text("newer, by a stranger")));
    }

    /** However fresh the listing is. */
    @Test
    void whatOthersDidIsThereAfterARefresh() throws Exception {
        cluster.putForeign("d/old", text("old"));
        cluster.putForeign("d/gone", text("gone"));
        TestNode a = cluster.node("a", TestNode.Setup.of(true).withBucketRefresh(Duration.ofHours(1)));
        TestNode b = cluster.node("b", TestNode.Setup.of(true).withBucketRefresh(Duration.ofHours(1)));
        assertThat(a.programs().list("/d")).containsExactlyInAnyOrder("old", "gone");
        assertThat(b.programs().read("/d/old")).isEqualTo(text("old"));
        cluster.putForeign("d/new", text("new"));
        cluster.putForeign("d/old", text("another"));
        Files.delete(cluster.bucket.resolve("d/gone"));
        long directory = a.programs().find("/d").id();
        assertThat(a.files.relist(directory)).isEqualTo(3);
        assertThat(a.programs().list("/d")).containsExactlyInAnyOrder("old", "new");
        assertThat(b.programs().read("/d/old")).isEqualTo(text("another"));
        assertThat(b.programs().list("/d")).containsExactlyInAnyOrder("old", "new");
        assertThat(a.files.relist(directory)).isZero();
    }

    /** Pages of a hundred here. */
    @Test
    void aDirectoryOfManyPagesAppearsAndFollowsTheBucket() throws Exception {
        List<String> names =
                IntStream.range(0, 350).mapToObj("n%03d"::formatted).toList();
        for (String name : names) {
            cluster.putForeign("many/" + name, text("x"));
        }
        cluster.putForeign("many/n150-below/f", text("x"));
        TestNode node = cluster.node("a", TestNode.Setup.of(true).withBucketRefresh(Duration.ofMillis(50)));
        Programs programs = node.programs();
        List<String> all = new ArrayList<>(names);
        all.add("n150-below");
        assertThat(programs.list("/many")).containsExactlyInAnyOrderElementsOf(all);
        List<String> gone = List.of("n000", "n099", "n100", "n101", "n349");
        for (String name : gone) {
            Files.delete(cluster.bucket.resolve("many").resolve(name));
        }
        all.removeAll(gone);
        Awaitility.await()
                .untilAsserted(() -> assertThat(programs.list("/many")).containsExactlyInAnyOrderElementsOf(all));
    }

    @Test
    void renamesAndRemovalsFollowInTheBucket() throws Exception {
        TestNode node = cluster.node("a", true);
        Programs programs = node.programs();
        programs.mkdir("/d");
        programs.write("/d/f", text("one"));
        programs.write("/d/g", text("two"));
        assertThat(node.files.flushUploads(LONG)).isTrue();
        programs.rename("/d", "/e");
        programs.unlink("/e/g");
        Awaitility.await()
                .atMost(LONG)
                .untilAsserted(() -> assertThat(cluster.keys()).containsExactly("e/f"));
        assertThat(cluster.object("e/f")).isEqualTo(text("one"));
        node.local.discard(programs.find("/e/f").id());
        assertThat(programs.read("/e/f")).isEqualTo(text("one"));
    }

    /**
     * The object was to follow its file, and was another one when it came to that; and so was what lay where it was to go. The
     * stranger's stays at the key that is not the file's any more. The file's own bytes are in a cache only, and go to the bucket again.
     */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatLosesItsObjectToAStrangerIsKeptAndUploadedAgain(boolean oneNode) throws Exception {
        byte[] content = OneNodeSuite.bytes(7, 3 * BLOCK + 1);
        TestNode node = cluster.node("a", true);
        Programs programs = node.programs();
        programs.write("/f", content);
        assertThat(node.files.flushUploads(LONG)).isTrue();
        if (!oneNode) {
            // Either may be the one that does the work.
            cluster.node("b", true);
        }
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch answered = new CountDownLatch(1);
        cluster.mood = () -> {
            asked.countDown();
            await(answered);
        };
        programs.rename("/f", "/g");
        assertThat(asked.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
        cluster.putForeign("f", text("by a stranger"));
        cluster.putForeign("g", text("by another"));
        cluster.mood = () -> {};
        answered.countDown();
        Awaitility.await()
                .atMost(LONG)
                .untilAsserted(() -> assertThat(cluster.object("g")).isEqualTo(content));
        assertThat(cluster.object("f")).isEqualTo(text("by a stranger"));
        List<String> beside = cluster.keys().stream()
                .filter(key -> key.startsWith("g.conflict-"))
                .toList();
        assertThat(beside).hasSize(1);
        assertThat(cluster.object(beside.getFirst())).isEqualTo(text("by another"));
        cluster.flushUploads();
        node.local.discard(programs.find("/g").id());
        assertThat(programs.read("/g")).isEqualTo(content);
    }

    /** The copy was made by a node that could not say so, and somebody put another object where the first one was. */
    @Test
    void aCopyThatWasNotToldOfIsKnownWhateverCameToTheOldKey() throws Exception {
        TestNode node = cluster.node("a", true);
        Programs programs = node.programs();
        programs.write("/f", text("one"));
        programs.write("/later", text("two"));
        assertThat(node.files.flushUploads(LONG)).isTrue();
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch answered = new CountDownLatch(1);
        cluster.mood = () -> {
            asked.countDown();
            await(answered);
        };
        programs.rename("/f", "/g");
        assertThat(asked.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
        Files.move(cluster.bucket.resolve("f"), cluster.bucket.resolve("g"));
        cluster.putForeign("f", text("by a stranger"));
        cluster.mood = () -> {};
        answered.countDown();
        programs.rename("/later", "/last");
        Awaitility.await().atMost(LONG).until(() -> cluster.hasObject("last"));
        assertThat(cluster.object("f")).isEqualTo(text("by a stranger"));
        node.local.discard(programs.find("/g").id());
        assertThat(programs.read("/g")).isEqualTo(text("one"));
    }

    /** Runs while everything that this cluster asks of the bucket waits. */
    private void whileTheBucketIsHeld(Action before, Action meanwhile) throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        CountDownLatch answered = new CountDownLatch(1);
        cluster.mood = () -> {
            asked.countDown();
            await(answered);
        };
        before.run();
        assertThat(asked.await(LONG.toSeconds(), TimeUnit.SECONDS)).isTrue();
        meanwhile.run();
        cluster.mood = () -> {};
        answered.countDown();
    }

    private interface Action {
        void run() throws Exception;
    }

    /** One that looks into the bucket all the time. */
    private TestNode another() throws IOException {
        return cluster.node("b", TestNode.Setup.of(true).withBucketRefresh(Duration.ofMillis(50)));
    }

    private List<String> conflictsOf(String key) throws IOException {
        return cluster.keys().stream()
                .filter(other -> other.startsWith(key + ".conflict-a-"))
                .toList();
    }

    /** Whether the file is new here or was there before, the stranger's object is neither lost nor in its way. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void whatAStrangerPutWhereAFileGoesIsKeptBesideIt(boolean known) throws Exception {
        TestNode node = cluster.node("a", true);
        Programs programs = node.programs();
        programs.mkdir("/d");
        if (known) {
            programs.write("/d/f", text("before"));
            assertThat(node.files.flushUploads(LONG)).isTrue();
        }
        byte[] ours = OneNodeSuite.bytes(3, 2 * BLOCK + 1);
        whileTheBucketIsHeld(
                () -> programs.write("/d/f", ours), () -> cluster.putForeign("d/f", text("by a stranger")));
        assertThat(node.files.flushUploads(LONG)).isTrue();
        assertThat(cluster.object("d/f")).isEqualTo(ours);
        assertThat(conflictsOf("d/f")).singleElement().satisfies(key -> {
            assertThat(cluster.object(key)).isEqualTo(text("by a stranger"));
            Programs others = another().programs();
            Awaitility.await().until(() -> others.exists("/" + key));
            assertThat(others.read("/" + key)).isEqualTo(text("by a stranger"));
        });
        assertThat(programs.read("/d/f")).isEqualTo(ours);
        assertThat(node.files.conflicts()).isEqualTo(1);
    }

    @Test
    void aLongNameLeavesRoomForThatOfTheConflict() throws Exception {
        TestNode node = cluster.node("a", true);
        String name = "\u00e9".repeat(127);
        assertThat(node.programs().list("/")).isEmpty();
        whileTheBucketIsHeld(
                () -> node.programs().write("/" + name, text("ours")),
                () -> cluster.putForeign(name, text("by a stranger")));
        assertThat(node.files.flushUploads(LONG)).isTrue();
        assertThat(cluster.keys()).hasSize(2).anyMatch(key -> key.matches("\u00e9{90,}\\.conflict-a-.*"));
    }

    @Test
    void aRemovalTakesNoStrangersObjectAlong() throws Exception {
        TestNode node = cluster.node("a", true);
        Programs programs = node.programs();
        programs.write("/f", text("ours"));
        programs.write("/g", text("ours, too"));
        assertThat(node.files.flushUploads(LONG)).isTrue();
        whileTheBucketIsHeld(
                () -> {
                    programs.unlink("/f");
                    programs.unlink("/g");
                },
                () -> cluster.putForeign("f", text("by a stranger")));
        Programs others = another().programs();
        Awaitility.await().atMost(LONG).until(() -> others.exists("/f") && !cluster.hasObject("g"));
        assertThat(others.read("/f")).isEqualTo(text("by a stranger"));
    }

    /** Neither what others put before, nor what is put again and again here, is taken for a stranger's. */
    @Test
    void whatIsKnownIsReplacedWithoutAConflict() throws Exception {
        cluster.putForeign("changed", text("theirs"));
        cluster.putForeign("replaced", text("theirs"));
        cluster.putForeign("again", text("theirs"));
        TestNode node = cluster.node("a", true);
        Programs programs = node.programs();
        assertThat(programs.list("/")).containsExactlyInAnyOrder("changed", "replaced", "again");
        programs.write("/changed", text("ours"));
        programs.write("/new", text("ours"));
        assertThat(node.files.flushUploads(LONG)).isTrue();
        programs.rename("/new", "/replaced");
        programs.unlink("/again");
        programs.write("/again", text("ours"));
        assertThat(node.files.flushUploads(LONG)).isTrue();
        programs.unlink("/again");
        programs.write("/again", text("ours, once more"));
        assertThat(node.files.flushUploads(LONG)).isTrue();
        Awaitility.await()
                .atMost(LONG)
                .untilAsserted(() -> assertThat(cluster.keys()).containsExactly("again", "changed", "replaced"));
        assertThat(cluster.object("replaced")).isEqualTo(text("ours"));
        assertThat(cluster.object("again")).isEqualTo(text("ours, once more"));
        assertThat(node.files.conflicts()).isZero();
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Test
    void aFileThatLivesShortNeverReachesTheBucket() throws Exception {
        AtomicInteger calls = new AtomicInteger();
        TestNode node = cluster.node("a", TestNode.Setup.of(true).withUploadDelay(Duration.ofMillis(300)));
        Programs programs = node.programs();
        programs.list("/");
        cluster.mood = calls::incrementAndGet;
        programs.write("/f", text("x"));
        programs.unlink("/f");
        assertThat(node.files.flushUploads(LONG)).isTrue();
        assertThat(cluster.hasObject("f")).isFalse();
    }

    @Test
    void theBucketAwayStopsNothingThatTheCacheCanServe() throws Exception {
        TestNode node = cluster.node("a", TestNode.Setup.of(true).withBucketRefresh(Duration.ofMillis(1)));
        Programs programs = node.programs();
        programs.write("/f", text("one"));
        assertThat(node.files.flushUploads(LONG)).isTrue();
        cluster.mood = () -> {
            throw new IOException("the bucket is away");
        };
        assertThat(programs.read("/f")).isEqualTo(text("one"));
        programs.write("/g", text("two"));
        assertThat(programs.read("/g")).isEqualTo(text("two"));
        assertThat(node.files.flushUploads(Duration.ofMillis(200))).isFalse();
        assertThat(node.files.pendingUploads()).isEqualTo(new Uploads.Pending(1, 3, 0));
        cluster.mood = () -> {};
        assertThat(node.files.flushUploads(LONG)).isTrue();
        assertThat(cluster.object("g")).isEqualTo(text("two"));
    }

    @Test
    void closeWaitsForTheBucketWhereThatIsAskedFor() throws Exception {
        TestNode node = cluster.node(
                "a", TestNode.Setup.of(true).with(Durability.CLOUD).withUploadDelay(Duration.ofMinutes(5)));
        Programs programs = node.programs();
        byte[] large = OneNodeSuite.bytes(3, 3 * BLOCK);
        programs.write("/f", large);
        assertThat(cluster.object("f")).isEqualTo(large);
        try (Programs.Fd fd = programs.open("/f", Programs.READ_WRITE)) {
            fd.write(0, text("synced"));
            fd.fsync();
            System.arraycopy(text("synced"), 0, large, 0, 6);
            assertThat(cluster.object("f")).isEqualTo(large);
        }
        assertThat(node.files.pendingUploads().files()).isZero();
    }

    @Test
    void aFullDiskFailsNoReadAndWritesWaitForUploads() throws Exception {
        TestNode writer = cluster.node("a", true);
        byte[] content = OneNodeSuite.bytes(1, 20 * BLOCK);
        writer.programs().write("/large", content);
        assertThat(writer.files.flushUploads(LONG)).isTrue();
        writer.close();

        TestNode small = cluster.node(
                "b",
                TestNode.Setup.of(true)
                        .withCapacity(8L * BLOCK, Duration.ofSeconds(10))
                        .withUploadDelay(Duration.ofMinutes(5)));
        Programs programs = small.programs();
        assertThat(programs.read("/large")).isEqualTo(content);
        byte[] piece = OneNodeSuite.bytes(2, 3 * BLOCK);
        for (int i = 0; i < 6; i++) {
            programs.write("/piece" + i, piece);
        }
        for (int i = 0; i < 6; i++) {
            assertThat(programs.read("/piece" + i)).isEqualTo(piece);
        }
        assertThat(programs.read("/large")).isEqualTo(content);
    }

    @Test
    void aFullDiskThatNothingCanEmptySaysSo() throws Exception {
        TestNode small = cluster.node("b", TestNode.Setup.of(false).withCapacity(8L * BLOCK, Duration.ofMillis(200)));
        Programs programs = small.programs();
        programs.list("/");
        cluster.mood = () -> {
            throw new IOException("the bucket is away");
        };
        byte[] piece = OneNodeSuite.bytes(2, 4 * BLOCK);
        programs.write("/one", piece);
        OneNodeSuite.fails(Errno.ENOSPC, () -> {
            for (int i = 0; i < 8; i++) {
                programs.write("/more" + i, piece);
            }
        });
        assertThat(programs.read("/one")).isEqualTo(piece);
        cluster.mood = () -> {};
    }

    @Test
    void uploadsCarryAttributes() throws Exception {
        TestNode node = cluster.node("a", true);
        Programs programs = node.programs();
        programs.write("/f", text("x"));
        programs.chmod("/f", 0751);
        assertThat(node.files.flushUploads(LONG)).isTrue();
        var head = cluster.store().head("f").orElseThrow();
        assertThat(head.attributes()).containsEntry("fusecache-mode", "751");
        assertThat(Arrays.asList("1000:1000", "0:0")).contains(head.attributes().get("fusecache-owner"));
    }
}
