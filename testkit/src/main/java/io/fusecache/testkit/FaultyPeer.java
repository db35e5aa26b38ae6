package io.fusecache.testkit;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A TCP proxy in front of a server that spoils what the server answers: delays it, flips a bit of it, cuts it, stops it.
 * One fault at a time; it applies to every connection from the next byte of an answer on.
 */
public final class FaultyPeer implements AutoCloseable {
    private final ServerSocket listener;
    private final InetSocketAddress target;
    private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
    private final AtomicInteger connections = new AtomicInteger();
    private volatile Fault fault = new Fault.None();

    /** What happens to the bytes of an answer; positions count from the first byte of the connection's answers. */
    public sealed interface Fault {
        record None() implements Fault {}

        /** Every piece comes later by this much. */
        record Delay(Duration by) implements Fault {}

        /** The lowest bit of one byte is turned, once per connection. */
        record FlipBit(long at) implements Fault {}

        /** The connection ends after this many bytes, in order as if that were all. */
        record Truncate(long after) implements Fault {}

        /** The connection is reset after this many bytes. */
        record Reset(long after) implements Fault {}

        /** Nothing comes after this many bytes, and the connection stays. */
        record Stall(long after) implements Fault {}
    }

    public FaultyPeer(int targetPort) throws IOException {
        this.target = new InetSocketAddress(InetAddress.getLoopbackAddress(), targetPort);
        this.listener = new ServerSocket(0, 64, InetAddress.getLoopbackAddress());
        Thread.ofVirtual().name("faulty-peer").start(this::accept);
    }

    public int port() {
        return listener.getLocalPort();
    }

    /** Connections made through it so far. */
    public int connections() {
        return connections.get();
    }

    public void inject(Fault next) {
        fault = next;
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                Socket server = new Socket();
                server.connect(target);
                sockets.add(client);
                sockets.add(server);
                connections.incrementAndGet();
                Thread.ofVirtual().start(() -> pump(client, server, false));
                Thread.ofVirtual().start(() -> pump(server, client, true));
            } catch (IOException closedOrRefused) {
                // The client sees it: its connection is never answered, or the listener is gone.
            }
        }
    }

    private void pump(Socket from, Socket to, boolean answers) {
        byte[] buffer = new byte[16 << 10];
        long position = 0;
        try (from;
                to) {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            for (int count = in.read(buffer); count > 0; count = in.read(buffer)) {
                int sent = answers ? spoil(buffer, count, position, to) : count;
                out.write(buffer, 0, sent);
                out.flush();
                position += count;
                if (sent < count) {
                    return;
                }
            }
        } catch (IOException | InterruptedException ended) {
            // Either side hung up, or the fault asked for it.
        } finally {
            sockets.remove(from);
            sockets.remove(to);
        }
    }

    /** How many of the bytes go on. */
    private int spoil(byte[] buffer, int count, long position, Socket to) throws IOException, InterruptedException {
        return switch (fault) {
            case Fault.None none -> count;
            case Fault.Delay delay -> {
                Thread.sleep(delay.by());
                yield count;
            }
            case Fault.FlipBit flip -> {
                if (flip.at() >= position && flip.at() < position + count) {
                    buffer[(int) (flip.at() - position)] ^= 1;
                }
                yield count;
            }
            case Fault.Truncate truncate -> Math.clamp(truncate.after() - position, 0, count);
            case Fault.Reset reset -> {
                int sent = Math.clamp(reset.after() - position, 0, count);
                if (sent < count) {
                    to.setSoLinger(true, 0);
                }
                yield sent;
            }
            case Fault.Stall stall -> {
                if (stall.after() < position + count) {
                    Thread.sleep(Duration.ofDays(1));
                }
                yield count;
            }
        };
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
