package io.fusecache.filesystem;

/**
 * An open file description as a number that explains itself, so that a daemon that takes over a mount can rebuild its
 * state from the handles the kernel sends: nothing is looked up by it.
 *
 * @param incarnation of the backing file ({@code CachedFile.incarnation})
 */
record Handle(boolean read, boolean write, boolean directory, int incarnation) {
    private static final long READ = 1;
    private static final long WRITE = 2;
    private static final long DIRECTORY = 4;
    /** Always set, so that no handle is 0, which the kernel sends where there is none. */
    private static final long MARK = 8;

    private static final int INCARNATION_SHIFT = 16;

    static Handle of(long bits) {
        return new Handle(
                (bits & READ) != 0,
                (bits & WRITE) != 0,
                (bits & DIRECTORY) != 0,
                (int) (bits >>> INCARNATION_SHIFT) & 0xFFFF);
    }

    long bits() {
        return MARK
                | (read ? READ : 0)
                | (write ? WRITE : 0)
                | (directory ? DIRECTORY : 0)
                | (long) incarnation << INCARNATION_SHIFT;
    }
}
