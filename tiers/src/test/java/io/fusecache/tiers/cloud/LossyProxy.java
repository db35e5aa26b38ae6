package io.fusecache.tiers.cloud;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Passes requests on to an HTTP server of loopback, and loses the answers that it is told to lose: the server has done what it was asked
 * for, and its client finds the connection broken.
 */
public final class LossyProxy implements AutoCloseable {
    private static final Pattern REQUEST = Pattern.compile("^([A-Z]{3,7} [^ \r\n]+) HTTP/1\\.1\r\n");
    private static final Pattern LENGTH = Pattern.compile("\r\ncontent-length: *(\\d+)\r\n");

    private final ServerSocket listening;
    private final URI server;
    private final ConcurrentLinkedQueue<Pattern> losing = new ConcurrentLinkedQueue<>();
    private final List<String> lost = new CopyOnWriteArrayList<>();
    private final ConcurrentLinkedQueue<Socket> sockets = new ConcurrentLinkedQueue<>();

    private LossyProxy(ServerSocket listening, URI server) {
        this.listening = listening;
        this.server = server;
    }

    public static LossyProxy to(URI server) throws IOException {
        LossyProxy proxy = new LossyProxy(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), server);
        Thread.ofVirtual().start(proxy::accept);
        return proxy;
    }

    /** The server's address, with the proxy's port. */
    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + listening.getLocalPort() + server.getPath());
    }

    /** The answer to the next request of each kind is lost: "PUT /bucket/key" is what is looked for in. */
    public void loseOnce(String... kinds) {
        for (String kind : kinds) {
            losing.add(Pattern.compile(kind));
        }
    }

    /** Requests whose answers were lost. */
    public List<String> lost() {
        return lost;
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                Socket upstream = new Socket(server.getHost(), server.getPort());
                sockets.add(client);
                sockets.add(upstream);
                Link link = new Link(client, upstream);
                Thread.ofVirtual().start(() -> link.run(link::up));
                Thread.ofVirtual().start(() -> link.run(link::down));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private interface Direction {
        void pass() throws IOException;
    }

    /** One connection of a client. */
    private final class Link {
        private final Socket client;
        private final Socket upstream;
        private volatile String doomed = "";

        Link(Socket client, Socket upstream) {
            this.client = client;
            this.upstream = upstream;
        }

        void run(Direction direction) {
            try (client;
                    upstream) {
                direction.pass();
            } catch (IOException ended) {
                // By either side, or by close.
                doomed = "";
            }
        }

        void up() throws IOException {
            byte[] buffer = new byte[64 << 10];
            InputStream in = client.getInputStream();
            OutputStream out = upstream.getOutputStream();
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                Matcher request = REQUEST.matcher(new String(buffer, 0, count, StandardCharsets.ISO_8859_1));
                if (request.find()) {
                    String line = request.group(1);
                    doomed = losing.removeIf(kind -> kind.matcher(line).find()) ? line : "";
                }
                out.write(buffer, 0, count);
            }
        }

        void down() throws IOException {
            byte[] buffer = new byte[64 << 10];
            InputStream in = upstream.getInputStream();
            OutputStream out = client.getOutputStream();
            ByteArrayOutputStream swallowed = new ByteArrayOutputStream();
            for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
                boolean goOn = new String(buffer, 0, count, StandardCharsets.ISO_8859_1).startsWith("HTTP/1.1 100");
                if (doomed.isEmpty() || goOn) {
                    out.write(buffer, 0, count);
                    continue;
                }
                swallowed.write(buffer, 0, count);
                if (whole(swallowed.toString(StandardCharsets.ISO_8859_1))) {
                    lost.add(doomed);
                    return;
                }
            }
        }

        private static boolean whole(String answer) {
            int end = answer.indexOf("\r\n\r\n");
            if (end < 0) {
                return false;
            }
            String head = answer.substring(0, end + 2).toLowerCase(Locale.ROOT);
            if (head.contains("\r\ntransfer-encoding: chunked\r\n")) {
                return answer.endsWith("\r\n0\r\n\r\n");
            }
            Matcher length = LENGTH.matcher(head);
            return !length.find() || answer.length() - end - 4 >= Integer.parseInt(length.group(1));
        }
    }

    @Override
    public void close() throws IOException {
        listening.close();
        for (Socket socket : sockets) {
            socket.close();
        }
    }
}
