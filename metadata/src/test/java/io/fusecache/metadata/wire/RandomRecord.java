package io.fusecache.metadata.wire;

import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.Operation.Holding;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Values for any record of the session, chosen by a seed: edges often, null wherever it may be. */
final class RandomRecord {
    private static final String LETTERS = "abcXYZ012._:-";

    private final Random random;

    RandomRecord(long seed) {
        this.random = new Random(seed);
    }

    /** Every record below a sealed type. */
    static List<Class<?>> recordsOf(Class<?> sealed) {
        if (sealed.isRecord()) {
            return List.of(sealed);
        }
        List<Class<?>> records = new ArrayList<>();
        for (Class<?> permitted : sealed.getPermittedSubclasses()) {
            records.addAll(recordsOf(permitted));
        }
        return records;
    }

    Object of(Class<?> type) throws Exception {
        if (type == FileVersion.class) {
            return version();
        }
        if (type == NodeId.class) {
            return new NodeId(letters(1 + random.nextInt(NodeId.MAX_LENGTH)));
        }
        if (type == Timestamp.class) {
            return new Timestamp(number(), random.nextInt(1_000_000_000));
        }
        if (type == Holding.class) {
            boolean all = random.nextBoolean();
            return new Holding(ino(), size(), all, all || random.nextBoolean() ? null : bits());
        }
        if (type.isSealed()) {
            List<Class<?>> records = new ArrayList<>(recordsOf(type));
            // One may not be in another.
            records.remove(Operation.Delegated.class);
            return of(records.get(random.nextInt(records.size())));
        }
        RecordComponent[] components = type.getRecordComponents();
        Object[] values = new Object[components.length];
        Class<?>[] types = new Class<?>[components.length];
        for (int i = 0; i < components.length; i++) {
            types[i] = components[i].getType();
            values[i] = component(type, components[i]);
        }
        var constructor = type.getDeclaredConstructor(types);
        constructor.setAccessible(true);
        return constructor.newInstance(values);
    }

    private @Nullable Object component(Class<?> record, RecordComponent component) throws Exception {
        if (component.getAnnotatedType().isAnnotationPresent(Nullable.class) && random.nextInt(3) == 0) {
            return null;
        }
        return switch (component.getName()) {
            case "ino", "parent", "newParent", "directory" ->
                component.getType() == long.class ? (Object) ino() : value(component.getGenericType());
            case "permissions" ->
                record == Inode.class || record.getSimpleName().equals("NewInode")
                        ? (Object) random.nextInt(010000)
                        : value(component.getGenericType());
            case "umask" -> random.nextInt(01000);
            case "numbers" -> random.nextInt(1 + Operation.Delegated.MOST_NUMBERS);
            case "slot", "limit", "slots", "count" -> random.nextInt() & Integer.MAX_VALUE;
            case "size", "usedBytes", "availableBytes", "sequence" -> size();
            case "inodes", "inUse", "named" ->
                component.getType() == Set.class ? inodes() : value(component.getGenericType());
            // A directory of which no name changes is not among them.
            case "changed" ->
                component.getType() == Map.class
                        ? (Object) Map.of(ino(), Set.of(FileName.of(bytes(1)), FileName.of(bytes(2))))
                        : value(component.getGenericType());
            default -> value(component.getGenericType());
        };
    }

    private Object value(Type type) throws Exception {
        if (type instanceof ParameterizedType parameterized) {
            return collection((Class<?>) parameterized.getRawType(), parameterized.getActualTypeArguments());
        }
        Class<?> plain = (Class<?>) type;
        if (plain == long.class) {
            return number();
        } else if (plain == int.class || plain == Integer.class) {
            return random.nextInt(4) == 0 ? -1 : random.nextInt();
        } else if (plain == boolean.class) {
            return random.nextBoolean();
        } else if (plain == String.class) {
            return random.nextInt(4) == 0 ? "" : letters(random.nextInt(40)) + "\u00e9\ud83d\ude00/";
        } else if (plain == byte[].class) {
            return bytes(random.nextInt(300));
        } else if (plain == int[].class) {
            return random.ints(random.nextInt(50)).toArray();
        } else if (plain == FileName.class) {
            return FileName.of(bytes(1 + random.nextInt(FileName.MAX_BYTES)));
        } else if (plain == Duration.class) {
            return Duration.ofNanos(size());
        } else if (plain == BitSet.class) {
            return bits();
        } else if (plain.isEnum()) {
            return plain.getEnumConstants()[random.nextInt(plain.getEnumConstants().length)];
        }
        return of(plain);
    }

    private Object collection(Class<?> raw, Type[] arguments) throws Exception {
        int size = random.nextInt(5);
        if (raw == Map.class) {
            Map<Object, Object> map = new HashMap<>();
            for (int i = 0; i < size; i++) {
                // A number is that of an inode.
                map.put(arguments[0] == Long.class ? ino() : value(arguments[0]), value(arguments[1]));
            }
            return Map.copyOf(map);
        }
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < size; i++) {
            values.add(value(arguments[0]));
        }
        return raw == Set.class ? new HashSet<>(values) : values;
    }

    private FileVersion version() throws Exception {
        int blockBytes = 4096 << random.nextInt(15);
        long size = random.nextInt(5) == 0 ? 0 : random.nextLong(blockBytes * 100L);
        int[] checksums = random.nextBoolean()
                ? random.ints((size + blockBytes - 1) / blockBytes).toArray()
                : null;
        ObjectRef object = random.nextBoolean() ? (ObjectRef) of(ObjectRef.class) : null;
        return new FileVersion(ino(), size(), size, blockBytes, checksums, object);
    }

    private long number() {
        return switch (random.nextInt(5)) {
            case 0 -> 0;
            case 1 -> Long.MIN_VALUE;
            case 2 -> Long.MAX_VALUE;
            case 3 -> -1;
            default -> random.nextLong();
        };
    }

    private long size() {
        return number() & Long.MAX_VALUE;
    }

    private long ino() {
        return number() & Inode.MAX;
    }

    private Set<Long> inodes() {
        Set<Long> inodes = new HashSet<>();
        for (int i = random.nextInt(20); i > 0; i--) {
            inodes.add(ino());
        }
        return inodes;
    }

    private BitSet bits() {
        BitSet bits = new BitSet();
        for (int i = random.nextInt(40); i > 0; i--) {
            bits.set(random.nextInt(1000));
        }
        return bits;
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            byte b = (byte) random.nextInt(256);
            bytes[i] = b == 0 || b == '/' || b == '.' ? (byte) 0xff : b;
        }
        return bytes;
    }

    private String letters(int length) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < length; i++) {
            text.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
        }
        return text.toString();
    }
}
