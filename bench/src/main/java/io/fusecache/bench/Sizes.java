package io.fusecache.bench;

import java.time.Duration;

/**
 * How much a bench does.
 *
 * @param repeats of each row on each side; odd, so that the median is a measured one
 * @param largeFileMebibytes size of the large file; the row of 4 KiB writes uses a quarter of it
 * @param smallFiles how many small files
 * @param span how long a row that can go on measures
 */
public record Sizes(int repeats, int largeFileMebibytes, int smallFiles, Duration span) {
    /** Checks the figures, so that no run ends in the middle for their sake. */
    public Sizes {
        if (repeats < 1 || repeats % 2 == 0) {
            throw new IllegalArgumentException(repeats + " repeats have no middle one: give an odd number");
        }
        if (largeFileMebibytes < 4 || smallFiles < 1) {
            throw new IllegalArgumentException("a bench needs at least a file of 4 MiB and 1 small file");
        }
    }

    /** Those of docs/PERFORMANCE.md. */
    public static Sizes standard() {
        return new Sizes(5, 1024, 1000, Duration.ofSeconds(1));
    }
}
