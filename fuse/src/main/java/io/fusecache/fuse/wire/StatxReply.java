package io.fusecache.fuse.wire;

/**
 * What statx(2) shows beyond {@link Attributes}: the birth time and the file attributes.
 *
 * @param mask which fields are meant: {@link #BASIC_STATS}, {@link #BIRTH_TIME}
 * @param fileAttributes STATX_ATTR_* that are set, of those in {@code fileAttributesMask}
 */
public record StatxReply(
        long validNanos,
        int mask,
        Attributes attributes,
        long birthSeconds,
        int birthNanos,
        long fileAttributes,
        long fileAttributesMask) {
    public static final int BASIC_STATS = 0x7ff;
    public static final int BIRTH_TIME = 0x800;
}
