package io.fusecache.tiers.cloud.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.metadata.ObjectRef;
import io.fusecache.testkit.FaultProxy;
import io.fusecache.testkit.S3Server;
import io.fusecache.tiers.cloud.LostAnswers;
import io.fusecache.tiers.cloud.ObjectStore;
import io.fusecache.tiers.cloud.ObjectStoreContract;
import io.fusecache.tiers.cloud.RefusedException;
import io.fusecache.tiers.cloud.ResumedUploads;
import io.fusecache.tiers.cloud.StoreFaults;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The contract of stores over S3Proxy; and what is S3's alone. */
final class S3StoreIT extends ObjectStoreContract {
    @TempDir
    static Path folder;

    @TempDir
    Path notes;

    private static @Nullable S3Server server;
    private static final AtomicInteger buckets = new AtomicInteger();
    private String bucket = "";

    @BeforeAll
    static void startServer() throws Exception {
        server = S3Server.start(folder);
    }

    @AfterAll
    static void stopServer() throws Exception {
        if (server != null) {
            server.close();
        }
    }

    private S3Options options() {
        return new S3Options(
                "S3",
                bucket,
                "us-east-1",
                server == null ? null : server.endpoint(),
                true,
                new S3Options.Credentials(S3Server.ACCESS_KEY, S3Server.SECRET_KEY, null),
                true,
                24,
                Duration.ofSeconds(20),
                7,
                S3Options.LARGEST_COPY);
    }

    private S3Options with(String name, @Nullable URI endpoint, S3Options.Credentials credentials, Duration timeout) {
        return new S3Options(
                "S3", name, "us-east-1", endpoint, true, credentials, true, 4, timeout, 7, S3Options.LARGEST_COPY);
    }

    @Override
    protected ObjectStore open() throws Exception {
        bucket = "bucket-" + buckets.incrementAndGet();
        Files.createDirectories(folder.resolve("buckets").resolve(bucket));
        return new S3Store(options());
    }

    @Override
    protected Optional<ObjectStore> copyingAtMost(long bytes) {
        return Optional.of(new S3Store(options().withLargestCopy(bytes)));
    }

    /** S3Proxy writes to a file whose name is longer than the object's. */
    @Override
    protected int longestName() {
        return 200;
    }

    @Test
    void aMissingBucketAndAWrongKeyAreOneLineWithTheWayOut() {
        S3Options.Credentials right = new S3Options.Credentials(S3Server.ACCESS_KEY, S3Server.SECRET_KEY, null);
        URI endpoint = options().endpoint();
        try (S3Store absent = new S3Store(with("no-such-bucket", endpoint, right, Duration.ofSeconds(20)))) {
            assertThatThrownBy(absent::check)
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("S3 bucket 'no-such-bucket'")
                    .hasMessageContaining("NoSuchBucket")
                    .hasMessageContaining("-s3-bucket");
        }
        for (S3Options.Credentials wrong : List.of(
                new S3Options.Credentials("other-key", S3Server.SECRET_KEY, null),
                new S3Options.Credentials(S3Server.ACCESS_KEY, "other-secret", null))) {
            try (S3Store refused = new S3Store(with(bucket, endpoint, wrong, Duration.ofSeconds(20)))) {
                assertThatThrownBy(refused::check)
                        .isInstanceOf(RefusedException.class)
                        .hasMessageContaining("AWS_")
                        .hasMessageNotContaining("other-secret")
                        .hasMessageNotContaining("\n");
            }
        }
    }

    @Test
    void aServerThatStandsStillEndsACallInItsTime() throws Exception {
        S3Options.Credentials any = new S3Options.Credentials("a", "b", null);
        try (ServerSocket silent = new ServerSocket(0);
                S3Store stuck = new S3Store(with(
                        bucket,
                        URI.create("http://127.0.0.1:" + silent.getLocalPort()),
                        any,
                        Duration.ofMillis(500)))) {
            assertThatThrownBy(stuck::check).isInstanceOf(IOException.class).isNotInstanceOf(RefusedException.class);
        }
    }

    @Test
    void aServerThatIsNotThereMayComeLater() throws Exception {
        URI nobody;
        try (ServerSocket free = new ServerSocket(0)) {
            nobody = URI.create("http://127.0.0.1:" + free.getLocalPort());
        }
        S3Options.Credentials any = new S3Options.Credentials("a", "b", null);
        try (S3Store away = new S3Store(with(bucket, nobody, any, Duration.ofSeconds(20)))) {
            assertThatThrownBy(away::check)
                    .isInstanceOf(IOException.class)
                    .isNotInstanceOf(RefusedException.class)
                    .hasMessageContaining("efused");
        }
    }

