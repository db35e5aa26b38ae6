package io.fusecache.client.http;

import java.util.Map;
import tools.jackson.core.JacksonException;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.PropertyNamingStrategies;
import tools.jackson.databind.json.JsonMapper;

/** JSON with snake_case names. */
final class Json {
    private final JsonMapper mapper = JsonMapper.builder()
            .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    byte[] bytes(Object value) {
        return mapper.writeValueAsBytes(value);
    }

    Map<String, Object> object(byte[] bytes) throws HttpFailure {
        try {
            return mapper.readValue(bytes, new TypeReference<Map<String, Object>>() {});
        } catch (JacksonException malformed) {
            throw new HttpFailure(400, "invalid_json", "the body is no JSON object: " + malformed.getOriginalMessage());
        }
    }
}
