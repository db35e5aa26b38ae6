package io.fusecache.testkit;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Passes requests on to an HTTP server of loopback, and does to those that it is told of what networks, gateways and servers do: see
 * {@link Fault}. Speaks HTTP/1.1 with bodies of a told length, and answers of any form.
 */
public final class FaultProxy implements AutoCloseable {
    private static final long TRICKLE_NANOS = 5_000_000;

    private final ServerSocket listening;
    private final URI server;
    private final ConcurrentLinkedQueue<Rule> rules = new ConcurrentLinkedQueue<>();
    private final List<String> met = new CopyOnWriteArrayList<>();
    private final ConcurrentLinkedQueue<Socket> sockets = new ConcurrentLinkedQueue<>();
    private final AtomicInteger requests = new AtomicInteger();

    private FaultProxy(ServerSocket listening, URI server) {
        this.listening = listening;
        this.server = server;
    }

    /** What goes wrong with one request. */
    public sealed interface Fault {
        /** The server does what it was asked for, and nothing of its answer arrives: the connection is closed. */
        record LoseAnswer() implements Fault {}

        /** The connection is reset before the server hears of anything. */
        record ResetBefore() implements Fault {}

        /** The connection is reset in the midst of the answer. */
        record ResetAnswer() implements Fault {}

        /** Half of the answer arrives, and then the connection ends as one does that is done with. */
        record Truncate() implements Fault {}

        /** The same, and the connection goes on taking what is sent. */
        record HalfClose() implements Fault {}

        /** Half of the answer arrives, and then nothing, until whoever waits has enough. */
        record Stall() implements Fault {}

        /** The server does what it was asked for, and nothing arrives, until whoever waits has enough. */
        record StaySilent() implements Fault {}

        /** One bit of the answer's body is another. */
        record CorruptAnswer() implements Fault {}

        /** One bit of the request's body is another. */
        record CorruptRequest() implements Fault {}

        /** The answer comes at so many bytes a second at most, and so many at first. */
        record Slow(long bytesPerSecond, long burst) implements Fault {}

        /** The server hears of nothing, and this is the answer. */
        record Answer(int status, String headers, String body) implements Fault {}
    }

    /** An answer of a server of S3. */
    public static Fault s3Error(int status, String code) {
        return new Fault.Answer(
                status,
                "Content-Type: application/xml\r\n",
                "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>as told</Message></Error>".formatted(code));
    }

    /** An answer of Azure Blob Storage. */
    public static Fault azureError(int status, String code) {
        return new Fault.Answer(
                status,
                "Content-Type: application/xml\r\nx-ms-error-code: " + code + "\r\n",
                "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>as told</Message></Error>".formatted(code));
    }

    private record Rule(Fault fault, Pattern kind, AtomicInteger left) {}

    public static FaultProxy to(URI server) throws IOException {
        FaultProxy proxy = new FaultProxy(new ServerSocket(0, 50, InetAddress.getLoopbackAddress()), server);
        Thread.ofVirtual().start(proxy::accept);
        return proxy;
    }

    /** The server's address, with the proxy's port. */
    public URI endpoint() {
        return URI.create("http://127.0.0.1:" + listening.getLocalPort() + server.getPath());
    }

    /** The next {@code times} requests of that kind meet the fault: "PUT /bucket/key" is what the pattern is looked for in. */
    public void next(int times, Fault fault, String kind) {
        rules.add(new Rule(fault, Pattern.compile(kind), new AtomicInteger(times)));
    }

    /** The answer to the next request of each kind is lost. */
    public void loseOnce(String... kinds) {
        for (String kind : kinds) {
            next(1, new Fault.LoseAnswer(), kind);
        }
    }

    /** From now on nothing goes wrong. */
    public void heal() {
        rules.clear();
    }

    /** Requests that met a fault, in the order in which they came. */
    public List<String> met() {
        return met;
    }

    /** Requests that came, those that met a fault included. */
    public int requests() {
        return requests.get();
    }

    private @Nullable Fault fault(String line) {
        for (Rule rule : rules) {
            if (rule.kind().matcher(line).find() && rule.left().getAndDecrement() > 0) {
                met.add(line);
                return rule.fault();
            }
        }
        return null;
    }

    private void accept() {
        while (!listening.isClosed()) {
            try {
                Socket client = listening.accept();
                sockets.add(client);
                Thread.ofVirtual().start(() -> serve(client));
            } catch (IOException closed) {
                return;
            }
        }
    }

    private void serve(Socket client) {
        try (client;
                Socket upstream = new Socket(server.getHost(), server.getPort())) {
            sockets.add(upstream);
            Link link = new Link(client, upstream);
            while (link.exchange()) {
                requests.incrementAndGet();
            }
        } catch (IOException ended) {
            // By either side, or by close: whoever waits for an answer finds out.
            sockets.remove(client);
        }
    }

    /** One connection of a client, a request at a time. */
    private final class Link {
        private final Socket client;
        private final InputStream fromClient;
        private final OutputStream toClient;
        private final InputStream fromServer;
        private final OutputStream toServer;

