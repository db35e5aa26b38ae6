package io.fusecache.cli;

import io.fusecache.client.StartupException;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One thing that {@code fusecache} does.
 *
 * @param usage what follows the verb
 */
record Verb(String name, String usage, String help, Action action) {
    /** What {@code fusecache VERB --help} prints: usage, what it does, its options, examples, and where it takes them a client's flags. */
    String page() {
        String page = ("Usage: fusecache " + name + " " + usage).strip() + "\n\n" + text();
        return takesClientFlags() ? page + "\nFlags of a client:\n" + ClientFlags.options() : page;
    }

    /** What it does, its options, examples: the resource {@code help/VERB.txt}. */
    String text() {
        try (InputStream resource = Verb.class.getResourceAsStream("help/" + name + ".txt")) {
            if (resource == null) {
                throw new AssertionError("help/" + name + ".txt is not beside the classes");
            }
            return new String(resource.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException unreadable) {
            throw new UncheckedIOException(unreadable);
        }
    }

    boolean takesClientFlags() {
        return usage.contains("flags]");
    }

    /** The options of its own, with two dashes, as its help lists them. */
    List<String> options() {
        return text().lines()
                .map(OPTION::matcher)
                .filter(Matcher::find)
                .map(line -> line.group(1))
                .toList();
    }

    private static final Pattern OPTION = Pattern.compile("^  (--[a-z][a-z-]*)");

    /** What a verb does. */
    @FunctionalInterface
    interface Action {
        /** @return the exit status */
        int run(List<String> words, PrintStream out)
                throws UsageException, StartupException, IOException, InterruptedException;
    }
}
