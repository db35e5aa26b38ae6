package io.fusecache.coordinator.raft;

import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/** Ports of loopback that nobody has, each another one. */
public final class FreePorts {
    private FreePorts() {}

    /** Below those that outgoing connections get, which could take the port of a member that is away. */
    public static List<Integer> draw(int count) throws IOException {
        List<ServerSocket> held = new ArrayList<>();
        try {
            for (int tries = 0; held.size() < count && tries < 1_000; tries++) {
                int port = ThreadLocalRandom.current().nextInt(10_000, 20_000);
                try {
                    held.add(new ServerSocket(port, 1, InetAddress.getLoopbackAddress()));
                } catch (BindException taken) {
                    // The next one, then.
                }
            }
            if (held.size() < count) {
                throw new IOException("no port is free");
            }
            return held.stream().map(ServerSocket::getLocalPort).toList();
        } finally {
            // Not before all are drawn: else one may be drawn twice.
            for (ServerSocket socket : held) {
                socket.close();
            }
        }
    }
}
