package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Entry;
import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.Flags;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.zip.CRC32C;
import java.util.zip.CheckedOutputStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * Directories with very many names, which a node reads by positions while names come and go on another. Of the one in the bucket
 * {@code -Dfusecache.names} says how many.
 */
final class LargeDirectoryIT {
    private static final int NAMES = Integer.getInteger("fusecache.names", 100_000);
    private static final int LOADED_NAMES = 1_000_000;
    private static final int MAX_LINKS = 65_000;
    private static final int CHANGES = 60;
    private static final int SEEK_SET = 0;
    private static final int BUFFER_BYTES = 1 << 16;

    @Test
    void positionsHoldOnOneNodeWhileNamesComeAndGoOnAnother() throws Exception {
        try (Cluster cluster = Cluster.start(2, "-bucket-refresh", "5s");
                var reader =
                        Executors.newSingleThreadExecutor(Thread.ofPlatform().factory())) {
            Path bucket = Files.createDirectory(cluster.bucket().resolve("d"));
            timed("others put them into the bucket", () -> {
                for (int i = 0; i < NAMES; i++) {
                    Files.createFile(bucket.resolve(name(i)));
                }
                return NAMES;
            });
            Path one = cluster.node(1).mount().resolve("d");
            Path two = cluster.node(2).mount().resolve("d");
            assertThat(timed("node 1 takes it over", () -> count(one))).isEqualTo(NAMES);
            assertThat(timed("node 2 lists it", () -> count(two))).isEqualTo(NAMES);
            reader.submit(() -> {
                        try (Arena memory = Arena.ofConfined()) {
                            readOn(Caller.ofThread(memory), one, two, NAMES);
                        }
                        return null;
                    })
                    .get();
            assertThat(timed("node 1 lists it again", () -> count(one))).isEqualTo(NAMES);
            Files.createFile(bucket.resolve("late"));
            timed("one more appears", () -> {
                Awaitility.await("what others put there")
                        .atMost(Duration.ofMinutes(2))
                        .until(() -> Files.exists(two.resolve("late")));
                return 1;
            });
        }
    }

    @Test
    void aMillionNamesAreListedAndLeadToFilesWithAllTheLinksThatThereMayBe() throws Exception {
        try (Cluster cluster = Cluster.start(0);
                var reader =
                        Executors.newSingleThreadExecutor(Thread.ofPlatform().factory())) {
            Path dump = cluster.directory().resolve("dump");
            String coordinator = "localhost:" + cluster.coordinatorPort();
            timed("loaded", () -> {
                writeDump(dump);
                cluster.fusecache("load", "--coordinator", coordinator, dump.toString());
                return LOADED_NAMES;
            });
            Path one = cluster.addNode().mount().resolve("d");
            Path two = cluster.addNode().mount().resolve("d");
            reader.submit(() -> {
                        try (Arena memory = Arena.ofConfined()) {
                            Caller caller = Caller.ofThread(memory);
                            linkUpToTheLast(caller, one, two);
                            readOn(caller, one, two, LOADED_NAMES);
                        }
                        return null;
                    })
                    .get();
        }
    }

    /** One directory, whose names lead to as few files as may be. */
    private static void writeDump(Path dump) throws IOException {
        int files = Math.ceilDiv(LOADED_NAMES, MAX_LINKS);
        CRC32C sum = new CRC32C();
        try (OutputStream all = new BufferedOutputStream(Files.newOutputStream(dump));
                CheckedOutputStream lines = new CheckedOutputStream(all, sum)) {
            line(lines, """
                    {"kind":"fuse-cache-dump","format":1,"written":"2026-01-01T00:00:00Z",\
                    "namespace":"00000000000000000000000000000001","key_prefix":"","next_inode":%d,\
                    "history":9,"trash_keep_millis":0}""".formatted(files + 3));
            line(lines, inode(1, "directory", 3, 1, "", 1, 4));
            line(lines, inode(2, "directory", 2, 1, "d", LOADED_NAMES, LOADED_NAMES + 3));
            for (int i = 0; i < files; i++) {
                int first = i * MAX_LINKS;
                int links = Math.min(MAX_LINKS, LOADED_NAMES - first);
                line(lines, inode(i + 3, "fifo", links, 2, name(first), 0, 3));
            }
            line(lines, entry(1, "d", 2, 3));
            for (int i = 0; i < LOADED_NAMES; i++) {
                line(lines, entry(2, name(i), i / MAX_LINKS + 3, i + 3));
            }
            line(lines, """
                    {"kind":"end","lines":%d,"inodes":%d,"used_bytes":0,"crc32c":"%08x"}""".formatted(files + LOADED_NAMES + 4, files + 2, sum.getValue()));
        }
    }

    private static String inode(
            int inode, String type, int links, int parent, String name, int entries, int nextCookie) {
        String time = "\"1700000000.000000000\"";
        return """
                {"kind":"inode","inode":%d,"type":"%s","mode":"0755","uid":0,"gid":0,"links":%d,"size":0,"used_bytes":0,\
                "device":0,"accessed":%s,"modified":%s,"changed":%s,"born":%s,"version":0,"extended":false,\
                "parent":%d,%s"entries":%d,"next_cookie":%d}""".formatted(
                        inode,
                        type,
                        links,
                        time,
                        time,
                        time,
                        time,
                        parent,
                        name.isEmpty() ? "" : "\"name\":\"" + name + "\",",
                        entries,
                        nextCookie);
    }

