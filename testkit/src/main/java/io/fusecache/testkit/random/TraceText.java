package io.fusecache.testkit.random;

import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Operations as lines of text, and back: {@code Write offset=10 length=3 fill=1}. An operation is a record of a sealed
 * interface; its components are numbers, booleans, constants of enums, and words without a blank.
 */
public final class TraceText<O> {
    private final Class<O> operations;
    private final Map<String, Class<?>> kinds = new HashMap<>();

    /** @param operations the sealed interface */
    public TraceText(Class<O> operations) {
        this.operations = operations;
        for (Class<?> kind : operations.getPermittedSubclasses()) {
            kinds.put(kind.getSimpleName(), kind);
        }
    }

    public List<String> lines(List<O> trace) {
        return trace.stream().map(this::line).toList();
    }

    public String line(O operation) {
        StringBuilder line = new StringBuilder(operation.getClass().getSimpleName());
        for (RecordComponent component : operation.getClass().getRecordComponents()) {
            try {
                Object value = component.getAccessor().invoke(operation);
                line.append(' ').append(component.getName()).append('=').append(value);
            } catch (ReflectiveOperationException e) {
                throw new LinkageError(component + " of an operation", e);
            }
        }
        return line.toString();
    }

    /** Blank lines and those that begin with # are left out. */
    public List<O> parse(List<String> lines) {
        List<O> trace = new ArrayList<>();
        for (String line : lines) {
            if (!line.isBlank() && !line.strip().startsWith("#")) {
                trace.add(parse(line.strip()));
            }
        }
        return trace;
    }

    private O parse(String line) {
        String[] words = line.split(" +");
        Class<?> kind = kinds.get(words[0]);
        if (kind == null) {
            throw new IllegalArgumentException("no operation: '" + line + "': expected one of " + kinds.keySet());
        }
        RecordComponent[] components = kind.getRecordComponents();
        Class<?>[] types = new Class<?>[components.length];
        Object[] values = new Object[components.length];
        for (int i = 0; i < components.length; i++) {
            String key = components[i].getName() + "=";
            if (i + 1 >= words.length || !words[i + 1].startsWith(key)) {
                throw new IllegalArgumentException("'" + line + "': expected " + key + " as word " + (i + 2));
            }
            types[i] = components[i].getType();
            values[i] = value(types[i], words[i + 1].substring(key.length()));
        }
        try {
            Constructor<?> constructor = kind.getDeclaredConstructor(types);
            return operations.cast(constructor.newInstance(values));
        } catch (ReflectiveOperationException e) {
            throw new IllegalArgumentException("'" + line + "': " + e.getCause(), e);
        }
    }

    private static Object value(Class<?> type, String text) {
        if (type == int.class) {
            return Integer.valueOf(text);
        }
        if (type == long.class) {
            return Long.valueOf(text);
        }
        if (type == boolean.class) {
            return Boolean.valueOf(text);
        }
        if (type.isEnum()) {
            for (Object constant : type.getEnumConstants()) {
                if (constant.toString().equals(text)) {
                    return constant;
                }
            }
            throw new IllegalArgumentException(text + " is none of " + List.of(type.getEnumConstants()));
        }
        if (type == String.class) {
            return text;
        }
        throw new AssertionError("an operation with a component of type " + type);
    }
}
