package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Entry;
import io.fusecache.testkit.posix.scene.Flags;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Executors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * A directory of the bucket with very many names: one node takes it over, another reads it by positions while names come and go.
 * As many names as {@code -Dfusecache.names} says.
 */
final class LargeDirectoryIT {
    private static final int NAMES = Integer.getInteger("fusecache.names", 100_000);
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
                            readOn(Caller.ofThread(memory), one, two);
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

    private static void readOn(Caller caller, Path one, Path two) throws Exception {
        int fd = caller.open(two.toString(), Flags.O_RDONLY | Flags.O_DIRECTORY).okInt();
        List<Entry> all = caller.entries(fd);
        assertThat(all).extracting(Entry::name).doesNotHaveDuplicates().hasSize(NAMES + 2);
        for (int i = 0; i < all.size(); i += NAMES / 20) {
            assertThat(after(caller, fd, all.get(i).offset()))
                    .as("from position " + i)
                    .isEqualTo(all.subList(i + 1, Math.min(all.size(), i + 11)));
        }

        caller.lseek(fd, 0, SEEK_SET).ok();
        List<Entry> read = new ArrayList<>();
        while (read.size() < NAMES / 2) {
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
        assertThat(now).hasSize(NAMES + 2).doesNotContainAnyElementsOf(removed);
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