    private static String entry(int directory, String name, int inode, int cookie) {
        return """
                {"kind":"entry","directory":%d,"name":"%s","inode":%d,"cookie":%d,"history":1}""".formatted(directory, name, inode, cookie);
    }

    private static void line(OutputStream to, String line) throws IOException {
        to.write((line + "\n").getBytes(StandardCharsets.UTF_8));
    }

    private static void linkUpToTheLast(Caller caller, Path one, Path two) {
        String full = one.resolve(name(0)).toString();
        caller.statx(Flags.AT_FDCWD, full, 0, Flags.STATX_BASIC_STATS).is(0);
        assertThat(caller.answeredStat().links()).isEqualTo(MAX_LINKS);
        caller.link(full, one.resolve("x").toString()).fails(Errno.EMLINK);
        caller.unlink(two.resolve(name(1)).toString()).is(0);
        caller.link(full, one.resolve(name(1)).toString()).is(0);
        caller.link(two.resolve(name(0)).toString(), two.resolve("x").toString())
                .fails(Errno.EMLINK);
    }

    private static void readOn(Caller caller, Path one, Path two, int names) throws Exception {
        int fd = caller.open(two.toString(), Flags.O_RDONLY | Flags.O_DIRECTORY).okInt();
        List<Entry> all = new ArrayList<>(names + 2);
        timed("listed with their places", () -> {
            all.addAll(caller.entries(fd));
            return all.size();
        });
        assertThat(all).extracting(Entry::name).doesNotHaveDuplicates().hasSize(names + 2);
        for (int i = 0; i < all.size(); i += names / 20) {
            assertThat(after(caller, fd, all.get(i).offset()))
                    .as("from position " + i)
                    .isEqualTo(all.subList(i + 1, Math.min(all.size(), i + 11)));
        }

        caller.lseek(fd, 0, SEEK_SET).ok();
        List<Entry> read = new ArrayList<>();
        while (read.size() < names / 2) {
            read.addAll(caller.answeredEntries(caller.getdents(fd, BUFFER_BYTES).ok()));
        }
        Entry told = read.getLast();
        List<Entry> left = all.subList(read.size(), all.size());
        assertThat(read).isEqualTo(all.subList(0, read.size()));

        // On the other node: what was told last goes, and as many on both sides of it as come.
        Set<String> removed = new HashSet<>(Set.of(told.name()));
        for (int i = 2; removed.size() < CHANGES; i += 3) {
            removed.add(read.get(read.size() - i).name());
            removed.add(left.get(i).name());
        }
        timed("changed on the other node", () -> {
            for (String name : removed) {
                Files.delete(one.resolve(name));
                Files.createFile(one.resolve("new-" + name));
            }
            return removed.size();
        });

        // What went or came after a stream was begun may show in it or not: readdir(3p).
        List<Entry> expected = staying(left, removed);
        assertThat(staying(caller.entries(fd), removed)).as("read on").isEqualTo(expected);
        caller.lseek(fd, told.offset(), SEEK_SET).ok();
        assertThat(staying(caller.entries(fd), removed))
                .as("from the place of a name that is gone")
                .isEqualTo(expected);
        int other =
                caller.open(two.toString(), Flags.O_RDONLY | Flags.O_DIRECTORY).okInt();
        caller.lseek(other, told.offset(), SEEK_SET).ok();
        assertThat(staying(caller.entries(other), removed))
                .as("in another stream")
                .isEqualTo(expected);
        caller.close(other).is(0);
        caller.lseek(fd, 0, SEEK_SET).ok();
        Set<String> now = new HashSet<>();
        caller.entries(fd).forEach(entry -> assertThat(now.add(entry.name())).isTrue());
        assertThat(now).hasSize(names + 2).doesNotContainAnyElementsOf(removed);
        caller.close(fd).is(0);
    }

    /** The next few. */
    private static List<Entry> after(Caller caller, int fd, long offset) {
        caller.lseek(fd, offset, SEEK_SET).ok();
        List<Entry> next = caller.answeredEntries(caller.getdents(fd, 4096).ok());
        return next.subList(0, Math.min(10, next.size()));
    }

    private static List<Entry> staying(List<Entry> entries, Set<String> removed) {
        return entries.stream()
                .filter(entry -> !entry.name().startsWith("new-") && !removed.contains(entry.name()))
                .toList();
    }

    private static String name(int i) {
        return "object-%07d".formatted(i);
    }

    private static long count(Path directory) throws Exception {
        try (var names = Files.newDirectoryStream(directory)) {
            long count = 0;
            for (Path name : names) {
                assertThat(name).isNotNull();
                count++;
            }
            return count;
        }
    }

    private interface Counting {
        long count() throws Exception;
    }

    private static long timed(String what, Counting work) throws Exception {
        Instant start = Instant.now();
        long count = work.count();
        System.out.printf("%,d names: %s in %s%n", count, what, Duration.between(start, Instant.now()));
        return count;
    }
}
