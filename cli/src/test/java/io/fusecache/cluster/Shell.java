package io.fusecache.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/** Programs as a user runs them. */
final class Shell {
    private static final long WITHIN_MINUTES = 10;

    private Shell() {}

    /** What a program said, standard error included, and its exit status. */
    record Outcome(int status, String output) {
        /** The output of a program that must have succeeded. */
        String orFail() {
            if (status != 0) {
                throw new AssertionError("exit status " + status + ": " + output);
            }
            return output;
        }
    }

    static Outcome run(Path directory, String... command) throws IOException, InterruptedException {
        return run(directory, Map.of(), List.of(command));
    }

    /** A script for sh, in that directory. */
    static String sh(Path directory, String script) throws IOException, InterruptedException {
        Outcome outcome = run(directory, "sh", "-euc", script);
        if (outcome.status() != 0) {
            throw new AssertionError("exit status " + outcome.status() + " of: " + script + "\n" + outcome.output());
        }
        return outcome.output();
    }

    /** A script of these tests' resources, for sh, in that directory. */
    static String script(Path directory, String name, Object... arguments) throws IOException, InterruptedException {
        return script(List.of(), directory, name, arguments);
    }

    /** As above, run by a command that takes another one as its last words. */
    static String script(List<String> by, Path directory, String name, Object... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(by);
        try (InputStream source = Objects.requireNonNull(Shell.class.getResourceAsStream(name), name)) {
            command.addAll(List.of("sh", "-euc", new String(source.readAllBytes(), StandardCharsets.UTF_8), name));
        }
        Arrays.stream(arguments).map(Object::toString).forEach(command::add);
        Outcome outcome = run(directory, Map.of(), command);
        if (outcome.status() != 0) {
            throw new AssertionError("exit status " + outcome.status() + " of " + name + ":\n" + outcome.output());
        }
        return outcome.output();
    }

    static Outcome run(Path directory, Map<String, String> environment, List<String> command)
            throws IOException, InterruptedException {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment().putAll(environment);
        builder.redirectInput(new java.io.File("/dev/null"));
        Process process = builder.start();
        StringBuilder output = new StringBuilder();
        Thread reader = Thread.ofVirtual().start(() -> {
            try {
                output.append(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8));
            } catch (IOException broken) {
                throw new UncheckedIOException(broken);
            }
        });
        if (!process.waitFor(WITHIN_MINUTES, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new AssertionError(command + " did not end within " + WITHIN_MINUTES + " minutes");
        }
        reader.join();
        return new Outcome(process.exitValue(), output.toString());
    }

    /** Removes a tree by rm: it may hold what Java's walk stumbles over. */
    static void remove(Path tree) throws IOException, InterruptedException {
        if (Files.exists(tree)) {
            run(Path.of("/"), "rm", "-rf", "--one-file-system", tree.toString());
        }
    }
}
