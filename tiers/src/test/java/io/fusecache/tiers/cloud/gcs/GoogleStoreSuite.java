package io.fusecache.tiers.cloud.gcs;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.testkit.FaultProxy;
import io.fusecache.testkit.GoogleServer;
import io.fusecache.tiers.cloud.LostAnswers;
import io.fusecache.tiers.cloud.ObjectStore;
import io.fusecache.tiers.cloud.ObjectStoreContract;
import io.fusecache.tiers.cloud.RefusedException;
import io.fusecache.tiers.cloud.ResumedUploads;
import io.fusecache.tiers.cloud.s3.S3Options;
import io.fusecache.tiers.cloud.s3.S3Store;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract of stores over the XML API of Google Cloud Storage. */
abstract class GoogleStoreSuite extends ObjectStoreContract {
    private static final AtomicInteger buckets = new AtomicInteger();
    private static @Nullable GoogleServer server;

    @TempDir
    Path folder;

    @TempDir
    Path notes;

    private String bucket = "";

    @BeforeAll
    static void startServer() throws Exception {
        server = GoogleServer.start();
    }

    @AfterAll
    static void stopServer() {
        if (server != null) {
            server.close();
        }
    }

    static GoogleServer server() {
        return Objects.requireNonNull(server);
    }

    /** The options of somebody who may use it. */
    abstract S3Options options(String bucket, URI endpoint) throws Exception;

    static S3Options google(
            String bucket,
            URI endpoint,
            S3Options.@Nullable Credentials key,
            io.fusecache.tiers.cloud.@Nullable BearerTokens tokens) {
        return S3Options.google(bucket, endpoint, key, tokens, 24, Duration.ofSeconds(20), 7);
    }

    private S3Options options() throws Exception {
        return options(bucket, server().endpoint());
    }

    final String bucket() {
        return bucket;
    }

    @Override
    protected ObjectStore open() throws Exception {
        bucket = "bucket-" + buckets.incrementAndGet();
        server().makeBucket(bucket);
        return new S3Store(options());
    }

    /** It copies all in one request. */
    @Override
    protected Optional<ObjectStore> copyingAtMost(long bytes) {
        return Optional.empty();
    }

    @Test
    void aMissingBucketIsOneLineWithTheWayOut() throws Exception {
        try (S3Store absent = new S3Store(options("no-such-bucket", server().endpoint()))) {
            assertThatThrownBy(absent::check)
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("Google Cloud Storage bucket 'no-such-bucket'")
                    .hasMessageContaining("NoSuchBucket")
                    .hasMessageContaining("-gcp-bucket")
                    .hasMessageNotContaining("\n");
        }
    }

    @Test
    void theNextProcessSendsTheRestOfAnUpload() throws Exception {
        S3Options options = options();
        new ResumedUploads(() -> new S3Store(options), notes).theNextProcessSendsTheRest();
    }

    @Test
    void whatIsDoneThoughTheAnswerIsLostIsDoneOnce() throws Exception {
        try (FaultProxy proxy = FaultProxy.to(server().endpoint())) {
            LostAnswers.assertHarmless(
                    new S3Store(options(bucket, proxy.endpoint())),
                    proxy,
                    "PUT .*/small",
                    "POST .*/large\\?uploads",
                    "PUT .*/large.*partNumber=2",
                    "POST .*/large.*uploadId=",
                    "PUT .*/copy",
                    "DELETE .*/small");
        }
        assertThat(server().keys(bucket)).containsExactly("copy", "large");
    }
}
