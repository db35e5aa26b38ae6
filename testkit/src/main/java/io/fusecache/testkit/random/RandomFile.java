package io.fusecache.testkit.random;

import io.fusecache.testkit.posix.scene.Violation;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Random operations on one file, compared with a model in memory. As a program it does so in any directory: a failure prints
 * its seed and the number of the operation, and a short list of operations that fails as well.
 */
public final class RandomFile {
    private static final String USAGE = """
            usage: java --enable-native-access=ALL-UNNAMED -cp fusecache-testkit.jar \
            io.fusecache.testkit.random.RandomFile [--seed N] [--operations N] [--trace FILE] DIRECTORY
              --seed        which operations (a new one each time)
              --operations  how many (100000)
              --trace       do these operations, a line each, instead""";

    private static final int OPERATIONS = 100_000;
    private static final int MAX_BYTES = 3 << 20;
    private static final TraceText<FileOperation> TEXT = new TraceText<>(FileOperation.class);

    private final Path directory;
    private final Surroundings surroundings;
    private final String prefix = "file-" + Long.toHexString(System.nanoTime()) + "-";
    private final AtomicInteger files = new AtomicInteger();

    public RandomFile(Path directory, Surroundings surroundings) {
        this.directory = directory;
        this.surroundings = surroundings;
    }

    /** What is left after a run: the file, closed, and what it must contain. */
    public record Left(Path file, byte[] content) {}

    /**
     * Runs the operations of a seed on a new file.
     *
     * @throws Violation at the first difference, with a short trace
     */
    public Left check(long seed, int operations) throws Exception {
        return check("seed " + seed, FileOperations.of(seed, operations, MAX_BYTES, surroundings));
    }

    /** Runs operations from their text. */
    public Left replay(List<String> trace) throws Exception {
        return check("the trace", TEXT.parse(trace));
    }

    private Left check(String origin, List<FileOperation> operations) throws Exception {
        FileRun run =
                new Experiment<>(TEXT, () -> new FileRun(next(), MAX_BYTES, surroundings)).run(origin, operations);
        return new Left(run.file(), run.content());
    }

    private Path next() {
        return directory.resolve(prefix + files.incrementAndGet());
    }

    public static void main(String[] arguments) throws Exception {
        long seed = System.nanoTime();
        int operations = OPERATIONS;
        Path trace = null;
        Path directory = null;
        Queue<String> words = new ArrayDeque<>(List.of(arguments));
        for (String word = words.poll(); word != null; word = words.poll()) {
            switch (word) {
                case "--seed" -> seed = Long.parseLong(words.remove());
                case "--operations" -> operations = Integer.parseInt(words.remove());
                case "--trace" -> trace = Path.of(words.remove());
                default -> directory = Path.of(word).toAbsolutePath();
            }
        }
        if (directory == null) {
            System.err.println(USAGE);
            System.exit(2);
            return;
        }
        System.exit(succeeds(new RandomFile(directory, Surroundings.QUIET), trace, seed, operations) ? 0 : 1);
    }

    private static boolean succeeds(RandomFile file, @Nullable Path trace, long seed, int operations) throws Exception {
        long start = System.nanoTime();
        try {
            Left left = trace == null ? file.check(seed, operations) : file.replay(Files.readAllLines(trace));
            Files.delete(left.file());
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
