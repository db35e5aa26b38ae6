package io.fusecache.coordinator.state;

/**
 * What a directory's tree may take and takes: everything below it, the directory itself left out.
 *
 * @param mostBytes 0 for no limit
 * @param mostInodes 0 for no limit
 */
public record QuotaRecord(long mostBytes, long mostInodes, long usedBytes, long usedInodes) {
    public QuotaRecord plus(long bytes, long inodes) {
        return new QuotaRecord(mostBytes, mostInodes, usedBytes + bytes, usedInodes + inodes);
    }

    public byte[] toBytes() {
        return new RecordWriter(1)
                .number(mostBytes)
                .number(mostInodes)
                .number(usedBytes)
                .number(usedInodes)
                .toBytes();
    }

    public static QuotaRecord of(byte[] bytes) {
        RecordReader in = new RecordReader(bytes, "quota", 1);
        return new QuotaRecord(in.number(), in.number(), in.number(), in.number());
    }
}
