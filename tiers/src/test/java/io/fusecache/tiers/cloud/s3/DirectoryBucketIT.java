package io.fusecache.tiers.cloud.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.cache.BufferArena;
import io.fusecache.cache.CloudTier;
import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.testkit.DirectoryBucketServer;
import io.fusecache.tiers.cloud.BucketOptions;
import io.fusecache.tiers.cloud.BucketTier;
import io.fusecache.tiers.cloud.ObjectStore;
import io.fusecache.tiers.cloud.ObjectStoreContract;
import io.fusecache.tiers.cloud.RefusedException;
import io.fusecache.tiers.cloud.ResumedUploads;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The contract of stores over a directory bucket of S3 Express One Zone. */
final class DirectoryBucketIT extends ObjectStoreContract {
    private static final AtomicInteger buckets = new AtomicInteger();
    private static @Nullable DirectoryBucketServer server;

    @TempDir
    Path notes;

    private String bucket = "";

    @BeforeAll
    static void startServer() throws Exception {
        server = DirectoryBucketServer.start();
    }

    @AfterAll
    static void stopServer() {
        if (server != null) {
            server.close();
        }
    }

    private static DirectoryBucketServer server() {
        return Objects.requireNonNull(server);
    }

    private S3Store copying(long atMost) {
        return with(bucket, DirectoryBucketServer.SECRET_KEY, atMost);
    }

    private static S3Store with(String bucket, String secret, long atMost) {
        return new S3Store(new S3Options(
                "S3",
                bucket,
                "us-east-1",
                server().endpoint(),
                true,
                new S3Options.Credentials(DirectoryBucketServer.ACCESS_KEY, secret, null),
                true,
                24,
                Duration.ofSeconds(20),
                7,
                atMost));
    }

    @Override
    protected ObjectStore open() {
        bucket = "bucket-" + buckets.incrementAndGet() + "--use1-az4--x-s3";
        server().makeBucket(bucket);
        return copying(S3Options.LARGEST_COPY);
    }

    @Override
    protected Optional<ObjectStore> copyingAtMost(long bytes) {
        return Optional.of(copying(bytes));
    }

    @Test
    void requestsShareASession() throws Exception {
        int before = server().sessions();
        ObjectRef object = put("k", 10, 1);
        read(object, 0, 10);
        copy(object, "copy");
        store.delete("k");
        assertThat(server().sessions()).isEqualTo(before + 1);
    }

    @Test
    void aMissingBucketAndAWrongKeyAreOneLine() {
        try (S3Store absent = with("absent--use1-az4--x-s3", DirectoryBucketServer.SECRET_KEY, Long.MAX_VALUE)) {
            assertThatThrownBy(absent::check)
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("-s3-bucket")
                    .hasMessageNotContaining("\n");
        }
        try (S3Store wrong = with(bucket, "other-secret", Long.MAX_VALUE)) {
            assertThatThrownBy(wrong::check)
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("check AWS_SECRET_ACCESS_KEY")
                    .hasMessageNotContaining("other-secret")
                    .hasMessageNotContaining("\n");
        }
    }

    @Test
    void namesComeInOrderThoughTheStoreHasNone() throws Exception {
        for (int i = 0; i < 30; i++) {
            put("d/" + i, 1, i);
            put("d/" + i + "-below/x", 1, i);
        }
        assertThat(level("d/")).isNotEqualTo(level("d/").stream().sorted().toList());
        List<String> names = new ArrayList<>();
        List<String> files = new ArrayList<>();
        try (BufferArena buffers = new BufferArena(32L << 20, 4096, 16 << 20);
                BucketTier tier = new BucketTier(
                        copying(S3Options.LARGEST_COPY), buffers, BucketOptions.of(Duration.ofSeconds(20)))) {
            CloudTier.Pages pages = tier.list("d/");
            for (var page = pages.next(); page.isPresent(); page = pages.next()) {
                for (ListedObject object : page.get()) {
                    names.add(object.name().toString());
                    if (!object.directory()) {
                        files.add(object.name().toString());
                    }
                }
            }
        }
        assertThat(names).hasSize(60);
        assertThat(files).hasSize(30).isSorted();
    }

    @Test
    void theNextProcessSendsTheRestOfAnUpload() throws Exception {
        new ResumedUploads(() -> copying(S3Options.LARGEST_COPY), notes).theNextProcessSendsTheRest();
    }
}