    @Test
    void anObjectInPartsHasTheMarkOfItsUploadAndNobodySeesIt() throws Exception {
        int part = partBytes();
        ObjectStore.Upload upload = store.startUpload("k", part + 1L, part, ATTRIBUTES);
        MemorySegment all = bytes(part + 1, 3);
        List<ObjectStore.Part> parts =
                List.of(putPart(upload, 1, all.asSlice(0, part)), putPart(upload, 2, all.asSlice(part, 1)));
        ObjectRef done = store.completeUpload(upload, parts);
        put("k", 10, 1);
        assertThatThrownBy(() -> store.completeUpload(upload, parts))
                .as("another object is at its key now")
                .isInstanceOf(IOException.class);
        assertThat(store.read(done, 0, memory.allocate(1))).isFalse();
    }

    private ResumedUploads uploads() {
        return new ResumedUploads(() -> new S3Store(options()), notes);
    }

    @Test
    void theNextProcessSendsTheRestOfAnUpload() throws Exception {
        uploads().theNextProcessSendsTheRest();
    }

    @Test
    void thePutAfterAFailureSendsTheRestOfAnUpload() throws Exception {
        uploads().thePutAfterAFailureSendsTheRest();
    }

    @Test
    void partsOfOtherBytesAreSentAgain() throws Exception {
        uploads().partsOfOtherBytesAreSentAgain();
    }

    @Test
    void anUploadThatNobodyGoesOnWithIsDropped() throws Exception {
        uploads().whatNobodyGoesOnWithIsDropped();
    }

    @Test
    void anUploadThatIsOldIsDroppedAtTheStart() throws Exception {
        uploads().whatIsOldIsDroppedAtTheStart();
    }

    @Test
    void whatIsDoneThoughTheAnswerIsLostIsDoneOnce() throws Exception {
        try (FaultProxy proxy = FaultProxy.to(Objects.requireNonNull(server).endpoint())) {
            S3Options.Credentials right = new S3Options.Credentials(S3Server.ACCESS_KEY, S3Server.SECRET_KEY, null);
            LostAnswers.assertHarmless(
                    new S3Store(with(bucket, proxy.endpoint(), right, Duration.ofSeconds(20))),
                    proxy,
                    "PUT .*/small",
                    "POST .*/large\\?uploads",
                    "PUT .*/large.*partNumber=2",
                    "POST .*/large.*uploadId=",
                    "PUT .*/copy",
                    "DELETE .*/small");
        }
    }

    @TestFactory
    Stream<DynamicTest> faults() {
        S3Options.Credentials right = new S3Options.Credentials(S3Server.ACCESS_KEY, S3Server.SECRET_KEY, null);
        return new StoreFaults(
                        Objects.requireNonNull(server).endpoint(),
                        endpoint -> new S3Store(with(bucket, endpoint, right, StoreFaults.TIMEOUT)),
                        FaultProxy.s3Error(503, "SlowDown"),
                        FaultProxy.s3Error(400, "ExpiredToken"),
                        true)
                .tests();
    }

    @Test
    void aLargeCopyWhoseAnswersAreLostIsDoneOnce() throws Exception {
        try (FaultProxy proxy = FaultProxy.to(Objects.requireNonNull(server).endpoint())) {
            S3Options.Credentials right = new S3Options.Credentials(S3Server.ACCESS_KEY, S3Server.SECRET_KEY, null);
            LostAnswers.assertHarmless(
                    new S3Store(with(bucket, proxy.endpoint(), right, Duration.ofSeconds(20))
                            .withLargestCopy(partBytes())),
                    proxy,
                    "POST .*/copy\\?uploads",
                    "PUT .*/copy.*partNumber=2",
                    "POST .*/copy.*uploadId=");
        }
    }

    @Test
    void aBucketThatVanishedHasNotLostItsObjects() throws Exception {
        ObjectRef object = put("k", 100, 1);
        Path home = folder.resolve("buckets").resolve(bucket);
        Path away = folder.resolve("away-" + bucket);
        Files.move(home, away);
        assertThatThrownBy(() -> store.read(object, 0, memory.allocate(100))).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> store.head("k")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> copy(object, "to")).isInstanceOf(IOException.class);
        Files.move(away, home);
        assertThat(read(object, 0, 100)).isEqualTo(array(100, 1));
        assertThat(copy(object, "to")).isPresent();
    }

    @Test
    void secretsAreNotShown() {
        assertThat(new S3Options.Credentials("id", "hidden", "token").toString())
                .contains("id")
                .doesNotContain("hidden")
                .doesNotContain("token");
        assertThat(options().toString()).doesNotContain(S3Server.SECRET_KEY);
        assertThat(store.name())
                .isEqualTo("S3 bucket '" + bucket + "' at " + options().endpoint());
    }
}
