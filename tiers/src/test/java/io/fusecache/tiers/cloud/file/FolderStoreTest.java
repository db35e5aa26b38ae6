package io.fusecache.tiers.cloud.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.metadata.ObjectRef;
import io.fusecache.tiers.cloud.ObjectStore;
import io.fusecache.tiers.cloud.ObjectStore.Depth;
import io.fusecache.tiers.cloud.ObjectStore.Listed;
import io.fusecache.tiers.cloud.ObjectStore.Page;
import io.fusecache.tiers.cloud.ObjectStore.Upload;
import io.fusecache.tiers.cloud.ObjectStoreContract;
import io.fusecache.tiers.cloud.RefusedException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class FolderStoreTest extends ObjectStoreContract {
    @TempDir
    Path folder;

    @Override
    protected Optional<ObjectStore> copyingAtMost(long bytes) {
        return Optional.of(new FolderStore(folder, new FolderStore.Options(false, true, 7, bytes)));
    }

    @Override
    protected ObjectStore open() {
        return new FolderStore(folder, new FolderStore.Options(false, true, 7));
    }

    @Test
    void objectsArePlainFiles() throws Exception {
        put("a/b/c", 1000, 1);
        assertThat(folder.resolve("a/b/c")).hasBinaryContent(array(1000, 1));
    }

    @Test
    void attributesAreReadByOrdinaryTools() throws Exception {
        store.put("k", bytes(10, 1), Map.of("fusecache-mode", "755"));
        Process getfattr = new ProcessBuilder(
                        "python3", "-c", "import os; print(os.getxattr('k', 'user.fusecache').decode())")
                .directory(folder.toFile())
                .start();
        assertThat(new String(getfattr.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                .contains("fusecache-mode=755\n");
    }

    @Test
    void whatOthersPutIsThere() throws Exception {
        store.check();
        Files.createDirectories(folder.resolve("x/y"));
        Files.write(folder.resolve("x/y/z"), array(100, 5));
        assertThat(tree("")).containsExactly("x/y/z");
        ObjectRef object = store.head("x/y/z").orElseThrow().object();
        assertThat(read(object, 0, 100)).isEqualTo(array(100, 5));
        assertThat(store.list("x/y/", Depth.LEVEL, null).objects().getFirst().etag())
                .isEqualTo(object.etag());
    }

    @Test
    void whatOthersChangeInPlaceIsNoticed() throws Exception {
        ObjectRef object = store.put("k", bytes(100, 1), ATTRIBUTES);
        Files.write(folder.resolve("k"), array(100, 2));
        Files.setLastModifiedTime(folder.resolve("k"), FileTime.fromMillis(1));
        assertThat(store.read(object, 0, memory.allocate(100))).isFalse();
        assertThat(store.head("k").orElseThrow().attributes())
                .as("attributes of the bytes that were there before")
                .isEmpty();
    }

    @Test
    void attributesSurviveACopyThatKeepsThem() throws Exception {
        store.put("k", bytes(100, 1), ATTRIBUTES);
        Process cp = new ProcessBuilder("cp", "-a", "k", "l")
                .directory(folder.toFile())
                .start();
        assertThat(cp.waitFor()).isZero();
        assertThat(store.head("l").orElseThrow().attributes()).isEqualTo(ATTRIBUTES);
    }

    @Test
    void anEmptyFolderOfOthersIsADirectory() throws Exception {
        Files.createDirectory(folder.resolve("d"));
        assertThat(level("")).containsExactly("d/");
        assertThat(store.head("d/")).isPresent();
        store.delete("d/");
        assertThat(folder.resolve("d")).doesNotExist();
    }

    @Test
    void foldersGoWithTheLastObjectUnlessMarked() throws Exception {
        put("a/b/c/d", 1, 1);
        store.put("a/", MemorySegment.NULL, Map.of());
        store.delete("a/b/c/d");
        assertThat(folder.resolve("a")).isEmptyDirectory();
    }

    @Test
    void ownRecordsAreNotShown() throws Exception {
        put(".fusecache/objects/1f", 10, 1);
        put("k", 1, 1);
        assertThat(level("")).containsExactly("k");
        assertThat(tree("")).containsExactly("k");
        assertThat(tree(".fusecache/")).containsExactly(".fusecache/objects/1f");
        assertThatThrownBy(() -> put(".fusecache/tmp/x", 1, 1)).isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> store.delete(".fusecache/lock")).isInstanceOf(RefusedException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "/etc/passwd",
                "..",
                "../x",
                "a/../../x",
                "a/..",
                ".",
                "./a",
                "a//b",
                "a\0b",
                "a/./b",
                "\ud800"
            })
    void noKeyLeavesTheFolder(String key) {
        assertThatThrownBy(() -> store.put(key, bytes(1, 1), Map.of())).isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> store.head(key)).isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> store.delete(key)).isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> store.read(new ObjectRef(key, "e"), 0, memory.allocate(1)))
                .isInstanceOf(RefusedException.class);
    }

    @Test
    void namesThatNoFileCanHaveAreRefused() {
        assertThatThrownBy(() -> put("x".repeat(256), 1, 1)).isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> put("日".repeat(86), 1, 1)).isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> put("abc/".repeat(256) + "d", 1, 1)).isInstanceOf(RefusedException.class);
    }

    @Test
    void linksAreNotFollowed(@TempDir Path outside) throws Exception {
        Files.write(outside.resolve("secret"), array(10, 1));
        store.check();
        Files.createSymbolicLink(folder.resolve("out"), outside);
        Files.createSymbolicLink(folder.resolve("file"), outside.resolve("secret"));
        assertThat(tree("")).isEmpty();
        assertThat(level("out/")).isEmpty();
        assertThat(store.head("out/secret")).isEmpty();
        assertThat(store.head("file")).isEmpty();
        store.delete("out/secret");
        store.delete("file");
        assertThatThrownBy(() -> put("out/new", 1, 1)).isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> store.put("out/d/", MemorySegment.NULL, Map.of()))
                .isInstanceOf(RefusedException.class);
        try (Stream<Path> there = Files.list(outside)) {
            assertThat(there).containsExactly(outside.resolve("secret"));
        }
        put("file", 3, 2);
        assertThat(folder.resolve("file")).isRegularFile().hasBinaryContent(array(3, 2));
        assertThat(outside.resolve("secret")).hasBinaryContent(array(10, 1));
    }

    @Test
    void theRootItselfMayBeALink(@TempDir Path elsewhere) throws Exception {
        Path link = Files.createSymbolicLink(elsewhere.resolve("link"), folder);
        try (FolderStore linked = new FolderStore(link)) {
            linked.put("a/k", bytes(10, 1), Map.of());
            assertThat(read(linked.head("a/k").orElseThrow().object(), 0, 10)).isEqualTo(array(10, 1));
        }
    }

    @Test
    void anObjectAndKeysBelowItCannotBothBe() throws Exception {
        put("a", 10, 1);
        assertThatThrownBy(() -> put("a/b", 1, 1))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("'a' is an object")
                .hasMessageContaining("remove that first");
        assertThatThrownBy(() -> put("a/b/c", 1, 1)).isInstanceOf(RefusedException.class);
        put("d/e", 10, 1);
        assertThatThrownBy(() -> put("d", 1, 1))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("keys below 'd/'");
        assertThat(tree("")).containsExactlyInAnyOrder("a", "d/e");
        assertThat(temporaryFiles()).isEmpty();
    }

    @Test
    void anEmptyFolderGivesWayToAnObject() throws Exception {
        Files.createDirectory(folder.resolve("d"));
        ObjectRef object = put("d", 10, 1);
        assertThat(read(object, 0, 10)).isEqualTo(array(10, 1));
    }

    @Test
    void whatDeadProcessesLeftIsSwept() throws Exception {
        store.startUpload("mine", 10, 10, Map.of());
        Path all = folder.resolve(".fusecache/tmp");
        Path dead = Files.createDirectory(all.resolve("a-dead-process.1"));
        Files.createFile(dead.resolve("lock"));
        Files.write(dead.resolve("1"), new byte[100]);
        Files.createFile(all.resolve("another.1.lock"));
        try (FolderStore next = new FolderStore(folder)) {
            next.check();
            assertThat(dead).doesNotExist();
            assertThat(temporaryFiles()).as("the upload that is under way").hasSize(1);
        }
        store.close();
        try (Stream<Path> left = Files.list(all)) {
            assertThat(left).isEmpty();
        }
    }

    @Test
    void whatALiveProcessWritesIsNotSwept() throws Exception {
        store.check();
        Path live = Files.createDirectory(folder.resolve(".fusecache/tmp/a-live-process.1"));
        Path lock = Files.createFile(live.resolve("lock"));
        Files.createFile(live.resolve("1"));
        String script =
                "import fcntl,sys; f=open(sys.argv[1],'r+'); fcntl.lockf(f, fcntl.LOCK_EX); print('locked', flush=True);"
                        + " sys.stdin.read()";
        Process other = new ProcessBuilder("python3", "-c", script, lock.toString()).start();
        try (FolderStore next = new FolderStore(folder)) {
            assertThat(other.inputReader().readLine()).isEqualTo("locked");
            next.check();
            assertThat(live.resolve("1")).exists();
        } finally {
            other.outputWriter().close();
            other.waitFor();
        }
        try (FolderStore next = new FolderStore(folder)) {
            next.check();
            assertThat(live).doesNotExist();
        }
    }

    @Test
    void failedPutsLeaveNoTemporaryFile() throws Exception {
        Upload upload = store.startUpload("k", 10, 10, Map.of());
        assertThat(temporaryFiles()).hasSize(1);
        assertThatThrownBy(() -> putPart(upload, 1, bytes(9, 1))).isInstanceOf(RefusedException.class);
        store.abortUpload(upload);
        assertThat(temporaryFiles()).isEmpty();
        assertThatThrownBy(() -> putPart(upload, 1, bytes(10, 1))).isInstanceOf(RefusedException.class);
    }

    @Test
    void aFolderThatIsNotThereIsNotAnEmptyBucket() throws Exception {
        try (FolderStore missing = new FolderStore(folder.resolve("missing"))) {
            assertThatThrownBy(() -> missing.list("", Depth.LEVEL, null))
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("mkdir -p " + folder.resolve("missing"));
        }
        Path bucket = Files.createDirectory(folder.resolve("bucket"));
        try (FolderStore replaced = new FolderStore(bucket)) {
            replaced.put("k", bytes(1, 1), Map.of());
            Files.move(bucket, folder.resolve("gone"));
            Files.createDirectory(bucket);
            assertThatThrownBy(() -> replaced.list("", Depth.LEVEL, null))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("still mounted");
        }
    }

    @Test
    void aFileIsNoBucket() throws Exception {
        Path file = Files.createFile(folder.resolve("file"));
        try (FolderStore wrong = new FolderStore(file)) {
            assertThatThrownBy(wrong::check)
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("not a folder");
        }
    }

    @Test
    void aNameThatIsNotUtf8HasNoKey() throws Exception {
        put("d/k", 1, 1);
        Files.createFile(Path.of(URI.create("file://" + folder.toUri().getRawPath() + "d/%ff%fe")));
        assertThat(level("d/")).containsExactly("d/k");
        store.delete("d/k");
        assertThat(folder.resolve("d")).isNotEmptyDirectory();
    }

    @Test
    void pagesShowWhatIsThereThroughoutOnceWhileNamesComeAndGo() throws Exception {
        for (int i = 10; i < 60; i++) {
            put("d/" + i, 1, i);
        }
        List<String> seen = new ArrayList<>();
        Page page = store.list("d/", Depth.LEVEL, null);
        for (int i = 10; page.continuation() != null; i += 5) {
            page.objects().forEach(object -> seen.add(object.key()));
            store.delete("d/" + i);
            put("d/" + i + "-new", 1, i);
            Page again = store.list("d/", Depth.LEVEL, page.continuation());
            assertThat(store.list("d/", Depth.LEVEL, page.continuation()))
                    .as("what is asked for again")
                    .isEqualTo(again);
            page = again;
        }
        page.objects().forEach(object -> seen.add(object.key()));
        assertThat(seen).doesNotHaveDuplicates().isSorted();
        List<String> throughout = IntStream.range(10, 60)
                .filter(i -> i % 5 != 0)
                .mapToObj(i -> "d/" + i)
                .toList();
        assertThat(seen).containsAll(throughout);
    }

    @Test
    void aListingThatBeginsLaterShowsWhatCameMeanwhile() throws Exception {
        for (int i = 10; i < 60; i++) {
            put("d/" + i, 1, i);
        }
        Page first = store.list("d/", Depth.LEVEL, null);
        put("d/30-new", 1, 1);
        assertThat(level("d/")).contains("d/30-new");
        assertThat(store.list("d/", Depth.LEVEL, first.continuation()).objects())
                .extracting(Listed::key)
                .startsWith("d/17");
    }

    /** Java's own encoding of names follows the locale, and in this one it has no letter beyond ASCII. */
    @Test
    void keysAreTheSameBytesInTheCLocale() throws Exception {
        ProcessBuilder child = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                KeysInAnyLocale.class.getName(),
                folder.toString());
        child.environment().put("LC_ALL", "C");
        Process process = child.redirectErrorStream(true).start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(tree("")).containsExactly(KeysInAnyLocale.KEY);
    }

    @Test
    void markersAndObjectsComeAndGoTogether() throws Exception {
        try (ExecutorService workers = Executors.newVirtualThreadPerTaskExecutor();
                FolderStore other = new FolderStore(folder, new FolderStore.Options(false, true, 100))) {
            List<Future<?>> all = Stream.of(1, 2, 3, 4)
                    .<Future<?>>map(worker -> workers.submit(() -> {
                        ObjectStore mine = worker % 2 == 0 ? store : other;
                        for (int i = 0; i < 200; i++) {
                            mine.put("d/e/" + worker, MemorySegment.NULL, Map.of());
                            mine.put("d/e/", MemorySegment.NULL, Map.of());
                            mine.delete("d/e/" + worker);
                            assertThat(mine.head("d/e/")).isPresent();
                        }
                        return worker;
                    }))
                    .toList();
            for (Future<?> worker : all) {
                worker.get();
            }
        }
        store.delete("d/e/");
        assertThat(tree("")).isEmpty();
    }

    private List<Path> temporaryFiles() throws IOException {
        try (Stream<Path> files = Files.walk(folder.resolve(".fusecache/tmp"))) {
            return files.filter(Files::isRegularFile)
                    .filter(file -> !file.getFileName().toString().equals("lock"))
                    .toList();
        }
    }
}
