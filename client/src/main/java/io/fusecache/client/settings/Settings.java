package io.fusecache.client.settings;

import io.fusecache.client.settings.Setting.Unit;
import io.fusecache.client.settings.Setting.Variable;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The text of every setting and where it came from. A flag beats its environment variable, which beats the
 * configuration file, which beats the default; an empty text counts as not given.
 */
public final class Settings {
    private final Map<Setting, Value> values;

    private Settings(Map<Setting, Value> values) {
        this.values = values;
    }

    /**
     * @param flags as given on the command line, by setting
     * @param environment the variables of the process
     * @param file Java properties with flags as keys, or null for none
     */
    public static Settings resolve(Map<Setting, String> flags, Map<String, String> environment, @Nullable Path file)
            throws UsageException {
        Map<Setting, String> fromFile = file == null ? Map.of() : read(file);
        Map<Setting, Value> values = new EnumMap<>(Setting.class);
        for (Setting setting : Setting.values()) {
            values.put(setting, value(setting, flags, environment, fromFile, file));
        }
        return new Settings(values);
    }

    private static Value value(
            Setting setting,
            Map<Setting, String> flags,
            Map<String, String> environment,
            Map<Setting, String> fromFile,
            @Nullable Path file) {
        String flag = flags.getOrDefault(setting, "");
        if (!flag.isEmpty()) {
            return new Value(flag, Source.FLAG, "-" + setting.flag(), setting.flagUnit());
        }
        for (Variable variable : setting.variables()) {
            String text = environment.getOrDefault(variable.name(), "");
            if (!text.isEmpty()) {
                return new Value(text, Source.ENVIRONMENT, variable.name(), variable.unit());
            }
        }
        String line = fromFile.getOrDefault(setting, "");
        if (!line.isEmpty()) {
            return new Value(line, Source.FILE, setting.flag() + " in " + file, setting.flagUnit());
        }
        return new Value(setting.defaultText(), Source.DEFAULT, "-" + setting.flag(), setting.flagUnit());
    }

    private static Map<Setting, String> read(Path file) throws UsageException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
        } catch (IOException | IllegalArgumentException unreadable) {
            throw new UsageException("configuration file " + file + " cannot be read (" + unreadable
                    + "): give -config a file of lines such as 'port = 8081'");
        }
        Map<Setting, String> values = new EnumMap<>(Setting.class);
        for (String key : properties.stringPropertyNames()) {
            Setting setting = Setting.ofFlag(key);
            if (setting == null) {
                throw new UsageException("configuration file " + file + ": unknown setting '" + key
                        + "': the keys are the flags that -help lists, without their dash");
            }
            values.put(setting, properties.getProperty(key).strip());
        }
        return values;
    }

    public String text(Setting setting) {
        return value(setting).text();
    }

    public Source source(Setting setting) {
        return value(setting).source();
    }

    public boolean given(Setting setting) {
        return !text(setting).isEmpty();
    }

    /** The flag, variable or line that the user would have to change. */
    public String origin(Setting setting) {
        return value(setting).origin();
    }

    /**
     * Parses a setting, and names its origin where it does not parse.
     *
     * @param parser throws IllegalArgumentException with what was expected
     */
    public <T> T parse(Setting setting, Function<String, T> parser) throws UsageException {
        try {
            return parser.apply(text(setting));
        } catch (IllegalArgumentException wrong) {
            String shown = setting.secret() ? "the value given" : "'" + text(setting) + "'";
            throw new UsageException(origin(setting) + ": " + shown + ": " + wrong.getMessage());
        }
    }

    public long bytes(Setting setting) throws UsageException {
        long plainFactor = value(setting).unit().factor();
        return parse(setting, text -> ByteSize.parse(text, plainFactor));
    }

    public int integer(Setting setting, int min, int max) throws UsageException {
        return parse(setting, text -> {
            try {
                int number = Integer.parseInt(text);
                if (number >= min && number <= max) {
                    return number;
                }
            } catch (NumberFormatException none) {
                throw new IllegalArgumentException("expected a number from " + min + " to " + max, none);
            }
            throw new IllegalArgumentException("expected a number from " + min + " to " + max);
        });
    }

    public boolean yes(Setting setting) throws UsageException {
        return parse(setting, text -> switch (text.toLowerCase(java.util.Locale.ROOT)) {
            case "true", "1", "yes", "on", "t" -> true;
            case "false", "0", "no", "off", "f" -> false;
            default -> throw new IllegalArgumentException("expected true or false");
        });
    }

    /** One {@code name=value} for each setting that is not empty, secrets masked, those at their default left out. */
    public List<String> changed() {
        List<String> texts = new ArrayList<>();
        for (Setting setting : Setting.values()) {
            if (source(setting) != Source.DEFAULT) {
                texts.add(setting.flag() + "=" + shown(setting));
            }
        }
        return texts;
    }

    /** Every setting with a value, in order, secrets masked: the effective configuration. */
    public List<String> effective() {
        List<String> texts = new ArrayList<>();
        for (Setting setting : Setting.values()) {
            if (given(setting)) {
                texts.add(setting.flag() + "=" + shown(setting));
            }
        }
        return texts;
    }

    /** Its text, masked where it is a secret that was given. */
    public String shown(Setting setting) {
        return setting.secret() && given(setting) ? "****" : text(setting);
    }

    private Value value(Setting setting) {
        Value value = values.get(setting);
        if (value == null) {
            throw new AssertionError(setting + " was not resolved");
        }
        return value;
    }

    /** Who had the last word. */
    public enum Source {
        FLAG,
        ENVIRONMENT,
        FILE,
        DEFAULT
    }

    private record Value(String text, Source source, String origin, Unit unit) {}
}
