package io.fusecache.cli;

import io.fusecache.client.NodeConfiguration.HostPort;
import io.fusecache.client.settings.GoDuration;
import io.fusecache.client.settings.HostPortText;
import io.fusecache.client.settings.UsageException;
import io.fusecache.coordinator.CoordinatorConfiguration;
import io.fusecache.coordinator.raft.ReplicaGroup;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParseResult;

/** The command line of a coordinator: every {@link Setting} as a flag with one dash or two, {@code -config} and {@code -help}. */
final class CoordinatorFlags {
    private static final String LISTS_THEM = ": coordinator -help lists the flags";

    private CoordinatorFlags() {}

    /** What a coordinator can be told: flag, environment variable, default. */
    enum Setting {
        PORT("port", "PORT", "8080", "HTTP: API and metrics; 0 for any free port", "COORDINATOR_PORT"),
        GRPC_PORT(
                "grpc-port", "PORT", "9080", "gRPC: sessions of clients; 0 for any free port", "COORDINATOR_GRPC_PORT"),
        DATA("data", "DIR", "/tmp/fuse-coordinator", "where its state is kept", "COORDINATOR_DATA"),
        LISTEN("listen", "ADDRESS", "0.0.0.0", "address to listen on", "COORDINATOR_LISTEN"),
        TRASH_KEEP(
                "trash-keep",
                "TIME",
                "",
                "how long removed files are kept from now on, such as 7d; 0 for not at all; else as it was set last",
                "COORDINATOR_TRASH_KEEP"),
        AWAIT_LOAD(
                "await-load",
                "BOOL",
                "false",
                "an empty state lets no client in before fusecache load, restore or rebuild",
                "COORDINATOR_AWAIT_LOAD"),
        API_KEY("api-key", "KEY", "", "what requests and clients must carry", "FUSE_API_KEY"),
        RAFT_ID("raft-id", "NAME", "", "which of -raft-peers this member is", "COORDINATOR_RAFT_ID"),
        RAFT_PEERS(
                "raft-peers",
                "ID=HOST:PORT,...",
                "",
                "the members of a replica group, and where they reach each other; as ID=HOST:PORT:GRPC:HTTP where"
                        + " their -grpc-port and -port differ from this member's",
                "COORDINATOR_RAFT_PEERS"),
        RAFT_JOIN(
                "raft-join",
                "HOST:HTTPPORT,...",
                "",
                "HTTP addresses of members of a group that there is: this member, with an empty folder, waits until"
                        + " 'fusecache members add' takes it in",
                "COORDINATOR_RAFT_JOIN");

        final String flag;
        final String placeholder;
        final String defaultText;
        final String help;
        final String variable;

        Setting(String flag, String placeholder, String defaultText, String help, String variable) {
            this.flag = flag;
            this.placeholder = placeholder;
            this.defaultText = defaultText;
            this.help = help;
            this.variable = variable;
        }
    }

