package io.fusecache.tiers.cloud;

/**
 * How large the parts of an upload may be, and how large they are.
 *
 * @param smallest of all parts but the last, in bytes
 * @param largest in bytes
 * @param most parts of one object
 * @param largestObject in bytes; at most {@code largest * most}
 */
public record PartSizes(long smallest, long largest, int most, long largestObject) {
    /** Sizes that are no wish of anybody's are multiples of this, so that parts begin at pages and blocks. */
    static final long ROUNDED_TO = 64 << 10;

    public PartSizes {
        if (smallest < 1 || largest < smallest || most < 1 || (largestObject - 1) / most >= largest) {
            throw new IllegalArgumentException("parts of %d to %d bytes, %d of them, objects of %d"
                    .formatted(smallest, largest, most, largestObject));
        }
    }

    /**
     * The size of all parts but the last: the wish where it will do, or as much as the number of parts demands.
     *
     * @throws RefusedException where the object is larger than any can be
     */
    long of(String key, long size, long wish) throws RefusedException {
        if (size > largestObject) {
            throw new RefusedException(
                    "'%s' of %d bytes: an object has at most %d there".formatted(key, size, largestObject));
        }
        long wished = Math.clamp(wish, smallest, largest);
        long needed = size / most + (size % most == 0 ? 0 : 1);
        if (needed <= wished) {
            return wished;
        }
        long rounded = (needed + ROUNDED_TO - 1) / ROUNDED_TO * ROUNDED_TO;
        return Math.min(rounded, largest);
    }
}
