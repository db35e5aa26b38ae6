package io.fusecache.coordinator.state;

/** How long a file is kept that is removed from now on; 0 for not at all. */
public record TrashRule(long keepMillis) {
    public static final TrashRule OFF = new TrashRule(0);

    public boolean on() {
        return keepMillis > 0;
    }

    public byte[] toBytes() {
        return new RecordWriter(1).number(keepMillis).toBytes();
    }

    public static TrashRule of(byte[] bytes) {
        return new TrashRule(new RecordReader(bytes, "trash rule", 1).number());
    }
}
