package io.fusecache.coordinator.rest;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.CoordinatorConfiguration;
import io.fusecache.coordinator.CoordinatorServer;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Dumps over HTTP, as the API's document describes them. */
final class DumpIT {
    @TempDir
    private Path data;

    private final JsonMapper mapper = new JsonMapper();

    private CoordinatorServer server() throws Exception {
        return CoordinatorServer.start(new CoordinatorConfiguration("127.0.0.1", 0, 0, data, null));
    }

    private static HttpResponse<String> send(CoordinatorServer to, String method, String path, String body)
            throws Exception {
        try (HttpClient http = HttpClient.newHttpClient()) {
            URI uri = URI.create("http://127.0.0.1:" + to.port() + path);
            return http.send(
                    HttpRequest.newBuilder(uri)
                            .method(method, BodyPublishers.ofString(body))
                            .build(),
                    BodyHandlers.ofString());
        }
    }

    @Test
    void anEmptyCoordinatorTakesADumpAndSaysWhatIsWrongWithAnother() throws Exception {
        try (CoordinatorServer server = server()) {
            JsonNode document =
                    mapper.readTree(send(server, "GET", "/api/openapi.json", "").body());
            HttpResponse<String> dump = send(server, "GET", "/api/dump", "");
            assertThat(dump.statusCode()).isEqualTo(200);
            assertThat(dump.headers().firstValue("Content-Type")).hasValue("application/jsonl");
            assertThat(dump.body().lines()).hasSize(3);

            refused(document, send(server, "POST", "/api/load", "{}\n"), 400, "invalid_dump", "line 1: ");
            String cut = dump.body().substring(0, dump.body().length() - 2);
            refused(document, send(server, "POST", "/api/load", cut), 400, "invalid_dump", "line 3: ");

            HttpResponse<String> loaded = send(server, "POST", "/api/load", dump.body());
            assertThat(loaded.statusCode()).as(loaded.body()).isEqualTo(200);
            JsonNode answer = mapper.readTree(loaded.body());
            assertThat(new JsonSchema(document).misfits(document.at("/components/schemas/Loaded"), answer))
                    .isEmpty();
            assertThat(answer.at("/inodes").asInt()).isEqualTo(1);
            assertThat(dump.body()).doesNotContain(answer.at("/namespace").asString());
        }
    }

    @Test
    void whatAwaitsALoadIsNotDumped() throws Exception {
        CoordinatorConfiguration waiting =
                new CoordinatorConfiguration("127.0.0.1", 0, 0, data, null, null, null, true);
        try (CoordinatorServer server = CoordinatorServer.start(waiting)) {
            JsonNode document =
                    mapper.readTree(send(server, "GET", "/api/openapi.json", "").body());
            refused(document, send(server, "GET", "/api/dump", ""), 503, "loading", "a dump is being loaded");
        }
    }

    private void refused(JsonNode document, HttpResponse<String> response, int status, String code, String message) {
        assertThat(response.statusCode()).as(response.body()).isEqualTo(status);
        JsonNode answer = mapper.readTree(response.body());
        assertThat(new JsonSchema(document).misfits(document.at("/components/schemas/Error"), answer))
                .isEmpty();
        assertThat(answer.at("/error/code").asString()).isEqualTo(code);
        assertThat(answer.at("/error/message").asString()).startsWith(message);
    }
}