    private static CommandLine command() {
        CommandSpec spec = CommandSpec.create().name("coordinator").mixinStandardHelpOptions(false);
        spec.usageMessage(new UsageMessageSpec()
                .description("What all nodes agree on: names, leases, who holds what.")
                .footer(
                        "",
                        "A flag beats its environment variable, which beats the configuration file (lines such as "
                                + "'port = 8080'), which beats the default.")
                .width(110));
        for (Setting setting : Setting.values()) {
            String byDefault = setting.defaultText.isEmpty() ? "" : " (default: " + setting.defaultText + ")";
            spec.addOption(OptionSpec.builder("-" + setting.flag, "--" + setting.flag)
                    .paramLabel(setting.placeholder)
                    .type(String.class)
                    .description(setting.help + byDefault + " [" + setting.variable + "]")
                    .build());
        }
        spec.addOption(OptionSpec.builder("-config", "--config")
                .paramLabel("FILE")
                .type(String.class)
                .description("configuration file [COORDINATOR_CONFIG]")
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
        return new CommandLine(spec)
                .setPosixClusteredShortOptionsAllowed(false)
                .setUnmatchedOptionsArePositionalParams(false)
                .setAbbreviatedOptionsAllowed(false);
    }

    static String help() {
        return command().getUsageMessage();
    }

    /** @throws UsageException for an unknown flag, a flag twice or without its value */
    static ParseResult parse(String... arguments) throws UsageException {
        try {
            return command().parseArgs(arguments);
        } catch (CommandLine.UnmatchedArgumentException unknown) {
            String argument = unknown.getUnmatched().getFirst();
            String similar = unknown.getSuggestions().isEmpty()
                    ? ""
                    : ", did you mean '" + unknown.getSuggestions().getFirst() + "'?";
            throw new UsageException((argument.startsWith("-") ? "unknown flag '" : "unexpected word '") + argument
                    + "'" + similar + LISTS_THEM);
        } catch (CommandLine.ParameterException wrong) {
            throw new UsageException(ClientFlags.oneLine(wrong.getMessage()) + LISTS_THEM);
        }
    }

    static CoordinatorConfiguration read(ParseResult flags, Map<String, String> environment) throws UsageException {
        Texts texts = new Texts(flags, environment);
        int port = texts.port(Setting.PORT);
        int grpcPort = texts.port(Setting.GRPC_PORT);
        if (port != 0 && port == grpcPort) {
            throw new UsageException("%s and %s are both %d: give them different ports"
                    .formatted(texts.origin(Setting.PORT), texts.origin(Setting.GRPC_PORT), port));
        }
        String apiKey = texts.text(Setting.API_KEY);
        return new CoordinatorConfiguration(
                texts.text(Setting.LISTEN),
                port,
                grpcPort,
                texts.data(),
                apiKey.isEmpty() ? null : apiKey,
                texts.trashKeep(),
                texts.replicas(port, grpcPort),
                texts.awaitLoad());
    }

    /** Who is asked which group it is that this member is to join; empty where it joins none. */
    static List<String> joins(ParseResult flags, Map<String, String> environment) throws UsageException {
        Texts texts = new Texts(flags, environment);
        String text = texts.text(Setting.RAFT_JOIN);
        if (text.isEmpty()) {
            return List.of();
        }
        if (texts.text(Setting.RAFT_ID).isEmpty()) {
            throw new UsageException(texts.origin(Setting.RAFT_JOIN) + " goes with -raft-id and -raft-peers");
        }
        List<String> addresses = new ArrayList<>();
        for (String address : text.split(",")) {
            try {
                addresses.add(HostPortText.parse(address.strip()).toString());
            } catch (IllegalArgumentException wrong) {
                throw texts.wrong(Setting.RAFT_JOIN, "HOST:PORT,...: " + wrong.getMessage());
            }
        }
        return addresses;
    }

    /** The texts of the settings, with where each came from. */
    private static final class Texts {
        private record Text(String text, String origin) {}

        /** HOST:PORT and two more ports. */
        private static final Pattern FOUR_PARTS = Pattern.compile("(.+:\\d{1,5}):(\\d{1,5}):(\\d{1,5})");

        private final Map<Setting, Text> texts = new LinkedHashMap<>();

        Texts(ParseResult flags, Map<String, String> environment) throws UsageException {
            String file = flags.matchedOptionValue("-config", environment.getOrDefault("COORDINATOR_CONFIG", ""));
            Properties lines = file.isEmpty() ? new Properties() : lines(file);
            for (Setting setting : Setting.values()) {
                String flag = flags.matchedOptionValue("-" + setting.flag, "");
                String variable = environment.getOrDefault(setting.variable, "");
                // Kubernetes gives pods of a namespace with a Service 'coordinator'
                // COORDINATOR_PORT=tcp://10.0.0.1:8080.
                String ours = variable.startsWith("tcp://") ? "" : variable;
                String line = lines.getProperty(setting.flag, "").strip();
                if (!flag.isEmpty()) {
                    texts.put(setting, new Text(flag, "-" + setting.flag));
                } else if (!ours.isEmpty()) {
                    texts.put(setting, new Text(ours, setting.variable));
                } else if (!line.isEmpty()) {
                    texts.put(setting, new Text(line, setting.flag + " in " + file));
                } else {
                    texts.put(setting, new Text(setting.defaultText, "-" + setting.flag));
                }
            }
        }

        private static Properties lines(String file) throws UsageException {
            Properties lines = new Properties();
            try (Reader reader = Files.newBufferedReader(Path.of(file))) {
                lines.load(reader);
            } catch (IOException | IllegalArgumentException unreadable) {
                throw new UsageException("configuration file " + file + " cannot be read (" + unreadable
                        + "): give -config a file of lines such as 'port = 8080'");
            }
            for (String key : lines.stringPropertyNames()) {
                if (Arrays.stream(Setting.values()).noneMatch(setting -> setting.flag.equals(key))) {
                    throw new UsageException("configuration file " + file + ": unknown setting '" + key
                            + "': the keys are the flags that -help lists, without their dash");
                }
            }
            return lines;
        }

        private Text of(Setting setting) {
            return Optional.ofNullable(texts.get(setting)).orElseThrow();
        }

        String text(Setting setting) {
            return of(setting).text();
        }

        String origin(Setting setting) {
            return of(setting).origin();
        }

        private UsageException wrong(Setting setting, String expected) {
            return new UsageException(origin(setting) + ": '" + text(setting) + "': expected " + expected);
        }

        int port(Setting setting) throws UsageException {
            String text = text(setting);
            if (!text.matches("\\d{1,5}") || Integer.parseInt(text) > 65_535) {
                throw wrong(setting, "a port from 0 to 65535");
            }
            return Integer.parseInt(text);
        }

        Path data() throws UsageException {
            try {
                return Path.of(text(Setting.DATA)).toAbsolutePath().normalize();
            } catch (InvalidPathException invalid) {
                throw wrong(Setting.DATA, "a path: " + invalid.getReason());
            }
        }

        boolean awaitLoad() throws UsageException {
            String text = text(Setting.AWAIT_LOAD);
            if (!text.matches("true|false")) {
                throw wrong(Setting.AWAIT_LOAD, "true or false");
            }
            return text.equals("true");
        }

        @Nullable Duration trashKeep() throws UsageException {
            String text = text(Setting.TRASH_KEEP);
            try {
                return text.isEmpty() ? null : GoDuration.parseWithDays(text);
            } catch (IllegalArgumentException wrong) {
                throw wrong(Setting.TRASH_KEEP, "a time such as 7d, 36h or 0");
            }
        }

        /** Null for a coordinator without replicas, also where it begins as the only member. */
        @Nullable ReplicaGroup replicas(int port, int grpcPort) throws UsageException {
            String id = text(Setting.RAFT_ID);
            String peers = text(Setting.RAFT_PEERS);
            if (id.isEmpty() && peers.isEmpty()) {
                return null;
            }
            if (id.isEmpty() || peers.isEmpty()) {
                throw new UsageException(
                        "-raft-id and -raft-peers go together: give both, or neither for a single coordinator");
            }
            Map<String, ReplicaGroup.Member> members = new LinkedHashMap<>();
            for (String peer : peers.split(",")) {
                int equals = peer.indexOf('=');
                if (equals < 1) {
                    throw wrong(Setting.RAFT_PEERS, "members as ID=HOST:PORT");
                }
                String name = peer.substring(0, equals).strip();
                if (members.put(name, member(peer.substring(equals + 1).strip(), port, grpcPort)) != null) {
                    throw new UsageException("%s lists member '%s' twice: one process is one member"
                            .formatted(origin(Setting.RAFT_PEERS), name));
                }
            }
            ReplicaGroup.Member own = members.get(id);
            if (own == null) {
                throw new UsageException("%s '%s' is none of the members in %s: %s"
                        .formatted(
                                origin(Setting.RAFT_ID),
                                id,
                                origin(Setting.RAFT_PEERS),
                                String.join(", ", members.keySet())));
            }
            if (own.httpPort() != port || own.grpcPort() != grpcPort) {
                throw new UsageException(
                        "%s says that member %s has the ports %d and %d, and -grpc-port and -port say %d and %d"
                                .formatted(
                                        origin(Setting.RAFT_PEERS),
                                        id,
                                        own.grpcPort(),
                                        own.httpPort(),
                                        grpcPort,
                                        port));
            }
            boolean alone = members.size() == 1 && text(Setting.RAFT_JOIN).isEmpty() && !ReplicaGroup.owns(data());
            try {
                return alone ? null : new ReplicaGroup(id, members);
            } catch (IllegalArgumentException twice) {
                throw new UsageException(origin(Setting.RAFT_PEERS) + ": " + twice.getMessage());
            }
        }

        private ReplicaGroup.Member member(String text, int port, int grpcPort) throws UsageException {
            try {
                Matcher four = FOUR_PARTS.matcher(text);
                if (four.matches()) {
                    HostPort raft = HostPortText.parse(four.group(1));
                    int grpc = HostPortText.parse("host:" + four.group(2)).port();
                    int http = HostPortText.parse("host:" + four.group(3)).port();
                    return new ReplicaGroup.Member(raft.host(), raft.port(), grpc, http);
                }
                HostPort raft = HostPortText.parse(text);
                return new ReplicaGroup.Member(raft.host(), raft.port(), grpcPort, port);
            } catch (IllegalArgumentException address) {
                throw wrong(Setting.RAFT_PEERS, "members as ID=HOST:PORT, with " + address.getMessage());
            }
        }
    }
}
