package io.fusecache.coordinator.dump;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.fusecache.coordinator.dump.DumpLine.Attribute;
import io.fusecache.coordinator.dump.DumpLine.End;
import io.fusecache.coordinator.dump.DumpLine.EntryLine;
import io.fusecache.coordinator.dump.DumpLine.Header;
import io.fusecache.coordinator.dump.DumpLine.InodeLine;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.type.LogicalType;

/** Lines as JSON, strict in what is read: unknown, repeated and missing fields, wrong types and trailing text are errors. */
final class LineJson {
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .changeDefaultPropertyInclusion(included -> included.withValueInclusion(JsonInclude.Include.NON_NULL))
            .disable(MapperFeature.SORT_PROPERTIES_ALPHABETICALLY)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .withCoercionConfig(
                    LogicalType.Textual,
                    text -> text.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                            .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                            .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
            .build();

    private static final Map<String, Class<? extends DumpLine>> KINDS = Map.of(
            Header.KIND,
            Header.class,
            InodeLine.KIND,
            InodeLine.class,
            Attribute.KIND,
            Attribute.class,
            EntryLine.KIND,
            EntryLine.class,
            End.KIND,
            End.class);

    /** The fields of each record. */
    private static final Map<Class<?>, List<Field>> FIELDS = new ConcurrentHashMap<>();

    private LineJson() {}

    static byte[] bytes(DumpLine line) {
        return MAPPER.writeValueAsBytes(line);
    }

    /** IllegalArgumentException, with what is wrong, for what is no line of a dump. */
    static DumpLine read(byte[] text) {
        try {
            JsonNode tree = MAPPER.readTree(text);
            String kind = tree.path("kind").asString("");
            Class<? extends DumpLine> type = KINDS.get(kind);
            if (type == null) {
                throw new IllegalArgumentException(
                        kind.isEmpty() ? "no line of a dump" : "unknown kind '" + kind + "'");
            }
            if (type == Header.class && tree.path("format").asLong(0) > DumpLine.FORMAT) {
                throw new IllegalArgumentException("format " + tree.path("format") + ", and this coordinator knows "
                        + DumpLine.FORMAT + ": use the release that wrote it, or a newer one");
            }
            checkWhole(tree, type);
            return MAPPER.treeToValue(tree, type);
        } catch (DatabindException wrong) {
            String field = wrong.getPath().stream()
                    .map(step -> String.valueOf(step.getPropertyName()))
                    .collect(Collectors.joining("."));
            throw new IllegalArgumentException(
                    (field.isEmpty() ? "" : field + ": ") + wrong.getOriginalMessage(), wrong);
        } catch (JacksonException malformed) {
            throw new IllegalArgumentException("no JSON: " + malformed.getOriginalMessage(), malformed);
        }
    }

    private record Field(String name, Class<?> type, boolean needed) {}

    private static void checkWhole(JsonNode tree, Class<?> type) {
        for (Field field : FIELDS.computeIfAbsent(type, LineJson::fields)) {
            if (!tree.hasNonNull(field.name())) {
                if (field.needed()) {
                    throw new IllegalArgumentException(field.name() + ": missing");
                }
            } else if (field.type().isRecord()) {
                checkWhole(tree.get(field.name()), field.type());
            }
        }
    }

    private static List<Field> fields(Class<?> type) {
        return Arrays.stream(type.getRecordComponents())
                .map(component -> new Field(
                        component.getName().replaceAll("(?=[A-Z])", "_").toLowerCase(Locale.ROOT),
                        component.getType(),
                        !component.getAnnotatedType().isAnnotationPresent(Nullable.class)))
                .toList();
    }
}
