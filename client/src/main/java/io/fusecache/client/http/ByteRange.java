package io.fusecache.client.http;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The one range of a {@code Range} header, applied to a size (RFC 9110, section 14). */
record ByteRange(long offset, long length) {
    private static final Pattern FORM = Pattern.compile("bytes=\\s*(\\d{0,18})\\s*-\\s*(\\d{0,18})\\s*");

    /**
     * Empty where the header asks for what a server may ignore: another unit, several ranges, or nonsense.
     *
     * @throws HttpFailure 416 where nothing of {@code size} bytes lies in the range
     */
    static Optional<ByteRange> of(String header, long size) throws HttpFailure {
        Matcher matcher = FORM.matcher(header);
        if (!matcher.matches()
                || (matcher.group(1).isEmpty() && matcher.group(2).isEmpty())) {
            return Optional.empty();
        }
        if (matcher.group(1).isEmpty()) {
            long suffix = Math.min(Long.parseLong(matcher.group(2)), size);
            return satisfiable(header, size - suffix, suffix, size);
        }
        long first = Long.parseLong(matcher.group(1));
        long last = matcher.group(2).isEmpty() ? size - 1 : Long.parseLong(matcher.group(2));
        if (last < first && !matcher.group(2).isEmpty()) {
            return Optional.empty();
        }
        return satisfiable(header, first, Math.min(last, size - 1) - first + 1, size);
    }

    private static Optional<ByteRange> satisfiable(String header, long offset, long length, long size)
            throws HttpFailure {
        if (length <= 0) {
            throw new HttpFailure(416, "range_not_satisfiable", header + " of " + size + " bytes");
        }
        return Optional.of(new ByteRange(offset, length));
    }

    String contentRange(long size) {
        return "bytes %d-%d/%d".formatted(offset, offset + length - 1, size);
    }
}
