package io.fusecache.client;

import io.fusecache.client.NodeConfiguration.HostPort;
import java.io.IOException;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;

/** The address of this machine that others see. */
final class OwnAddress {
    private OwnAddress() {}

    /** The one from which packets to that host go: asks the routing table, sends nothing. */
    static String towards(HostPort other) throws IOException {
        try (DatagramSocket socket = new DatagramSocket()) {
            socket.connect(new InetSocketAddress(InetAddress.getByName(other.host()), other.port()));
            return socket.getLocalAddress().getHostAddress();
        }
    }
}
