package io.fusecache.coordinator.state;

/** The state as it was at one moment. After {@link #close}, or when the state itself is closed, reading fails with IllegalStateException. */
public interface Snapshot extends View, AutoCloseable {
    @Override
    void close();
}
