package io.fusecache.metadata.session;

import java.io.IOException;
import java.util.List;

/** Opens streams to a coordinator: in this process, or over gRPC. */
public interface SessionTransport extends AutoCloseable {
    /**
     * Says hello and waits for the welcome. {@code receiver} hears everything after it, one call at a time, in order.
     *
     * @throws RefusedException where the coordinator is there and does not want this client: trying again is no use
     * @throws IOException where no coordinator could be reached
     */
    Stream open(Hello hello, Receiver receiver) throws IOException;

    /**
     * Whether there are several coordinators to open to: then a silent one is left for another, and each {@link #open} after a
     * stream broke begins with another one than that.
     */
    default boolean several() {
        return false;
    }

    /** The coordinators are these from now on, as the one that leads says. */
    default void learn(List<Welcome.Member> members) {
        // There is but one, and it is in this process.
    }

    @Override
    void close();

    /** An open stream. */
    interface Stream {
        Welcome welcome();

        /** From any thread. Messages of one thread arrive in their order; on a broken stream they vanish. */
        void send(Upstream message);

        /** Without a goodbye: the session can be resumed. */
        void close();
    }

    /** The client's end. */
    interface Receiver {
        void received(Downstream message);

        /** Nothing comes any more. Called once, also after {@link Stream#close}. */
        void broken(String reason);
    }

    /** The coordinator's refusal, one line for a person. */
    final class RefusedException extends IOException {
        private static final long serialVersionUID = 1L;

        public RefusedException(String message) {
            super(message);
        }
    }
}
