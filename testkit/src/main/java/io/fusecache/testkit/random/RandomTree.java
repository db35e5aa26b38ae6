package io.fusecache.testkit.random;

import io.fusecache.testkit.posix.scene.Violation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Random operations on a tree that is reached through one or several mounts, one after the other, each compared with a model in
 * memory. As a program it does so in any directories that show the same.
 */
public final class RandomTree {
    private static final String USAGE = """
            usage: java --enable-native-access=ALL-UNNAMED -cp fusecache-testkit.jar \
            io.fusecache.testkit.random.RandomTree [--seed N] [--operations N] [--trace FILE] DIRECTORY...
              --seed        which operations (a new one each time)
              --operations  how many (10000)
              --trace       do these operations, a line each, instead
            Several directories are mounts of the same file system. Root must run it.""";

    private static final int OPERATIONS = 10_000;
    private static final TraceText<TreeOperation> TEXT = new TraceText<>(TreeOperation.class);

    private final List<Path> directories;
    private final Surroundings surroundings;
    private final String prefix = "tree-" + Long.toHexString(System.nanoTime()) + "-";
    private final AtomicInteger trees = new AtomicInteger();

    /** @param directories the same one, as each node has it */
    public RandomTree(List<Path> directories, Surroundings surroundings) {
        this.directories = List.copyOf(directories);
        this.surroundings = surroundings;
    }

    /**
     * What is left after a run.
     *
     * @param name of the tree in each of the directories
     * @param files the content of every regular file, with all paths it has below the tree
     */
    public record Left(String name, Map<List<String>, byte[]> files) {}

    /**
     * Runs the operations of a seed on a new tree.
     *
     * @throws Violation at the first difference, with a short trace
     */
    public Left check(long seed, int operations) throws Exception {
        return check("seed " + seed, TreeOperations.of(seed, operations, directories.size(), surroundings));
    }

    /** Runs operations from their text. */
    public Left replay(List<String> trace) throws Exception {
        return check("the trace", TEXT.parse(trace));
    }

    private Left check(String origin, List<TreeOperation> operations) throws Exception {
        String[] name = new String[1];
        TreeRun run = new Experiment<>(TEXT, () -> {
                    name[0] = prefix + trees.incrementAndGet();
                    return new TreeRun(
                            directories.stream()
                                    .map(directory -> directory.resolve(name[0]).toString())
                                    .toList(),
                            surroundings);
                })
                .run(origin, operations);
        Map<TreeModel.File, List<String>> paths = new LinkedHashMap<>();
        run.model().all().forEach((path, node) -> {
            if (node instanceof TreeModel.File file) {
                paths.computeIfAbsent(file, _ -> new ArrayList<>()).add(path);
            }
        });
        Map<List<String>, byte[]> files = new LinkedHashMap<>();
        paths.forEach((file, names) -> files.put(names, file.content()));
        return new Left(name[0], files);
    }

    public static void main(String[] arguments) throws Exception {
        long seed = System.nanoTime();
        int operations = OPERATIONS;
        Path trace = null;
        List<Path> directories = new ArrayList<>();
        Queue<String> words = new ArrayDeque<>(List.of(arguments));
        for (String word = words.poll(); word != null; word = words.poll()) {
            switch (word) {
                case "--seed" -> seed = Long.parseLong(words.remove());
                case "--operations" -> operations = Integer.parseInt(words.remove());
                case "--trace" -> trace = Path.of(words.remove());
                default -> directories.add(Path.of(word).toAbsolutePath());
            }
        }
        if (directories.isEmpty()) {
            System.err.println(USAGE);
            System.exit(2);
            return;
        }
        System.exit(succeeds(new RandomTree(directories, Surroundings.QUIET), trace, seed, operations) ? 0 : 1);
    }

    private static boolean succeeds(RandomTree tree, @Nullable Path trace, long seed, int operations) throws Exception {
        long start = System.nanoTime();
        try {
            if (trace == null) {
                tree.check(seed, operations);
            } else {
                tree.replay(Files.readAllLines(trace));
            }
        } catch (Violation failed) {
            System.out.println("FAILED: " + failed.getMessage());
            return false;
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        System.out.printf(
                "%s in %.1f s%n", trace == null ? "seed " + seed + ": " + operations + " operations" : trace, seconds);
        return true;
    }
}
