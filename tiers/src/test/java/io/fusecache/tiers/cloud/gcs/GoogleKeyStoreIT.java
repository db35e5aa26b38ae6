package io.fusecache.tiers.cloud.gcs;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.testkit.GoogleServer;
import io.fusecache.tiers.cloud.RefusedException;
import io.fusecache.tiers.cloud.s3.S3Options;
import io.fusecache.tiers.cloud.s3.S3Options.Credentials;
import io.fusecache.tiers.cloud.s3.S3Store;
import java.net.URI;
import org.junit.jupiter.api.Test;

/** With an HMAC key, as S3 signs. */
final class GoogleKeyStoreIT extends GoogleStoreSuite {
    @Override
    S3Options options(String bucket, URI endpoint) {
        return with(bucket, endpoint, GoogleServer.ACCESS_KEY, GoogleServer.SECRET_KEY);
    }

    private static S3Options with(String bucket, URI endpoint, String id, String secret) {
        return google(bucket, endpoint, new Credentials(id, secret, null), null);
    }

    @Test
    void aWrongKeyIsOneLineWithTheWayOut() {
        URI endpoint = server().endpoint();
        try (S3Store unknown = new S3Store(with(bucket(), endpoint, "GOOG1OTHER", GoogleServer.SECRET_KEY))) {
            assertThatThrownBy(unknown::check)
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("check GCP_ACCESS_KEY_ID")
                    .hasMessageNotContaining("\n");
        }
        try (S3Store wrong = new S3Store(with(bucket(), endpoint, GoogleServer.ACCESS_KEY, "other-secret"))) {
            assertThatThrownBy(wrong::check)
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("check GCP_SECRET_ACCESS_KEY")
                    .hasMessageNotContaining("other-secret")
                    .hasMessageNotContaining("\n");
        }
    }
}
