package io.fusecache.tiers.cloud.azure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.tiers.cloud.ObjectStore.Copy;
import io.fusecache.tiers.cloud.RefusedException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A service that answers a copy as the real one answers large ones: it goes on. Azurite has done with it at once. */
@SuppressWarnings("NullAway.Init")
final class AzureCopiesTest {
    private static final ObjectRef FROM = new ObjectRef("d/from", "0x1");

    private final AtomicInteger begun = new AtomicInteger();
    private volatile String status = "pending";
    private volatile String source = "";
    private HttpServer server;
    private AzureStore store;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
        store = new AzureStore(new AzureOptions(
                "account",
                "container",
                URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/account"),
                new AzureOptions.Credentials.AccountKey(
                        Base64.getEncoder().encodeToString("key".getBytes(StandardCharsets.UTF_8))),
                Duration.ofSeconds(20),
                7));
    }

    @AfterEach
    void stop() {
        store.close();
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            exchange.getRequestBody().readAllBytes();
            Headers answer = exchange.getResponseHeaders();
            answer.set("ETag", "\"0x2\"");
            answer.set("Last-Modified", "Thu, 01 Jan 2026 00:00:00 GMT");
            answer.set("x-ms-copy-id", "the-copy");
            answer.set("x-ms-copy-status", status);
            if (exchange.getRequestMethod().equals("HEAD")) {
                answer.set("x-ms-blob-type", "BlockBlob");
                answer.set("x-ms-copy-source", source + "?sig=other");
                answer.set("x-ms-copy-progress", "1/2");
                answer.set("Content-Length", "2");
                exchange.sendResponseHeaders(200, -1);
            } else if (begun.getAndIncrement() == 0) {
                source = exchange.getRequestHeaders().getFirst("x-ms-copy-source");
                exchange.sendResponseHeaders(202, -1);
            } else {
                answer.set("x-ms-error-code", "PendingCopyOperation");
                exchange.sendResponseHeaders(409, -1);
            }
        }
    }

    @Test
    void aLargeCopyGoesOnUntilItIsDone() throws Exception {
        Copy copy = store.copy(FROM, "to");
        assertThat(copy).isEqualTo(new Copy.GoesOn("the-copy"));
        Copy.GoesOn goesOn = (Copy.GoesOn) copy;
        assertThat(store.followCopy(FROM, "to", goesOn)).isEqualTo(goesOn);
        status = "success";
        assertThat(store.followCopy(FROM, "to", goesOn)).isEqualTo(new Copy.Done(new ObjectRef("to", "0x2")));
        assertThat(begun).hasValue(1);
        assertThatThrownBy(() -> store.followCopy(FROM, "to", new Copy.GoesOn("another")))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("replaced");
    }

    @Test
    void aCopyWhoseAnswerWasLostIsFoundGoingOn() throws Exception {
        assertThat(store.copy(FROM, "to")).isEqualTo(new Copy.GoesOn("the-copy"));
        assertThat(store.copy(FROM, "to")).isEqualTo(new Copy.GoesOn("the-copy"));
        assertThat(begun).hasValue(2);
    }

    @Test
    void aCopyOfSomethingElseIsNotTakenForOurs() throws Exception {
        assertThat(store.copy(new ObjectRef("d/other", "0x1"), "to")).isInstanceOf(Copy.GoesOn.class);
        assertThatThrownBy(() -> store.copy(FROM, "to"))
                .isInstanceOf(IOException.class)
                .isNotInstanceOf(RefusedException.class)
                .hasMessageContaining("something else");
    }

    @Test
    void aCopyThatFailsSaysSo() throws Exception {
        Copy.GoesOn goesOn = (Copy.GoesOn) store.copy(FROM, "to");
        status = "failed";
        assertThatThrownBy(() -> store.followCopy(FROM, "to", goesOn))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("failed");
    }
}
