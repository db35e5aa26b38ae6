package io.fusecache.coordinator.state;

/**
 * What is counted once for the volume.
 *
 * @param history grows with every command that changes something: a point in the namespace's past
 * @param forgotten up to where in history freed object keys have been forgotten: a listing begun before is no use
 * @param usedBytes of all inodes, unlinked ones that are held open included
 */
public record Counters(
        long nextInode, long nextWork, long nextSession, long history, long forgotten, long usedBytes, long inodes) {
    public static final Counters INITIAL = new Counters(2, 1, 1, 1, 0, 0, 1);

    public Counters withNextInode(long next) {
        return new Counters(next, nextWork, nextSession, history, forgotten, usedBytes, inodes);
    }

    public Counters withNextWork(long next) {
        return new Counters(nextInode, next, nextSession, history, forgotten, usedBytes, inodes);
    }

    public Counters withNextSession(long next) {
        return new Counters(nextInode, nextWork, next, history, forgotten, usedBytes, inodes);
    }

    public Counters withHistory(long now) {
        return new Counters(nextInode, nextWork, nextSession, now, forgotten, usedBytes, inodes);
    }

    public Counters withForgotten(long upTo) {
        return new Counters(nextInode, nextWork, nextSession, history, upTo, usedBytes, inodes);
    }

    public Counters plus(long moreInodes, long moreBytes) {
        return new Counters(
                nextInode, nextWork, nextSession, history, forgotten, usedBytes + moreBytes, inodes + moreInodes);
    }

    public byte[] toBytes() {
        return new RecordWriter(1)
                .number(nextInode)
                .number(nextWork)
                .number(nextSession)
                .number(history)
                .number(forgotten)
                .number(usedBytes)
                .number(inodes)
                .toBytes();
    }

    public static Counters of(byte[] bytes) {
        RecordReader in = new RecordReader(bytes, "counters", 1);
        return new Counters(in.number(), in.number(), in.number(), in.number(), in.number(), in.number(), in.number());
    }
}