        Link(Socket client, Socket upstream) throws IOException {
            this.client = client;
            this.fromClient = new BufferedInputStream(client.getInputStream());
            this.toClient = client.getOutputStream();
            this.fromServer = new BufferedInputStream(upstream.getInputStream());
            this.toServer = upstream.getOutputStream();
        }

        /** Returns whether the connection goes on. */
        boolean exchange() throws IOException {
            HttpHead request = HttpHead.read(fromClient);
            if (request == null) {
                return false;
            }
            Fault fault = fault(request.target());
            return switch (fault) {
                case Fault.ResetBefore ignored -> reset();
                case Fault.Answer answer -> answer(request, answer);
                case null, default -> passOn(request, fault);
            };
        }

        private boolean reset() throws IOException {
            client.setSoLinger(true, 0);
            return false;
        }

        private boolean answer(HttpHead request, Fault.Answer answer) throws IOException {
            if (!request.awaitsGoAhead()) {
                HttpHead.copy(fromClient, OutputStream.nullOutputStream(), request.length());
            }
            byte[] body = answer.body().getBytes(StandardCharsets.UTF_8);
            String head = "HTTP/1.1 %d told\r\n%sContent-Length: %d\r\nConnection: close\r\n\r\n"
                    .formatted(answer.status(), answer.headers(), body.length);
            toClient.write(head.getBytes(StandardCharsets.ISO_8859_1));
            if (!request.target().startsWith("HEAD ")) {
                toClient.write(body);
            }
            client.shutdownOutput();
            return awaitEnd();
        }

        private boolean passOn(HttpHead request, @Nullable Fault fault) throws IOException {
            toServer.write(request.bytes());
            HttpHead answer = null;
            if (request.awaitsGoAhead()) {
                answer = answerHead();
                if (answer.status() == 100) {
                    toClient.write(answer.bytes());
                    answer = null;
                }
            }
            if (answer == null) {
                long length = request.length();
                long wrong = fault instanceof Fault.CorruptRequest ? length / 2 : -1;
                HttpHead.copy(fromClient, toServer, length, wrong);
                answer = answerHead();
            }
            while (answer.status() == 100) {
                answer = answerHead();
            }
            byte[] body = answer.body(fromServer, request.target());
            deliver(answer.bytes(), body, fault);
            return goesOn(fault) ? answer.goesOn() : awaitEnd();
        }

        private HttpHead answerHead() throws IOException {
            HttpHead answer = HttpHead.read(fromServer);
            if (answer == null) {
                throw new IOException("the server hung up");
            }
            return answer;
        }

        private static boolean goesOn(@Nullable Fault fault) {
            return fault == null
                    || fault instanceof Fault.CorruptAnswer
                    || fault instanceof Fault.CorruptRequest
                    || fault instanceof Fault.Slow;
        }

        private void deliver(byte[] head, byte[] body, @Nullable Fault fault) throws IOException {
            switch (fault) {
                case null -> send(head, body, body.length);
                case Fault.CorruptRequest ignored -> send(head, body, body.length);
                case Fault.CorruptAnswer ignored -> {
                    if (body.length > 0) {
                        body[body.length / 2] ^= 1;
                    }
                    send(head, body, body.length);
                }
                case Fault.Slow(long rate, long burst) -> {
                    toClient.write(head);
                    trickle(body, rate, burst);
                }
                case Fault.LoseAnswer ignored -> client.close();
                case Fault.StaySilent ignored -> {}
                case Fault.Stall ignored -> send(head, body, body.length / 2);
                case Fault.Truncate ignored -> {
                    send(head, body, body.length / 2);
                    client.close();
                }
                case Fault.HalfClose ignored -> {
                    send(head, body, body.length / 2);
                    client.shutdownOutput();
                }
                case Fault.ResetAnswer ignored -> {
                    send(head, body, body.length / 2);
                    client.setSoLinger(true, 0);
                    client.close();
                }
                case Fault.ResetBefore before -> throw new AssertionError(before);
                case Fault.Answer before -> throw new AssertionError(before);
            }
        }

        private void send(byte[] head, byte[] body, int length) throws IOException {
            byte[] all = Arrays.copyOf(head, head.length + length);
            System.arraycopy(body, 0, all, head.length, length);
            toClient.write(all);
        }

        /** A token bucket: what it holds goes at once, and it fills at the rate. */
        private void trickle(byte[] body, long bytesPerSecond, long burst) throws IOException {
            long start = System.nanoTime();
            int sent = 0;
            while (sent < body.length) {
                long allowed = burst + (System.nanoTime() - start) * bytesPerSecond / 1_000_000_000L - sent;
                if (allowed <= 0) {
                    LockSupport.parkNanos(TRICKLE_NANOS);
                    continue;
                }
                int now = (int) Math.min(allowed, body.length - sent);
                toClient.write(body, sent, now);
                sent += now;
            }
        }

        /** Until whoever is at the other end goes away. */
        private boolean awaitEnd() throws IOException {
            if (!client.isClosed()) {
                fromClient.transferTo(OutputStream.nullOutputStream());
            }
            return false;
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
