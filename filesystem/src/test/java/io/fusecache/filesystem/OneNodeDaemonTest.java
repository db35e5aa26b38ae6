package io.fusecache.filesystem;

/** {@link OneNodeSuite} with everything going through the daemon. */
final class OneNodeDaemonTest extends OneNodeSuite {
    @Override
    boolean passthrough() {
        return false;
    }
}
