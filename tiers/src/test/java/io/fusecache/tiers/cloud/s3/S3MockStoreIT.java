package io.fusecache.tiers.cloud.s3;

import io.fusecache.testkit.S3MockServer;
import io.fusecache.tiers.cloud.ObjectStore;
import io.fusecache.tiers.cloud.ObjectStoreContract;
import io.fusecache.tiers.cloud.ResumedUploads;
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

/** The contract of stores over S3Mock, which shares no code with the server of {@link S3StoreIT}. */
final class S3MockStoreIT extends ObjectStoreContract {
    @TempDir
    static Path folder;

    @TempDir
    Path notes;

    private static @Nullable S3MockServer server;
    private static final AtomicInteger buckets = new AtomicInteger();
    private String bucket = "";

    @BeforeAll
    static void startServer() throws Exception {
        server = S3MockServer.start(folder);
    }

    @AfterAll
    static void stopServer() throws Exception {
        if (server != null) {
            server.close();
        }
    }

    private S3Store copying(long atMost) {
        return new S3Store(new S3Options(
                "S3",
                bucket,
                "us-east-1",
                Objects.requireNonNull(server).endpoint(),
                true,
                new S3Options.Credentials("any", "any", null),
                true,
                24,
                Duration.ofSeconds(20),
                7,
                atMost));
    }

    @Override
    protected ObjectStore open() throws Exception {
        bucket = "bucket-" + buckets.incrementAndGet();
        Objects.requireNonNull(server).makeBucket(bucket);
        return copying(S3Options.LARGEST_COPY);
    }

    @Override
    protected Optional<ObjectStore> copyingAtMost(long bytes) {
        return Optional.of(copying(bytes));
    }

    /** S3Mock 5.2.0 repeats one where the keys below it go on in the next page. */
    @Override
    protected boolean showsDirectoriesOnce() {
        return false;
    }

    @Test
    void theNextProcessSendsTheRestOfAnUpload() throws Exception {
        new ResumedUploads(() -> copying(S3Options.LARGEST_COPY), notes).theNextProcessSendsTheRest();
    }
}
