package io.fusecache.client.settings;

import java.math.BigDecimal;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: {@code 4096}, {@code 10GiB}, {@code 1.5g}, {@code 500MB} (powers of 1000 with a bare B). */
public final class ByteSize {
    private static final Pattern FORM = Pattern.compile("(\\d+(?:\\.\\d+)?)\\s*([a-z]*)");
    private static final Map<String, Long> FACTORS = Map.ofEntries(
            Map.entry("b", 1L),
            Map.entry("k", 1L << 10),
            Map.entry("kib", 1L << 10),
            Map.entry("kb", 1000L),
            Map.entry("m", 1L << 20),
            Map.entry("mib", 1L << 20),
            Map.entry("mb", 1000_000L),
            Map.entry("g", 1L << 30),
            Map.entry("gib", 1L << 30),
            Map.entry("gb", 1000_000_000L),
            Map.entry("t", 1L << 40),
            Map.entry("tib", 1L << 40),
            Map.entry("tb", 1000_000_000_000L));

    private ByteSize() {}

    /**
     * @param plainFactor what a number without a suffix counts
     * @throws IllegalArgumentException with what was expected, where {@code text} is no size or needs more than 63 bits
     */
    public static long parse(String text, long plainFactor) {
        Matcher matcher = FORM.matcher(text.strip().toLowerCase(Locale.ROOT));
        if (!matcher.matches()) {
            throw new IllegalArgumentException("expected a size such as 4096, 512MiB or 10GiB");
        }
        String suffix = matcher.group(2);
        Long factor = suffix.isEmpty() ? Long.valueOf(plainFactor) : FACTORS.get(suffix);
        if (factor == null) {
            throw new IllegalArgumentException(
                    "unknown unit '" + suffix + "': expected KiB, MiB, GiB, TiB, KB, MB, GB or TB");
        }
        try {
            return new BigDecimal(matcher.group(1))
                    .multiply(BigDecimal.valueOf(factor))
                    .toBigInteger()
                    .longValueExact();
        } catch (ArithmeticException tooLarge) {
            throw new IllegalArgumentException("expected less than 8 EiB", tooLarge);
        }
    }

    /** Shortest exact form with a binary suffix, or rounded to two digits where there is none. */
    public static String text(long bytes) {
        String[] suffixes = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
        int step = 0;
        double value = bytes;
        while (value >= 1024 && step < suffixes.length - 1) {
            value /= 1024;
            step++;
        }
        boolean whole = value == Math.rint(value);
        return (whole ? "%.0f %s" : "%.2f %s").formatted(value, suffixes[step]);
    }
}
