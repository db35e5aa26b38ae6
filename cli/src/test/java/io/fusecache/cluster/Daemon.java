package io.fusecache.cluster;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/** One of our programs as a process of its own, with what it printed. */
final class Daemon {
    private static final Path PROGRAMS = Path.of("..", "bin").toAbsolutePath().normalize();

    private static final long READY_SECONDS = 60;
    private static final long STOP_SECONDS = 60;

    private final String name;
    private final Process process;
    private final List<String> lines = new ArrayList<>();
    private final CountDownLatch ready = new CountDownLatch(1);
    /** What every daemon of every test printed; stays after a failure. */
    private static final Path LOGS = Path.of("target", "daemon-logs").toAbsolutePath();

    private final Path log;
    private volatile boolean up;
    private final CountDownLatch printed = new CountDownLatch(1);

    private Daemon(String name, Path directory, Process process, Predicate<String> readyLine) {
        this.name = name;
        this.process = process;
        this.log = LOGS.resolve(directory.getFileName() + "-" + name + ".log");
        Thread.ofPlatform().daemon().name(name + "-output").start(() -> read(readyLine));
    }

    /** Starts a program of {@code bin/}; {@link #awaitReady} waits until it is up. */
    static Daemon start(
            String name, Path directory, String program, List<String> arguments, Predicate<String> readyLine)
            throws IOException {
        return launch(name, directory, command(program, arguments), readyLine);
    }

    /**
     * As above, but only {@link #release} has it begin. To start a process closes the files that this JVM has open, in the
     * child, which a mount takes for close(2): that waits for the coordinator, so a coordinator has to be prepared while
     * another one is there.
     */
    static Daemon prepare(String name, Path directory, String program, List<String> arguments) throws IOException {
        List<String> waiting = new ArrayList<>(List.of("sh", "-c", "read -r go && exec \"$@\"", "sh"));
        waiting.addAll(command(program, arguments));
        return launch(name, directory, waiting, line -> false);
    }

    void release() throws IOException {
        try (OutputStream input = process.getOutputStream()) {
            input.write('\n');
        }
    }

    private static Daemon launch(String name, Path directory, List<String> command, Predicate<String> readyLine)
            throws IOException {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment()
                .putAll(Map.of("FUSECACHE_RUN_DIR", directory.resolve("run").toString()));
        Files.createDirectories(LOGS);
        return new Daemon(name, directory, builder.start(), readyLine);
    }

    /** The command line of a program of {@code bin/}, as {@code make build} left it. */
    static List<String> command(String program, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of(PROGRAMS.resolve(program).toString()));
        command.addAll(arguments);
        return command;
    }

    private void read(Predicate<String> readyLine) {
        try (BufferedReader reader =
                        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
                Writer kept = Files.newBufferedWriter(log, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
            for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                synchronized (lines) {
                    lines.add(line);
                }
                kept.write(line + "\n");
                kept.flush();
                if (readyLine.test(line)) {
                    up = true;
                    ready.countDown();
                }
            }
        } catch (IOException broken) {
            throw new UncheckedIOException(broken);
        } finally {
            printed.countDown();
            ready.countDown();
        }
    }

    /** Fails with all that it printed where it ended instead. */
    void awaitReady() throws InterruptedException {
        if (!ready.await(READY_SECONDS, TimeUnit.SECONDS) || !up || !process.isAlive()) {
            throw new AssertionError(name + " is not up: " + output());
        }
    }

    String output() {
        synchronized (lines) {
            return String.join("\n", lines);
        }
    }

    long pid() {
        return process.pid();
    }

    boolean alive() {
        return process.isAlive();
    }

    /** SIGTERM; returns the exit status. */
    int stop() throws InterruptedException {
        // By its handle: the process itself would close the pipe, and what it prints at its end be lost.
        process.toHandle().destroy();
        return awaitEnd();
    }

    int awaitEnd() throws InterruptedException {
        if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
            throw new AssertionError(name + " did not end within " + STOP_SECONDS + " s: " + output());
        }
        awaitPrinted();
        return process.exitValue();
    }

    /** SIGKILL; returns when it is gone. */
    void kill() throws InterruptedException {
        process.toHandle().destroyForcibly();
        process.waitFor();
        awaitPrinted();
    }

    private void awaitPrinted() throws InterruptedException {
        if (!printed.await(STOP_SECONDS, TimeUnit.SECONDS)) {
            throw new AssertionError(name + " has ended, and something that it started has not: " + output());
        }
    }
}
