package io.fusecache.coordinator.rest;

import io.fusecache.metadata.NodeId;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What is demanded of the fields of a body; each failure names the field. */
final class Demand {
    private static final Pattern ADDRESS = Pattern.compile("(?:https?://)?[A-Za-z0-9._:\\[\\]%-]{1,300}/?");
    private static final Pattern STATUS = Pattern.compile("[a-z][a-z_-]{0,31}");
    private static final int MOST_TEXT = 4096;

    private Demand() {}

    static <T> T given(@Nullable T value, String field) throws RestFailure {
        if (value == null) {
            throw new RestFailure(400, "missing_field", field + ": missing");
        }
        return value;
    }

    static NodeId nodeId(@Nullable String value, String field) throws RestFailure {
        try {
            return new NodeId(given(value, field));
        } catch (IllegalArgumentException wrong) {
            throw invalid(field, String.valueOf(wrong.getMessage()));
        }
    }

    static String address(@Nullable String value, String field) throws RestFailure {
        String given = given(value, field);
        if (!ADDRESS.matcher(given).matches()) {
            throw invalid(field, "expected host:port");
        }
        return given;
    }

    static String status(@Nullable String value, String field) throws RestFailure {
        String given = given(value, field);
        if (!STATUS.matcher(given).matches()) {
            throw invalid(field, "expected a word such as active");
        }
        return given;
    }

    static long bytes(@Nullable Long value, String field) throws RestFailure {
        if (value == null) {
            return 0;
        }
        if (value < 0) {
            throw invalid(field, "expected 0 or more bytes");
        }
        return value;
    }

    static String text(@Nullable String value, String field) throws RestFailure {
        if (value != null && value.length() > MOST_TEXT) {
            throw invalid(field, "expected at most " + MOST_TEXT + " characters");
        }
        return value == null ? "" : value;
    }

    static String oneOf(@Nullable String value, String field, Set<String> choices) throws RestFailure {
        String given = given(value, field);
        if (!choices.contains(given)) {
            throw invalid(field, "expected one of " + choices);
        }
        return given;
    }

    static @Nullable String time(@Nullable String value, String field) throws RestFailure {
        try {
            return value == null
                    ? null
                    : OffsetDateTime.parse(value).toInstant().toString();
        } catch (DateTimeParseException wrong) {
            throw invalid(field, "expected a time as of RFC 3339, such as 2026-01-31T12:00:00Z");
        }
    }

    static RestFailure invalid(String field, String expected) {
        return new RestFailure(400, "invalid_field", field + ": " + expected);
    }
}
