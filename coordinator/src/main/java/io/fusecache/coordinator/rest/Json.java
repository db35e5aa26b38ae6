package io.fusecache.coordinator.rest;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.util.stream.Collectors;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.databind.DatabindException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.MapperFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.cfg.CoercionAction;
import tools.jackson.databind.cfg.CoercionInputShape;
import tools.jackson.databind.exc.UnrecognizedPropertyException;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.type.LogicalType;

/** JSON with snake_case names, strict in what it takes: unknown and repeated fields, wrong types and trailing text are errors. */
final class Json {
    private final JsonMapper mapper = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .changeDefaultPropertyInclusion(included -> included.withValueInclusion(JsonInclude.Include.NON_NULL))
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .withCoercionConfig(
                    LogicalType.Textual,
                    text -> text.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                            .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                            .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail))
            .build();

    byte[] bytes(Object value) {
        return mapper.writeValueAsBytes(value);
    }

    <T> T read(byte[] body, Class<T> type) throws RestFailure {
        try {
            T value = mapper.readValue(body, type);
            if (value == null) {
                throw new RestFailure(400, "invalid_json", "the body is null: a JSON object is expected");
            }
            return value;
        } catch (UnrecognizedPropertyException unknown) {
            String known = unknown.getKnownPropertyIds().stream()
                    .map(Object::toString)
                    .sorted()
                    .collect(Collectors.joining(", "));
            throw new RestFailure(
                    400, "unknown_field", "unknown field '" + unknown.getPropertyName() + "': known are " + known);
        } catch (DatabindException wrong) {
            String field = wrong.getPath().stream()
                    .map(step -> step.getPropertyName() == null ? "[" + step.getIndex() + "]" : step.getPropertyName())
                    .collect(Collectors.joining("."));
            throw new RestFailure(
                    400, "invalid_field", (field.isEmpty() ? "" : field + ": ") + wrong.getOriginalMessage());
        } catch (JacksonException malformed) {
            throw new RestFailure(400, "invalid_json", "the body is no JSON object: " + malformed.getOriginalMessage());
        }
    }
}
