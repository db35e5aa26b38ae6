package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/**
 * A program that makes, renames, removes and appends to files of a directory all the time, and says so, operation by operation. In a
 * process of its own: to start another one closes what the test itself has open, which on a mount waits for the coordinator.
 */
final class RecordedWriter implements AutoCloseable {
    /** Of so many files one is left. */
    private static final int LEFT_EVERY = 8;

    private static final Duration GOES_ON_WITHIN = Duration.ofSeconds(90);

    private final String name;
    private final Process process;
    private final Thread reader;
    private final List<Operation> done = new ArrayList<>();
    private final StringBuilder said = new StringBuilder();

    /** What the program did, one line each. */
    private record Operation(String kind, int round, long micros) {}

    private RecordedWriter(String name, Process process) {
        this.name = name;
        this.process = process;
        this.reader = Thread.ofPlatform().daemon().name(name + "-operations").start(this::read);
    }

    static RecordedWriter start(String name, Path directory) throws IOException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        RecordedWriter.class.getName(),
                        directory.toString(),
                        name)
                .redirectErrorStream(true)
                .start();
        return new RecordedWriter(name, process);
    }

    /** The program: until something comes on its standard input, or an operation fails. */
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        String name = arguments[1];
        Path appended = directory.resolve(name + ".log");
        Work work = new Work(System.out);
        work.run("create", 0, () -> Files.writeString(appended, "", StandardOpenOption.CREATE_NEW));
        for (int i = 0; System.in.available() == 0; i++) {
            String text = name + " " + i + "\n";
            Path made = directory.resolve(name + "-" + i);
            Path moved = directory.resolve(name + "-" + i + ".moved");
            work.run("create", i, () -> Files.writeString(made, text, StandardOpenOption.CREATE_NEW));
            work.run("rename", i, () -> Files.move(made, moved, StandardCopyOption.ATOMIC_MOVE));
            work.run("append", i, () -> Files.writeString(appended, text, StandardOpenOption.APPEND));
            if (i % LEFT_EVERY != 0) {
                work.run("unlink", i, () -> Files.delete(moved));
            }
        }
    }

    /** Tells of each operation when it is over. */
    private record Work(PrintStream out) {
        @FunctionalInterface
        interface Step {
            void run() throws IOException;
        }

        void run(String kind, int round, Step step) throws IOException {
            long begun = System.nanoTime();
            step.run();
            out.println(kind + " " + round + " " + (System.nanoTime() - begun) / 1_000);
        }
    }

    private void read() {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                String[] words = line.split(" ", -1);
                synchronized (done) {
                    if (words.length == 3 && words[2].matches("\\d+")) {
                        done.add(new Operation(words[0], Integer.parseInt(words[1]), Long.parseLong(words[2])));
                    } else {
                        said.append(line).append('\n');
                    }
                }
            }
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        }
    }

    int operations() {
        synchronized (done) {
            return done.size();
        }
    }

    private String said() {
        synchronized (done) {
            return said.toString();
        }
    }

    /** Waits until so many more are done than {@code before}; fails with what it says where one of them failed. */
    void awaitMore(int before, int more) {
        Awaitility.await(name + " goes on")
                .atMost(GOES_ON_WITHIN)
                .pollInterval(Duration.ofMillis(10))
                .until(() -> {
                    if (!process.isAlive()) {
                        throw new AssertionError(name + " ended after " + operations() + " operations: " + said());
                    }
                    return operations() >= before + more;
                });
    }

    /** Of those behind the first {@code before}. */
    Duration longest(int before) {
        synchronized (done) {
            return Duration.ofNanos(1_000
                    * done.stream()
                            .skip(before)
                            .mapToLong(Operation::micros)
                            .max()
                            .orElse(0));
        }
    }

    /** Ends it between two operations; returns how many rounds it has done, each of which succeeded. */
    int finish() throws IOException, InterruptedException {
        process.getOutputStream().write('\n');
        process.getOutputStream().flush();
        assertThat(process.waitFor(GOES_ON_WITHIN.toSeconds(), TimeUnit.SECONDS))
                .as(name + " ends")
                .isTrue();
        reader.join();
        assertThat(said()).as(name).isEmpty();
        assertThat(process.exitValue()).as(name).isZero();
        synchronized (done) {
            return done.getLast().round() + 1;
        }
    }

    /** What it left, seen through {@code directory}: nothing is missing, there twice, or as it was before. */
    void check(Path directory, int rounds) throws IOException {
        List<String> texts =
                IntStream.range(0, rounds).mapToObj(i -> name + " " + i).toList();
        assertThat(Files.readAllLines(directory.resolve(name + ".log"))).isEqualTo(texts);
        for (int i = 0; i < rounds; i += LEFT_EVERY) {
            assertThat(directory.resolve(name + "-" + i + ".moved")).hasContent(texts.get(i) + "\n");
        }
    }

    /** The names that it left. */
    List<String> names(int rounds) {
        List<String> names = new ArrayList<>(List.of(name + ".log"));
        for (int i = 0; i < rounds; i += LEFT_EVERY) {
            names.add(name + "-" + i + ".moved");
        }
        return names;
    }

    @Override
    public void close() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor(GOES_ON_WITHIN.toSeconds(), TimeUnit.SECONDS);
    }
}
