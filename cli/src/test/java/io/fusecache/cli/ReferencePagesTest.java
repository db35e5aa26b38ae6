package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.client.settings.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * docs/CONFIGURATION.md and the man pages in docs/man are what the code says of itself. With
 * {@code -Dfusecache.write=true} this writes them; without, it holds them to the code.
 */
final class ReferencePagesTest {
    private static final Path DOCS = Path.of("..", "docs");
    private static final String HOW = "Made from the code by -Dtest=ReferencePagesTest -Dfusecache.write=true.";
    private static final String ORDER = "A flag, with one dash or two, beats its environment variable, which beats the "
            + "configuration file, which beats the default. A configuration file has a line such as 'port = %s' for each "
            + "flag, without its dash.";

    @TestFactory
    Stream<DynamicTest> pagesAreWhatTheCodeSays() {
        Map<String, String> pages = new TreeMap<>();
        pages.put("CONFIGURATION.md", configuration());
        pages.put("man/fusecache.1", manOfFuseCache());
        pages.put("man/client.1", manOfClient());
        pages.put("man/coordinator.1", manOfCoordinator());
        return pages.entrySet().stream()
                .map(page -> DynamicTest.dynamicTest(page.getKey(), () -> hold(page.getKey(), page.getValue())));
    }

    private static void hold(String name, String text) throws IOException {
        Path file = DOCS.resolve(name);
        if (Boolean.getBoolean("fusecache.write")) {
            Files.createDirectories(file.getParent());
            Files.writeString(file, text);
        }
        assertThat(file).as(HOW).hasContent(text);
    }

    // Markdown

    private static String configuration() {
        StringBuilder page = new StringBuilder("# Configuration\n\n" + HOW + "\n\n");
        page.append(
                "`bin/fusecache config [flags]` shows what a client would have, and where each setting comes from.\n");
        page.append("\n## bin/client, and the verbs that take its flags\n\n")
                .append(ORDER.formatted("8081"))
                .append(" The file is named by `-config` or `FUSE_CONFIG`.\n\n")
                .append("| flag | environment | default | what it is |\n|---|---|---|---|\n");
        for (Setting setting : Setting.values()) {
            page.append(row(
                    setting.flag(),
                    setting.placeholder(),
                    setting.variables().stream()
                            .map(variable -> "`" + variable.name() + "`")
                            .collect(Collectors.joining(", ")),
                    setting.defaultText(),
                    setting.help()));
        }
        page.append("\n## bin/coordinator\n\n")
                .append(ORDER.formatted("8080"))
                .append(" The file is named by `-config` or `COORDINATOR_CONFIG`.\n\n")
                .append("| flag | environment | default | what it is |\n|---|---|---|---|\n");
        for (CoordinatorFlags.Setting setting : CoordinatorFlags.Setting.values()) {
            page.append(row(
                    setting.flag,
                    setting.placeholder,
                    "`" + setting.variable + "`",
                    setting.defaultText,
                    setting.help));
        }
        return page.toString();
    }

    private static String row(String flag, String placeholder, String variables, String byDefault, String help) {
        String shown = byDefault.isEmpty() ? "" : "`" + byDefault + "`";
        return "| `-%s %s` | %s | %s | %s |\n"
                .formatted(flag, placeholder.replace("|", "\\|"), variables, shown, help.replace("|", "\\|"));
    }

    // man(7)

    private static String manOfFuseCache() {
        StringBuilder page = head("fusecache", "mounts a bucket, and asks and steers its nodes")
                .append(".SH SYNOPSIS\n.B fusecache\n.I VERB\n[\\fIflags\\fR] ...\n");
        page.append(".SH VERBS\n");
        for (Verb verb : FuseCache.verbs()) {
            page.append(".SS ")
                    .append(roff((verb.name() + " " + verb.usage()).strip()))
                    .append('\n');
            page.append(paragraphs(verb.text()));
        }
        page.append(".SH EXIT STATUS\n0: done. 1: the work could not be done; one line on standard error says why. "
                + "2: what was asked for is unknown or contradicts itself.\n");
        return page.append(".SH SEE ALSO\nclient(1), coordinator(1)\n").toString();
    }

    private static String manOfClient() {
        StringBuilder page = head("client", "the daemon of a fuse-cache node")
                .append(".SH SYNOPSIS\n.B client\n[\\fIflags\\fR]\n.SH DESCRIPTION\n")
                .append(
                        "Mounts the shared file system, caches it on this node's disks, and serves its peers, until it is "
                                + "unmounted or told to end by SIGTERM or SIGINT.\n.PP\n")
                .append(roff(ORDER.formatted("8081")))
                .append("\n.SH OPTIONS\n");
        for (Setting setting : Setting.values()) {
            page.append(option(
                    setting.flag(),
                    setting.placeholder(),
                    setting.help(),
                    setting.defaultText(),
                    setting.variables().stream().map(Setting.Variable::name).collect(Collectors.joining(", "))));
        }
        page.append(option("config", "FILE", "configuration file", "", "FUSE_CONFIG"));
        return page.append(".SH SEE ALSO\nfusecache(1), coordinator(1)\n").toString();
    }

    private static String manOfCoordinator() {
        StringBuilder page = head("coordinator", "what all fuse-cache nodes agree on")
                .append(".SH SYNOPSIS\n.B coordinator\n[\\fIflags\\fR]\n.SH DESCRIPTION\n")
                .append(
                        "Holds names, attributes and leases, and knows who holds which bytes, until it is told to end by "
                                + "SIGTERM or SIGINT.\n.PP\n")
                .append(roff(ORDER.formatted("8080")))
                .append("\n.SH OPTIONS\n");
        for (CoordinatorFlags.Setting setting : CoordinatorFlags.Setting.values()) {
            page.append(option(setting.flag, setting.placeholder, setting.help, setting.defaultText, setting.variable));
        }
        page.append(option("config", "FILE", "configuration file", "", "COORDINATOR_CONFIG"));
        return page.append(".SH SEE ALSO\nfusecache(1), client(1)\n").toString();
    }

    private static StringBuilder head(String name, String what) {
        return new StringBuilder(".\\\" " + HOW + "\n.TH " + name.toUpperCase(java.util.Locale.ROOT)
                + " 1 \"\" fuse-cache\n.SH NAME\n" + name + " \\- " + roff(what) + "\n");
    }

    private static String option(String flag, String placeholder, String help, String byDefault, String variables) {
        String text = help + (byDefault.isEmpty() ? "" : " (default: " + byDefault + ")") + " [" + variables + "]";
        return ".TP\n.BI " + roff("-" + flag) + " \" " + roff(placeholder) + "\"\n" + roff(text.strip()) + "\n";
    }

    /** Indented lines stay as they are; the others are filled. */
    private static String paragraphs(String text) {
        return Arrays.stream(text.split("\n\n"))
                .map(part -> part.lines().anyMatch(line -> line.startsWith("  "))
                        ? ".PP\n.nf\n" + roff(part.strip()) + "\n.fi\n"
                        : ".PP\n" + roff(part.strip()) + "\n")
                .collect(Collectors.joining());
    }

    private static String roff(String text) {
        return text.replace("\\", "\\e").replace("-", "\\-").replaceAll("(?m)^([.'])", "\\\\&$1");
    }
}
