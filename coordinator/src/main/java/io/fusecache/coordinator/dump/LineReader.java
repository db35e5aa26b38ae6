package io.fusecache.coordinator.dump;

import io.fusecache.coordinator.dump.DumpLine.End;
import io.fusecache.coordinator.dump.DumpLine.Header;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/** Reads the lines of a dump: the header first, then the others, up to the last one, which has to be right about them. */
public final class LineReader {
    /** A sealed file of 20 TiB in blocks of 4 MiB has so long a line, about. */
    private static final int MOST_BYTES = 32 << 20;

    private final InputStream in;
    private final CRC32C checksum = new CRC32C();
    private long number;
    private long inodes;
    private long usedBytes;

    public LineReader(InputStream in) {
        this.in = new BufferedInputStream(in, 64 << 10);
    }

    /** Of the line that was read last, from 1. */
    public long number() {
        return number;
    }

    public DumpException wrong(String message) {
        return new DumpException(number, message);
    }

    public Header header() throws IOException {
        byte[] text = text();
        if (text == null) {
            number = 1;
            throw wrong("there is nothing");
        }
        DumpLine line = parse(text);
        if (!(line instanceof Header header)) {
            throw wrong("expected the header of a dump");
        }
        count(text);
        return header;
    }

    /** The next line between the header and the last one; null after that one, which was right. */
    public @Nullable DumpLine next() throws IOException {
        byte[] text = text();
        if (text == null) {
            throw new DumpException(number + 1, "the dump is cut short: it has no end line");
        }
        DumpLine line = parse(text);
        if (line instanceof Header) {
            throw wrong("another header");
        }
        if (line instanceof End end) {
            check(end);
            return null;
        }
        if (line instanceof DumpLine.InodeLine inode) {
            inodes++;
            usedBytes += inode.usedBytes();
        }
        count(text);
        return line;
    }

    /** The next of lines that have no header and no end line; null after the last. */
    public @Nullable DumpLine nextIfAny() throws IOException {
        byte[] text = text();
        return text == null ? null : parse(text);
    }

    private void count(byte[] text) {
        checksum.update(text);
        checksum.update('\n');
    }

    private DumpLine parse(byte[] text) throws DumpException {
        try {
            return LineJson.read(text);
        } catch (IllegalArgumentException wrong) {
            throw wrong(String.valueOf(wrong.getMessage()));
        }
    }

    private void check(End end) throws IOException {
        long before = number - 1;
        String sum = "%08x".formatted(checksum.getValue());
        if (end.lines() != before || end.inodes() != inodes || end.usedBytes() != usedBytes) {
            throw wrong("the end line counts %d lines, %d inodes and %d bytes, and there are %d, %d and %d"
                    .formatted(end.lines(), end.inodes(), end.usedBytes(), before, inodes, usedBytes));
        }
        if (!end.crc32c().equals(sum)) {
            throw wrong("the checksum of the lines is " + sum + ", and the end line says " + end.crc32c());
        }
        if (in.read() >= 0) {
            throw new DumpException(number + 1, "something comes after the end line");
        }
    }

    /** Up to the line feed, which has to be there; null at the end. */
    private byte @Nullable [] text() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(512);
        for (int next = in.read(); next != '\n'; next = in.read()) {
            if (next < 0) {
                if (bytes.size() == 0) {
                    return null;
                }
                throw new DumpException(number + 1, "the dump is cut short: the line has no end");
            }
            if (bytes.size() == MOST_BYTES) {
                throw new DumpException(number + 1, "a line of more than " + MOST_BYTES + " bytes");
            }
            bytes.write(next);
        }
        number++;
        return bytes.toByteArray();
    }
}
