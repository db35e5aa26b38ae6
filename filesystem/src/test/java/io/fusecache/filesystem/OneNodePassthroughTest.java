package io.fusecache.filesystem;

/** {@link OneNodeSuite} with files that the kernel reads and writes itself. */
final class OneNodePassthroughTest extends OneNodeSuite {
    @Override
    boolean passthrough() {
        return true;
    }
}
