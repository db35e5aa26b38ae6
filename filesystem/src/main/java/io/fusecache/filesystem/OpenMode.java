package io.fusecache.filesystem;

/** How a file is opened: open(2)'s access mode and O_TRUNC. */
public record OpenMode(boolean read, boolean write, boolean truncate) {
    public static final OpenMode READ = new OpenMode(true, false, false);
    public static final OpenMode WRITE = new OpenMode(false, true, false);

    /** O_TRUNC changes the file whatever the access mode is. */
    boolean changes() {
        return write || truncate;
    }
}
