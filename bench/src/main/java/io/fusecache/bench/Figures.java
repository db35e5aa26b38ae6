package io.fusecache.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** What the repeats of one row on one side gave. */
record Figures(List<Double> values) {
    Figures {
        if (values.isEmpty()) {
            throw new IllegalArgumentException("a row needs one repeat at least");
        }
        values = List.copyOf(values);
    }

    double median() {
        double[] sorted = sorted();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /**
     * Repeat by repeat against {@code others}: what was measured in the same minute is compared, so a machine that slows
     * down in the middle of a row slows both sides of a pair.
     */
    Figures dividedBy(Figures others) {
        if (others.values.size() != values.size()) {
            throw new IllegalArgumentException(values.size() + " repeats against " + others.values.size());
        }
        return new Figures(IntStream.range(0, values.size())
                .mapToObj(i -> values.get(i) / others.values.get(i))
                .toList());
    }

    /** @return the median, and the span that it comes from, such as {@code 1,402 (1,380 to 1,411)} */
    String text() {
        double[] sorted = sorted();
        return sorted.length == 1
                ? number(median())
                : number(median()) + " (" + number(sorted[0]) + " to " + number(sorted[sorted.length - 1]) + ")";
    }

    private double[] sorted() {
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        return sorted;
    }

    /** Three digits that count, and never less than the whole part. */
    static String number(double value) {
        String format = value >= 100 ? "%,.0f" : value >= 10 ? "%.1f" : "%.2f";
        return String.format(Locale.ROOT, format, value);
    }
}
