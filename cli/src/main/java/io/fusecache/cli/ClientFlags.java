package io.fusecache.cli;

import io.fusecache.client.NodeConfiguration;
import io.fusecache.client.settings.NodeSettings;
import io.fusecache.client.settings.Setting;
import io.fusecache.client.settings.Settings;
import io.fusecache.client.settings.UsageException;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParseResult;

/** The command line of a client: every {@link Setting} as a flag with one dash or two, {@code -config} and {@code -help}. */
final class ClientFlags {
    private final CommandLine command;

    /** @param positionals what stands after the flags, such as {@code SOURCE DIR}, in brackets where it may be left out; empty for nothing */
    ClientFlags(String name, String description, List<String> positionals) {
        CommandSpec spec = CommandSpec.create().name(name).mixinStandardHelpOptions(false);
        spec.usageMessage(new UsageMessageSpec()
                .description(description)
                .footer(
                        "",
                        "A flag beats its environment variable, which beats the configuration file (lines such as "
                                + "'port = 8081'), which beats the default.")
                .width(110));
        for (Setting setting : Setting.values()) {
            spec.addOption(option(setting));
        }
        spec.addOption(OptionSpec.builder("-config", "--config")
                .paramLabel("FILE")
                .type(Path.class)
                .description("configuration file [FUSE_CONFIG]")
                .build());
        spec.addOption(OptionSpec.builder("-help", "--help", "-h")
                .type(boolean.class)
                .usageHelp(true)
                .description("this text")
                .build());
        spec.addOption(OptionSpec.builder("-version", "--version")
                .type(boolean.class)
                .versionHelp(true)
                .description("the version")
                .build());
        for (int i = 0; i < positionals.size(); i++) {
            spec.addPositional(PositionalParamSpec.builder()
                    .index(Integer.toString(i))
                    .paramLabel(positionals.get(i))
                    .type(String.class)
                    .required(!positionals.get(i).startsWith("["))
                    .build());
        }
        command = new CommandLine(spec)
                .setPosixClusteredShortOptionsAllowed(false)
                .setUnmatchedOptionsArePositionalParams(false)
                .setAbbreviatedOptionsAllowed(false);
    }

    private static OptionSpec option(Setting setting) {
        String variables =
                setting.variables().stream().map(Setting.Variable::name).collect(Collectors.joining(", ", " [", "]"));
        String byDefault = setting.defaultText().isEmpty() ? "" : " (default: " + setting.defaultText() + ")";
        OptionSpec.Builder option = OptionSpec.builder("-" + setting.flag(), "--" + setting.flag())
                .paramLabel(setting.placeholder())
                .type(String.class)
                .description((setting.help() + byDefault + variables).strip().replace("%", "%%"));
        if (setting.yesOrNo()) {
            option.arity("0..1").fallbackValue("true");
        }
        return option.build();
    }

    /** @throws UsageException for an unknown flag, a flag twice, a missing value, or too many or few words */
    Parsed parse(String... arguments) throws UsageException {
        ParseResult result;
        try {
            result = command.parseArgs(arguments);
        } catch (CommandLine.UnmatchedArgumentException unknown) {
            throw new UsageException(unknown(unknown) + ": " + command.getCommandName() + " -help lists the flags");
        } catch (CommandLine.ParameterException wrong) {
            throw new UsageException(
                    oneLine(wrong.getMessage()) + ": " + command.getCommandName() + " -help lists the flags");
        }
        return new Parsed(result);
    }

    private static String unknown(CommandLine.UnmatchedArgumentException unknown) {
        String argument = unknown.getUnmatched().getFirst();
        List<String> similar = unknown.getSuggestions();
        String known = similar.isEmpty() ? "" : ", did you mean '" + similar.getFirst() + "'?";
        return (argument.startsWith("-") ? "unknown flag '" : "unexpected word '") + argument + "'" + known;
    }

    static String oneLine(@Nullable String message) {
        return String.valueOf(message).strip().replaceAll("\\s*\\R\\s*", " ");
    }

    String help() {
        return command.getUsageMessage();
    }

    /** Every flag with its default and its variables, as help shows them. */
    static String options() {
        return new ClientFlags("client", "", List.of()).command.getHelp().optionList();
    }

    /** What a command line said. */
    static final class Parsed {
        private final ParseResult result;

        private Parsed(ParseResult result) {
            this.result = result;
        }

        boolean help() {
            return result.isUsageHelpRequested();
        }

        boolean version() {
            return result.isVersionHelpRequested();
        }

        String positional(int index) {
            return result.matchedPositionalValue(index, "");
        }

        Map<Setting, String> flags() {
            Map<Setting, String> flags = new EnumMap<>(Setting.class);
            for (Setting setting : Setting.values()) {
                String value = result.matchedOptionValue("-" + setting.flag(), null);
                if (value != null) {
                    flags.put(setting, value);
                }
            }
            return flags;
        }

        Settings settings(Map<String, String> environment) throws UsageException {
            return settings(flags(), environment);
        }

        Settings settings(Map<Setting, String> flags, Map<String, String> environment) throws UsageException {
            Path file = result.matchedOptionValue("-config", null);
            String fromEnvironment = environment.getOrDefault("FUSE_CONFIG", "");
            if (file == null && !fromEnvironment.isEmpty()) {
                file = Path.of(fromEnvironment);
            }
            return Settings.resolve(flags, environment, file);
        }

        NodeConfiguration configuration(Map<String, String> environment) throws UsageException {
            return NodeSettings.read(settings(environment));
        }
    }
}
