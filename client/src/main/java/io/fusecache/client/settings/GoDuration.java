package io.fusecache.client.settings;

import java.math.BigDecimal;
import java.time.Duration;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations in the forms of Go's {@code time.ParseDuration}: {@code 30s}, {@code 1m30s}, {@code 500ms}, {@code 1.5h}; and days. */
public final class GoDuration {
    private static final Pattern PART = Pattern.compile("(\\d+(?:\\.\\d*)?|\\.\\d+)(ns|us|µs|μs|ms|s|m|h)");
    private static final Pattern DAYS = Pattern.compile("(\\d{1,5})d(.*)");
    private static final Map<String, Long> NANOS = Map.of(
            "ns", 1L,
            "us", 1_000L,
            "µs", 1_000L,
            "μs", 1_000L,
            "ms", 1_000_000L,
            "s", 1_000_000_000L,
            "m", 60_000_000_000L,
            "h", 3_600_000_000_000L);

    private GoDuration() {}

    /** @throws IllegalArgumentException with what was expected, where {@code text} is no duration */
    public static Duration parse(String text) {
        if (text.equals("0")) {
            return Duration.ZERO;
        }
        Matcher matcher = PART.matcher(text);
        BigDecimal nanos = BigDecimal.ZERO;
        int end = 0;
        while (end < text.length() && matcher.find(end) && matcher.start() == end) {
            Long factor = NANOS.get(matcher.group(2));
            if (factor == null) {
                throw new AssertionError("unit " + matcher.group(2));
            }
            nanos = nanos.add(new BigDecimal(matcher.group(1)).multiply(BigDecimal.valueOf(factor)));
            end = matcher.end();
        }
        if (text.isEmpty() || end < text.length()) {
            throw new IllegalArgumentException("expected a duration such as 30s, 1m30s or 500ms");
        }
        try {
            return Duration.ofNanos(nanos.toBigInteger().longValueExact());
        } catch (ArithmeticException tooLong) {
            throw new IllegalArgumentException("expected less than 292 years", tooLong);
        }
    }

    /** As {@link #parse}, with days before: {@code 7d}, {@code 1d12h}. */
    public static Duration parseWithDays(String text) {
        Matcher days = DAYS.matcher(text);
        if (!days.matches()) {
            return parse(text);
        }
        Duration rest = days.group(2).isEmpty() ? Duration.ZERO : parse(days.group(2));
        return Duration.ofDays(Long.parseLong(days.group(1))).plus(rest);
    }

    /** As {@link #text}, with days before. */
    public static String textWithDays(Duration duration) {
        long days = duration.toDays();
        Duration rest = duration.minusDays(days);
        return (days > 0 ? days + "d" : "") + (days > 0 && rest.isZero() ? "" : text(rest));
    }

    /** As Go prints it: {@code 1m30s}. */
    public static String text(Duration duration) {
        if (duration.isZero()) {
            return "0s";
        }
        StringBuilder text = new StringBuilder();
        if (duration.toHours() > 0) {
            text.append(duration.toHours()).append('h');
        }
        if (duration.toMinutesPart() > 0) {
            text.append(duration.toMinutesPart()).append('m');
        }
        long nanos = duration.toSecondsPart() * 1_000_000_000L + duration.toNanosPart();
        if (nanos >= 1_000_000_000L) {
            text.append(plain(nanos, 9)).append('s');
        } else if (nanos > 0) {
            text.append(plain(nanos, 6)).append("ms");
        }
        return text.toString();
    }

    private static String plain(long value, int digits) {
        return BigDecimal.valueOf(value, digits).stripTrailingZeros().toPlainString();
    }
}
