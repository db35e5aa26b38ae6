package io.fusecache.metadata.wire;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Asks a coordinator's HTTP where its gRPC is: {@code GET /api/health} tells {@code grpc_address}. By a bare socket: an
 * HTTP client would cost a tenth of a node's start for one small answer.
 */
final class GrpcAddressLookup {
    private static final int MAX_ANSWER_BYTES = 64 << 10;
    private static final Pattern SERVICE = Pattern.compile("\"service\"\\s*:\\s*\"([^\"]*)\"");
    private static final Pattern ADDRESS = Pattern.compile("\"grpc_address\"\\s*:\\s*\"(.+?):(\\d{1,5})\"");

    private GrpcAddressLookup() {}

    static InetSocketAddress grpcOf(InetSocketAddress http, Duration timeout) throws IOException {
        String answer = health(http, timeout);
        Matcher service = SERVICE.matcher(answer);
        if (!service.find() || !service.group(1).equals("coordinator")) {
            throw new IOException(
                    "what answers there is no coordinator" + (answer.isEmpty() ? "" : ": " + line(answer)));
        }
        Matcher address = ADDRESS.matcher(answer);
        if (!address.find()) {
            throw new IOException("the coordinator does not tell its gRPC address: give it with -coordinator-grpc");
        }
        String host = address.group(1).replaceAll("^\\[|]$", "");
        return InetSocketAddress.createUnresolved(host, Integer.parseInt(address.group(2)));
    }

    private static String health(InetSocketAddress http, Duration timeout) throws IOException {
        try (Socket socket = new Socket()) {
            int millis = Math.toIntExact(timeout.toMillis());
            socket.connect(new InetSocketAddress(http.getHostString(), http.getPort()), millis);
            socket.setSoTimeout(millis);
            String host =
                    http.getHostString().indexOf(':') >= 0 ? "[" + http.getHostString() + "]" : http.getHostString();
            String request = "GET /api/health HTTP/1.1\r\nHost: " + host + ":" + http.getPort()
                    + "\r\nAccept: application/json\r\nConnection: close\r\n\r\n";
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            InputStream answer = socket.getInputStream();
            return new String(answer.readNBytes(MAX_ANSWER_BYTES), StandardCharsets.UTF_8);
        }
    }

    private static String line(String answer) {
        return answer.lines().findFirst().orElse("").strip();
    }
}
