package io.fusecache.filesystem;

import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.SessionTransport;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A way to the coordinator that can be cut, as a process that is killed cuts it. */
final class CuttableTransport implements SessionTransport {
    private final SessionTransport way;
    private final List<Stream> streams = new CopyOnWriteArrayList<>();
    private volatile boolean cut;

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
        return stream;
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
