package io.fusecache.coordinator.session;

import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Welcome;

/** The client's end of a stream. Called by one thread at a time, never under the sequencer's lock. */
public interface Sink {
    void welcome(Welcome welcome);

    void send(Downstream message);

    void close(String reason);
}
