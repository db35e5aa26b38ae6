package io.fusecache.cli;

import io.fusecache.client.StartupException;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;

/**
 * One thing that {@code fusecache} does.
 *
 * @param usage what follows the verb
 */
record Verb(String name, String usage, String help, Action action) {
    /** What a verb does. */
    @FunctionalInterface
    interface Action {
        /** @return the exit status */
        int run(List<String> words, PrintStream out)
                throws UsageException, StartupException, IOException, InterruptedException;
    }
}
