package io.fusecache.cli;

import io.fusecache.client.settings.UsageException;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParseResult;

/** The words after a verb: switches, options with a value, and what is left. */
final class VerbLine {
    private final ParseResult result;

    private VerbLine(ParseResult result) {
        this.result = result;
    }

    /** A form that a verb's words must have. */
    record Form(String verb, String usage, List<String> switches, List<String> options, int minWords, int maxWords) {
        VerbLine parse(List<String> given) throws UsageException {
            CommandSpec spec = CommandSpec.create().name(verb);
            for (String name : switches) {
                spec.addOption(OptionSpec.builder("-" + name, "--" + name)
                        .type(boolean.class)
                        .build());
            }
            for (String name : options) {
                spec.addOption(OptionSpec.builder("-" + name, "--" + name)
                        .type(String.class)
                        .build());
            }
            if (maxWords > 0) {
                spec.addPositional(PositionalParamSpec.builder()
                        .arity("0.." + maxWords)
                        .type(List.class)
                        .auxiliaryTypes(String.class)
                        .build());
            }
            try {
                ParseResult result = new CommandLine(spec)
                        .setPosixClusteredShortOptionsAllowed(false)
                        .parseArgs(given.toArray(String[]::new));
                VerbLine line = new VerbLine(result);
                int words = line.words().size();
                if (words < minWords || words > maxWords) {
                    throw wrong(words + " words, expected " + (words < minWords ? minWords : maxWords));
                }
                return line;
            } catch (CommandLine.ParameterException wrong) {
                throw wrong(ClientFlags.oneLine(wrong.getMessage()));
            }
        }

        private UsageException wrong(String message) {
            return new UsageException("%s: %s: usage: fusecache %s %s"
                    .formatted(verb, message, verb, usage)
                    .strip());
        }
    }

    boolean has(String name) {
        return result.hasMatchedOption("-" + name);
    }

    Optional<String> option(String name) {
        return Optional.ofNullable(result.matchedOptionValue("-" + name, (String) null));
    }

    List<String> words() {
        // The one positional parameter has all words, and is listed once for each run of them between options.
        return result.matchedPositionals().stream()
                .findFirst()
                .map(positional -> List.copyOf(positional.stringValues()))
                .orElse(List.of());
    }
}
