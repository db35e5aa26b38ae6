package io.fusecache.tiers.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.cache.BlockChecksum;
import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CachedFile;
import io.fusecache.cache.LocalTier;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.testkit.ChannelDisk;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.io.TempDir;

/** A process that is killed with SIGKILL in the middle of its work: what it said was done is there, whole. */
final class KilledProcessIT {
    private static final int BLOCK = 4096;
    private static final int BLOCKS = 3;
    private static final int STEPS_BEFORE_KILL = 400;

    @TempDir
    Path directory;

    private static NvmeTier open(Path directory, BufferArena buffers) throws IOException {
        return NvmeTier.open(
                NvmeOptions.of(List.of(directory), "v", new NodeId("n"), 1L << 30, 0),
                new ChannelDisk(),
                buffers,
                InstantSource.system());
    }

    private static BufferArena buffers() {
        return new BufferArena(1 << 20, BLOCK, 1 << 20);
    }

    private static void fill(MemorySegment target, long seed) {
        for (long i = 0; i < target.byteSize(); i++) {
            target.set(ValueLayout.JAVA_BYTE, i, (byte) (seed * 31 + i * 7 + (i >> 8)));
        }
    }

    private static long seed(long ino, int block) {
        return ino * 100 + block;
    }

    /** Fetches even inodes and writes odd ones, and says so after each. */
    public static final class Worker {
        private Worker() {}

        public static void main(String[] arguments) throws IOException {
            try (Arena memory = Arena.ofConfined();
                    BufferArena buffers = buffers()) {
                NvmeTier tier = open(Path.of(arguments[0]), buffers);
                MemorySegment block = memory.allocate(BLOCK);
                for (long ino = 0; ; ino++) {
                    if (ino % 2 == 0) {
                        fetched(tier, ino, block);
                    } else {
                        written(tier, ino, block);
                    }
                }
            }
        }

        private static void fetched(NvmeTier tier, long ino, MemorySegment block) throws IOException {
            FileVersion version = new FileVersion(ino, 1, BLOCK * BLOCKS, BLOCK, null, new ObjectRef("k", "e"));
            try (CachedFile file = tier.create(version)) {
                for (int b = 0; b < BLOCKS; b++) {
                    fill(block, seed(ino, b));
                    file.store(b, block);
                    System.out.println("stored " + ino + " " + b);
                }
            }
        }

        private static void written(NvmeTier tier, long ino, MemorySegment block) throws IOException {
            try (CachedFile file = tier.create(FileVersion.empty(ino, BLOCK))) {
                file.beginWriting();
                int[] sums = new int[BLOCKS];
                for (int b = 0; b < BLOCKS; b++) {
                    fill(block, seed(ino, b));
                    file.file().write((long) b * BLOCK, block);
                    sums[b] = BlockChecksum.of(block);
                }
                file.committed(new FileVersion(ino, 1, BLOCK * BLOCKS, BLOCK, sums, null), false);
                System.out.println("committed " + ino + " 0");
            }
        }
    }

    @RepeatedTest(3)
    void whatItSaidWasDoneIsThere() throws Exception {
        Process worker = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx128m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Worker.class.getName(),
                        directory.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        Map<Long, Integer> stored = new HashMap<>();
        Map<Long, Boolean> committed = new HashMap<>();
        try (BufferedReader said = worker.inputReader()) {
            for (int step = 0; step < STEPS_BEFORE_KILL; step++) {
                note(said.readLine(), stored, committed);
            }
            // Through the handle: the process itself would close the pipe, and what was said last with it.
            assertThat(worker.toHandle().destroyForcibly()).isTrue();
            said.lines().filter(line -> line.split(" ", -1).length == 3).forEach(l -> note(l, stored, committed));
        }
        worker.waitFor();
        assertThat(committed).hasSizeGreaterThan(50);
        try (BufferArena buffers = buffers();
                NvmeTier tier = open(directory, buffers)) {
            Map<Long, LocalTier.Unpersisted> unpersisted =
                    tier.unpersisted().stream().collect(Collectors.toMap(LocalTier.Unpersisted::ino, u -> u));
            for (Map.Entry<Long, Integer> entry : stored.entrySet()) {
                check(tier, entry.getKey(), entry.getValue());
                assertThat(unpersisted).doesNotContainKey(entry.getKey());
            }
            for (long ino : committed.keySet()) {
                check(tier, ino, BLOCKS);
                assertThat(unpersisted.get(ino)).isNotNull().matches(u -> !u.writing());
            }
            tier.awaitScan();
            assertThat(tier.usage().corruptBlocks()).isZero();
        }
    }

    private static void note(String line, Map<Long, Integer> stored, Map<Long, Boolean> committed) {
        String[] words = line.split(" ", -1);
        if (words[0].equals("stored")) {
            stored.put(Long.parseLong(words[1]), Integer.parseInt(words[2]) + 1);
        } else if (words[0].equals("committed")) {
            committed.put(Long.parseLong(words[1]), true);
        }
    }

    private static void check(NvmeTier tier, long ino, int blocks) throws IOException {
        Optional<CachedFile> found = tier.find(ino);
        assertThat(found).as("inode " + ino).isPresent();
        try (CachedFile file = found.get();
                Arena memory = Arena.ofConfined()) {
            assertThat(file.verify(0, BLOCKS)).isTrue();
            MemorySegment expected = memory.allocate(BLOCK);
            MemorySegment read = memory.allocate(BLOCK);
            for (int b = 0; b < blocks; b++) {
                fill(expected, seed(ino, b));
                assertThat(file.present().get(b))
                        .as("block %d of inode %d", b, ino)
                        .isTrue();
                file.read((long) b * BLOCK, read);
                assertThat(read.mismatch(expected)).isEqualTo(-1);
            }
        }
    }
}
