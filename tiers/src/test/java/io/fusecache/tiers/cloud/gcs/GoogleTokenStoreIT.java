package io.fusecache.tiers.cloud.gcs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.testkit.GoogleServer;
import io.fusecache.tiers.cloud.RefusedException;
import io.fusecache.tiers.cloud.s3.S3Options;
import io.fusecache.tiers.cloud.s3.S3Store;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** With the tokens of a service account. */
final class GoogleTokenStoreIT extends GoogleStoreSuite {
    @Override
    S3Options options(String bucket, URI endpoint) throws IOException {
        return google(bucket, endpoint, null, new GoogleTokens(server().serviceAccountKey(folder)));
    }

    private S3Store with(Path file) {
        return new S3Store(google(bucket(), server().endpoint(), null, new GoogleTokens(file)));
    }

    @Test
    void aTokenServesManyRequestsAndIsRenewedBeforeItExpires() throws Exception {
        store.check();
        int first = server().tokens();
        store.check();
        assertThat(server().tokens()).isEqualTo(first);
        server().tokenLifetime(Duration.ofMinutes(2));
        try (S3Store brief = with(server().serviceAccountKey(folder))) {
            brief.check();
            brief.check();
            assertThat(server().tokens())
                    .as("two minutes are too few to wait for")
                    .isGreaterThanOrEqualTo(first + 2);
        } finally {
            server().tokenLifetime(Duration.ofHours(1));
        }
    }

    @Test
    void aTokenThatIsRefusedAfterItWasTakenMayPass() throws Exception {
        store.check();
        server().revokeTokens();
        assertThatThrownBy(store::check).isInstanceOf(IOException.class).isNotInstanceOf(RefusedException.class);
    }

    @Test
    void theKeyOfAnotherAccountIsOneLineWithTheWayOut() throws Exception {
        try (GoogleServer another = GoogleServer.start()) {
            String theirs = Files.readString(another.serviceAccountKey(folder))
                    .replace(another.endpoint().toString(), server().endpoint().toString());
            Path file = Files.writeString(folder.resolve("other.json"), theirs);
            try (S3Store refused = with(file)) {
                assertThatThrownBy(refused::check)
                        .isInstanceOf(RefusedException.class)
                        .hasMessageContaining("Google Cloud Storage bucket")
                        .hasMessageContaining("invalid_grant")
                        .hasMessageContaining("check the key in GOOGLE_APPLICATION_CREDENTIALS")
                        .hasMessageNotContaining("PRIVATE")
                        .hasMessageNotContaining("\n");
            }
        }
    }

    @Test
    void aFileThatIsNoneIsOneLine() throws Exception {
        Path file = Files.writeString(folder.resolve("odd.json"), "{\"type\": \"secret-stuff\"}");
        for (Path each : new Path[] {file, folder.resolve("absent.json")}) {
            try (S3Store refused = with(each)) {
                assertThatThrownBy(refused::check)
                        .isInstanceOf(RefusedException.class)
                        .hasMessageContaining(each.toString())
                        .hasMessageContaining("GOOGLE_APPLICATION_CREDENTIALS")
                        .hasMessageNotContaining("secret-stuff")
                        .hasMessageNotContaining("\n");
            }
        }
    }

    @Test
    void whoGivesTokensMayComeLater() throws Exception {
        String nobody;
        try (ServerSocket free = new ServerSocket(0)) {
            nobody = "http://127.0.0.1:" + free.getLocalPort();
        }
        String key = Files.readString(server().serviceAccountKey(folder))
                .replace(server().endpoint().toString(), nobody);
        try (S3Store waiting = with(Files.writeString(folder.resolve("away.json"), key))) {
            assertThatThrownBy(waiting::check)
                    .isInstanceOf(IOException.class)
                    .isNotInstanceOf(RefusedException.class)
                    .hasMessageContaining("no token was given");
        }
    }
}
