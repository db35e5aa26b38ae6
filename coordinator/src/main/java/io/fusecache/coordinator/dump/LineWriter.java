package io.fusecache.coordinator.dump;

import java.io.IOException;
import java.io.OutputStream;
import java.util.zip.CRC32C;

/** Writes the lines of a dump, and what the last one says of those before. */
public final class LineWriter {
    private final OutputStream out;
    private final CRC32C checksum = new CRC32C();
    private long lines;
    private long inodes;
    private long usedBytes;

    public LineWriter(OutputStream out) {
        this.out = out;
    }

    public void write(DumpLine line) throws IOException {
        byte[] text = LineJson.bytes(line);
        out.write(text);
        out.write('\n');
        checksum.update(text);
        checksum.update('\n');
        lines++;
        if (line instanceof DumpLine.InodeLine inode) {
            inodes++;
            usedBytes += inode.usedBytes();
        }
    }

    /** Writes the last line; returns how many inodes there were. */
    public long end() throws IOException {
        write(new DumpLine.End(lines, inodes, usedBytes, "%08x".formatted(checksum.getValue())));
        out.flush();
        return inodes;
    }
}
