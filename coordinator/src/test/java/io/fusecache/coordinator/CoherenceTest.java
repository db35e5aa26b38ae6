package io.fusecache.coordinator;

import static io.fusecache.coordinator.SessionsTest.file;
import static io.fusecache.coordinator.SessionsTest.name;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three nodes change and read the same few files at once, through their caches: a read that begins after a change has
 * returned, on whichever node, sees it. Leases are so few that they are asked back all the time.
 */
final class CoherenceTest {
    private static final int FILES = 24;
    private static final int THREADS_PER_NODE = 3;
    private static final Duration LONG = Duration.ofSeconds(4);

    /** One thing that only grows: what it is known to have reached, and a lock that orders its changes. */
    private static final class Cell {
        final Inode inode;
        final String name;
        final AtomicLong reachedTime = new AtomicLong();
        final AtomicLong reachedInode = new AtomicLong();

        Cell(Inode inode, String name) {
            this.inode = inode;
            this.name = name;
        }
    }

    @TempDir
    Path folder;

    private final Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
    private final AtomicLong reads = new AtomicLong();

    @Test
    void noReadIsOlderThanAChangeThatHasReturned() throws Exception {
        SessionLimits few = new SessionLimits(Duration.ofSeconds(10), 16, 100);
        try (Coordinator coordinator = Coordinator.open(folder, few);
                Metadata a = coordinator.connect(new NodeId("a"), new Recorder());
                Metadata b = coordinator.connect(new NodeId("b"), new Recorder());
                Metadata c = coordinator.connect(new NodeId("c"), new Recorder())) {
            List<Cell> cells = new ArrayList<>();
            for (int i = 0; i < FILES; i++) {
                a.create(Inode.ROOT, name("n" + i), file(false));
                cells.add(new Cell(a.create(Inode.ROOT, name("f" + i), file(false)), "n" + i));
            }
            long end = System.nanoTime() + LONG.toNanos();
            List<Thread> threads = new ArrayList<>();
            for (Metadata node : List.of(a, b, c)) {
                for (int i = 0; i < THREADS_PER_NODE; i++) {
                    Random random = new Random(threads.size());
                    threads.add(Thread.startVirtualThread(() -> work(node, cells, random, end)));
                }
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(failures).isEmpty();
            assertThat(reads.get()).isGreaterThan(1000);
            assertThat(coordinator.sessions().recallsSent()).isGreaterThan(100);
        }
    }

    private void work(Metadata node, List<Cell> cells, Random random, long end) {
        try {
            while (System.nanoTime() < end && failures.isEmpty()) {
                Cell cell = cells.get(random.nextInt(cells.size()));
                switch (random.nextInt(20)) {
                    case 0 -> stamp(node, cell);
                    case 1 -> replace(node, cell, random);
                    default -> read(node, cell);
                }
            }
        } catch (Exception | AssertionError e) {
            failures.add(e);
        }
    }

    private static void stamp(Metadata node, Cell cell) throws Exception {
        synchronized (cell) {
            long next = cell.reachedTime.get() + 1;
            Timestamp time = new Timestamp(next, 0);
            node.setAttributes(cell.inode.ino(), new AttributeChange(null, null, null, null, time, false));
            cell.reachedTime.set(next);
        }
    }

    /** A new file, so one with a greater number, takes the name. */
    private static void replace(Metadata node, Cell cell, Random random) throws Exception {
        synchronized (cell) {
            String draft = cell.name + ".draft" + random.nextLong();
            Inode made = node.create(Inode.ROOT, name(draft), file(false));
            node.rename(Inode.ROOT, name(draft), Inode.ROOT, name(cell.name), 0);
            cell.reachedInode.set(made.ino());
        }
    }

    private void read(Metadata node, Cell cell) throws Exception {
        long time = cell.reachedTime.get();
        assertThat(node.inode(cell.inode.ino()).modified().seconds()).isGreaterThanOrEqualTo(time == 0 ? 0 : time);
        long ino = cell.reachedInode.get();
        assertThat(node.lookup(Inode.ROOT, name(cell.name)).ino()).isGreaterThanOrEqualTo(ino);
        reads.incrementAndGet();
    }
}
