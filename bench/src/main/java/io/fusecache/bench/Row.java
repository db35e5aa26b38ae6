package io.fusecache.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.OptionalDouble;

/**
 * One line of the table: what is done, and how it is measured on one side.
 *
 * @param bar the least ratio of mount to disk that the project promises, where it promises one
 */
record Row(String title, Unit unit, OptionalDouble bar, Measurement measurement) {
    /** What the figures count. Of seconds, fewer are better; of all else, more are. */
    enum Unit {
        MIB_PER_SECOND("MiB/s"),
        OPERATIONS_PER_SECOND("ops/s");

        private final String text;

        Unit(String text) {
            this.text = text;
        }

        String text() {
            return text;
        }
    }

    /** Does the work once and says how fast it was. */
    @FunctionalInterface
    interface Measurement {
        /**
         * Measures in {@code folder}, which belongs to this bench alone and is the same one in every repeat.
         *
         * @param repeat counts from 0; both sides see the same numbers
         * @return units per second
         */
        double run(Path folder, int repeat) throws IOException, InterruptedException;
    }

    Row(String title, Unit unit, double bar, Measurement measurement) {
        this(title, unit, OptionalDouble.of(bar), measurement);
    }
}
