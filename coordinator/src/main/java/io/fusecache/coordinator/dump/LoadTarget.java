package io.fusecache.coordinator.dump;

import io.fusecache.coordinator.state.Changes;
import io.fusecache.coordinator.state.View;
import java.io.IOException;

/** The state that is loaded into. */
public interface LoadTarget {
    /** With what was written, seen by the thread that writes. */
    View view();

    /** Writes a batch, whole; returns when there is room for another. */
    void write(Changes batch) throws IOException;
}
