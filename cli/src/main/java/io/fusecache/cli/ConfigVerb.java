package io.fusecache.cli;

import io.fusecache.client.settings.NodeSettings;
import io.fusecache.client.settings.Setting;
import io.fusecache.client.settings.Settings;
import io.fusecache.client.settings.UsageException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** {@code fusecache config}: every setting that a client with these flags would have, and where it comes from. */
final class ConfigVerb {
    static final String USAGE = "[--json] [--changed] [client flags]";

    private ConfigVerb() {}

    static int run(List<String> words, PrintStream out) throws UsageException {
        return run(words, System.getenv(), out);
    }

    static int run(List<String> words, Map<String, String> environment, PrintStream out) throws UsageException {
        List<String> rest = new ArrayList<>(words);
        boolean json = rest.removeIf(word -> word.matches("--?json"));
        boolean changed = rest.removeIf(word -> word.matches("--?changed"));
        Settings settings = new ClientFlags("fusecache config", "", List.of())
                .parse(rest.toArray(String[]::new))
                .settings(environment);
        List<Setting> shown = Stream.of(Setting.values())
                .filter(setting -> !changed || settings.source(setting) != Settings.Source.DEFAULT)
                .toList();
        if (json) {
            out.println(json(settings, shown));
        } else {
            shown.forEach(setting -> out.println("%-22s %-40s %s"
                    .formatted(setting.flag(), settings.shown(setting), from(settings, setting))
                    .stripTrailing()));
        }
        // What contradicts itself is shown all the same, and then refused as a client would refuse it.
        NodeSettings.read(settings);
        return ExitStatus.DONE;
    }

    private static String from(Settings settings, Setting setting) {
        return settings.source(setting) == Settings.Source.DEFAULT ? "default" : settings.origin(setting);
    }

    private static ObjectNode json(Settings settings, List<Setting> shown) {
        ObjectNode all = JsonMapper.shared().createObjectNode();
        for (Setting setting : shown) {
            all.putObject(setting.flag())
                    .put("value", settings.shown(setting))
                    .put("source", settings.source(setting).name().toLowerCase(Locale.ROOT))
                    .put("origin", from(settings, setting));
        }
        return all;
    }
}
