package io.fusecache.cluster;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicLong;

/** Passes connections on, and flips one bit in every megabyte that comes back. */
final class FlippingProxy implements AutoCloseable {
    private static final int EVERY_BYTES = 1 << 20;
    /** Past any head of a reply. */
    private static final int FIRST = 100_000;

    private final ServerSocket server = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    private final AtomicLong flipped = new AtomicLong();
    private volatile int target;

    FlippingProxy() throws IOException {
        Thread.ofVirtual().start(this::accept);
    }

    int port() {
        return server.getLocalPort();
    }

    void forwardTo(int port) {
        target = port;
    }

    long flipped() {
        return flipped.get();
    }

    private void accept() {
        while (!server.isClosed()) {
            try {
                Socket near = server.accept();
                Socket far = new Socket(InetAddress.getLoopbackAddress(), target);
                Thread.ofVirtual().start(() -> pump(near, far, false));
                Thread.ofVirtual().start(() -> pump(far, near, true));
            } catch (IOException closed) {
                // The test is over, or the node behind is: the caller sees a connection that breaks off.

            }
        }
    }

    private void pump(Socket from, Socket to, boolean flip) {
        byte[] buffer = new byte[64 << 10];
        long next = FIRST;
        long passed = 0;
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                if (flip && next < passed + count) {
                    buffer[(int) (next - passed)] ^= 1;
                    flipped.incrementAndGet();
                    next += EVERY_BYTES;
                }
                passed += count;
                out.write(buffer, 0, count);
            }
        } catch (IOException brokenOff) {
            // Either side hung up: closing both is the whole answer.
            return;
        }
    }

    @Override
    public void close() throws IOException {
        server.close();
    }
}
