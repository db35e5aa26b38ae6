package io.fusecache.filesystem;

import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.SessionTransport;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A way to the coordinator that can be cut, as a process that is killed cuts it. */
final class CuttableTransport implements SessionTransport {
    private final SessionTransport way;
    private final List<Stream> streams = new CopyOnWriteArrayList<>();
    private volatile boolean cut;
    private volatile boolean losesChanges;

    CuttableTransport(SessionTransport way) {
        this.way = way;
    }

    @Override
    public Stream open(Hello hello, Receiver receiver) throws IOException {
        if (cut) {
            throw new IOException("cut");
        }
        Stream stream = way.open(hello, receiver);
        streams.add(stream);
        return new Stream() {
            @Override
            public Welcome welcome() {
                return stream.welcome();
            }

            @Override
            public void send(Upstream message) {
                boolean changes = message instanceof Upstream.Request request
                        && request.operation() instanceof Operation.Delegated;
                if (!losesChanges || !changes) {
                    stream.send(message);
                }
            }

            @Override
            public void close() {
                stream.close();
            }
        };
    }

    /** From now on nothing arrives of what was done in delegated directories. */
    void losesChanges() {
        losesChanges = true;
    }

    void cut() {
        cut = true;
        streams.forEach(Stream::close);
    }

    @Override
    public void close() {
        way.close();
    }
}
