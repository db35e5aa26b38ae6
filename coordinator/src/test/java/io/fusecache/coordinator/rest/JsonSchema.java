package io.fusecache.coordinator.rest;

import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.JsonNode;

/** The part of JSON Schema that openapi.json uses: says what of a value does not fit, by its place. */
final class JsonSchema {
    private final JsonNode document;

    JsonSchema(JsonNode document) {
        this.document = document;
    }

    List<String> misfits(JsonNode schema, JsonNode value) {
        List<String> misfits = new ArrayList<>();
        check(schema, value, "$", misfits);
        return misfits;
    }

    private void check(JsonNode schema, JsonNode value, String place, List<String> misfits) {
        if (schema.has("$ref")) {
            check(document.at(schema.get("$ref").asString().substring(1)), value, place, misfits);
            return;
        }
        switch (schema.path("type").asString()) {
            case "object" -> object(schema, value, place, misfits);
            case "array" -> {
                expect(value.isArray(), place + " is no array", misfits);
                for (int i = 0; i < value.size(); i++) {
                    check(schema.get("items"), value.get(i), place + "[" + i + "]", misfits);
                }
            }
            case "string" -> string(schema, value, place, misfits);
            case "integer" -> {
                expect(value.isIntegralNumber(), place + " is no integer: " + value, misfits);
                expect(
                        !schema.has("minimum")
                                || value.asLong() >= schema.get("minimum").asLong(),
                        place + " is too small",
                        misfits);
            }
            case "boolean" -> expect(value.isBoolean(), place + " is no boolean", misfits);
            default -> misfits.add(place + ": a schema of type '" + schema.path("type") + "'");
        }
    }

    private void object(JsonNode schema, JsonNode value, String place, List<String> misfits) {
        expect(value.isObject(), place + " is no object", misfits);
        for (JsonNode required : schema.path("required")) {
            expect(value.has(required.asString()), place + " lacks " + required.asString(), misfits);
        }
        for (Map.Entry<String, JsonNode> field : value.properties()) {
            JsonNode known = schema.path("properties").path(field.getKey());
            if (known.isMissingNode()) {
                expect(
                        schema.path("additionalProperties").asBoolean(true),
                        place + " has " + field.getKey() + ", which the schema has not",
                        misfits);
            } else {
                check(known, field.getValue(), place + "." + field.getKey(), misfits);
            }
        }
    }

    private static void string(JsonNode schema, JsonNode value, String place, List<String> misfits) {
        expect(value.isString(), place + " is no string: " + value, misfits);
        String text = value.asString("");
        expect(
                !schema.has("pattern") || text.matches(schema.get("pattern").asString()),
                place + " '" + text + "' does not match " + schema.path("pattern"),
                misfits);
        if (schema.has("enum")) {
            boolean known = false;
            for (JsonNode choice : schema.get("enum")) {
                known |= choice.asString().equals(text);
            }
            expect(known, place + " '" + text + "' is none of " + schema.get("enum"), misfits);
        }
        if (schema.path("format").asString("").equals("date-time")) {
            try {
                OffsetDateTime.parse(text);
            } catch (DateTimeParseException wrong) {
                misfits.add(place + " '" + text + "' is no time");
            }
        }
    }

    private static void expect(boolean fits, String misfit, List<String> misfits) {
        if (!fits) {
            misfits.add(misfit);
        }
    }
}
