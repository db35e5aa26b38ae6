package io.fusecache.tiers.cloud.azure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.azure.core.http.jdk.httpclient.JdkHttpClientBuilder;
import com.azure.storage.blob.BlobContainerClient;
import com.azure.storage.blob.BlobContainerClientBuilder;
import com.azure.storage.blob.sas.BlobContainerSasPermission;
import com.azure.storage.blob.sas.BlobServiceSasSignatureValues;
import com.azure.storage.blob.specialized.BlobLeaseClientBuilder;
import com.azure.storage.common.StorageSharedKeyCredential;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.testkit.AzureServer;
import io.fusecache.testkit.FaultProxy;
import io.fusecache.tiers.cloud.LostAnswers;
import io.fusecache.tiers.cloud.ObjectStore;
import io.fusecache.tiers.cloud.ObjectStoreContract;
import io.fusecache.tiers.cloud.RefusedException;
import io.fusecache.tiers.cloud.ResumedUploads;
import io.fusecache.tiers.cloud.StoreFaults;
import io.fusecache.tiers.cloud.azure.AzureOptions.Credentials;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
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

/** The contract of stores over Azurite; and what is Azure's alone. */
final class AzureStoreIT extends ObjectStoreContract {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final Credentials KEY = new Credentials.AccountKey(AzureServer.KEY);

    @TempDir
    static Path folder;

    @TempDir
    Path notes;

    private static @Nullable AzureServer server;
    private static final AtomicInteger containers = new AtomicInteger();
    private String container = "";

    @BeforeAll
    static void startServer() throws Exception {
        server = AzureServer.start(folder);
    }

    @AfterAll
    static void stopServer() throws Exception {
        if (server != null) {
            server.close();
        }
    }

    private static URI endpoint() {
        return Objects.requireNonNull(server).endpoint();
    }

    private static AzureStore with(String container, URI endpoint, Credentials credentials, Duration timeout) {
        return new AzureStore(new AzureOptions(AzureServer.ACCOUNT, container, endpoint, credentials, timeout, 7));
    }

    /** The vendor's client, as other programs use it. */
    private BlobContainerClient theirs() {
        return new BlobContainerClientBuilder()
                .endpoint(endpoint().toString())
                .containerName(container)
                .credential(new StorageSharedKeyCredential(AzureServer.ACCOUNT, AzureServer.KEY))
                .httpClient(new JdkHttpClientBuilder().build())
                .buildClient();
    }

    @Override
    protected ObjectStore open() {
        container = "container-" + containers.incrementAndGet();
        theirs().create();
        return with(container, endpoint(), KEY, TIMEOUT);
    }

    @Override
    protected Optional<ObjectStore> copyingAtMost(long bytes) {
        return Optional.empty();
    }

    @Override
    protected String unheldCharacters() {
        return "\\";
    }

    @TestFactory
    Stream<DynamicTest> faults() {
        return new StoreFaults(
                        endpoint(),
                        endpoint -> with(container, endpoint, KEY, StoreFaults.TIMEOUT),
                        FaultProxy.azureError(503, "ServerBusy"),
                        FaultProxy.azureError(403, "AuthenticationFailed"),
                        // Azurite takes the list of blocks as it comes, and calls a wrong Content-MD5 an
                        // InvalidOperation.
                        false)
                .tests();
    }

    @Test
    void aKeyWithABackslashIsRefusedAndNeverTakenForAnother() throws Exception {
        ObjectRef other = put("a/b", 10, 1);
        assertThatThrownBy(() -> put("a\\b", 10, 2))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("backslash");
        assertThatThrownBy(() -> store.startUpload("a\\b", 10, 10, Map.of())).isInstanceOf(RefusedException.class);
        assertThatThrownBy(() -> copy(other, "a\\c")).isInstanceOf(RefusedException.class);
        assertThat(store.head("a\\b")).isEmpty();
        store.delete("a\\b");
        assertThat(read(other, 0, 10)).isEqualTo(array(10, 1));
    }

    @Test
    void whatSomebodyHoldsALeaseOnIsNotGone() throws Exception {
        ObjectRef held = put("held", 10, 1);
        ObjectRef other = put("other", 10, 2);
        new BlobLeaseClientBuilder()
                .blobClient(theirs().getBlobClient("held"))
                .buildClient()
                .acquireLease(-1);
        assertThatThrownBy(() -> store.delete("held"))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("somebody holds a lease on it");
        assertThatThrownBy(() -> copy(other, "held"))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("somebody holds a lease on it");
        assertThat(read(held, 0, 10)).isEqualTo(array(10, 1));
        assertThat(copy(held, "copy")).isPresent();
    }

    private String signature() {
        return theirs().generateSas(new BlobServiceSasSignatureValues(
                OffsetDateTime.now(ZoneOffset.UTC).plusHours(1), BlobContainerSasPermission.parse("racwdl")));
    }

    @Test
    void aMissingContainerAndAWrongKeyAreOneLineWithTheWayOut() {
        try (AzureStore absent = with("no-such-container", endpoint(), KEY, TIMEOUT)) {
            assertThatThrownBy(absent::check)
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("Azure container 'no-such-container'")
                    .hasMessageContaining("ContainerNotFound")
                    .hasMessageContaining("-azure-container")
                    .hasMessageNotContaining("\n");
            assertThatThrownBy(() -> absent.head("k"))
                    .as("nobody knows whether it is there")
                    .isInstanceOf(IOException.class);
            assertThatThrownBy(() -> absent.delete("k")).isInstanceOf(IOException.class);
        }
        String wrong = "d3Jvbmcga2V5";
        try (AzureStore refused = with(container, endpoint(), new Credentials.AccountKey(wrong), TIMEOUT)) {
            assertThatThrownBy(refused::check)
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("AZURE_STORAGE_KEY")
                    .hasMessageNotContaining(wrong)
                    .hasMessageNotContaining("\n");
        }
    }

    @Test
    void aKeyThatIsNoneIsOneLine() {
        try (AzureStore refused = with(container, endpoint(), new Credentials.AccountKey("not base 64!"), TIMEOUT)) {
            assertThatThrownBy(refused::check)
                    .isInstanceOf(IOException.class)
                    .hasMessageNotContaining("not base 64!")
                    .hasMessageNotContaining("\n");
        }
    }

    @Test
    void aSignatureIsAsGoodAsAKeyAndNeverShown() throws Exception {
        String token = signature();
        String secret = token.replaceAll(".*sig=([^&]+).*", "$1");
        try (AzureStore signed = with(container, endpoint(), new Credentials.Sas(token), TIMEOUT)) {
            signed.check();
            ObjectRef object = signed.put("a/b", bytes(1000, 1), ATTRIBUTES);
            ObjectRef copy = copied(signed.copy(object, "c")).orElseThrow();
            assertThat(read(copy, 0, 1000)).isEqualTo(array(1000, 1));
            signed.delete("a/b");
            assertThat(tree("")).containsExactly("c");
            assertThat(signed.name()).doesNotContain(secret);
        }
        String forged = token.replace(secret, "Zm9yZ2Vk");
        try (AzureStore refused = with(container, endpoint(), new Credentials.Sas(forged), TIMEOUT)) {
            assertThatThrownBy(refused::check)
                    .isInstanceOf(RefusedException.class)
                    .hasMessageContaining("AZURE_STORAGE_SAS_TOKEN")
                    .hasMessageNotContaining("Zm9yZ2Vk")
                    .satisfies(refusal -> {
                        for (Throwable each = refusal; each != null; each = each.getCause()) {
                            assertThat(String.valueOf(each.getMessage())).doesNotContain("sig=Zm9yZ2Vk");
                        }
                    });
        }
    }

    @Test
    void aServerThatStandsStillEndsACallInItsTime() throws Exception {
        try (ServerSocket silent = new ServerSocket(0);
                AzureStore stuck = with(
                        container,
                        URI.create("http://127.0.0.1:" + silent.getLocalPort() + "/a"),
                        KEY,
                        Duration.ofMillis(500))) {
            assertThatThrownBy(stuck::check).isInstanceOf(IOException.class).isNotInstanceOf(RefusedException.class);
        }
    }

    @Test
    void aServerThatIsNotThereMayComeLater() throws Exception {
        URI nobody;
        try (ServerSocket free = new ServerSocket(0)) {
            nobody = URI.create("http://127.0.0.1:" + free.getLocalPort() + "/a");
        }
        try (AzureStore away = with(container, nobody, KEY, TIMEOUT)) {
            assertThatThrownBy(away::check)
                    .isInstanceOf(IOException.class)
                    .isNotInstanceOf(RefusedException.class)
                    .hasMessageContaining("Azure container");
        }
    }

    @Test
    void ofTwoUploadsToOneKeyNeverAMixtureAppears() throws Exception {
        int part = 5000;
        ObjectStore.Upload first = store.startUpload("k", 2L * part, part, Map.of("whose", "first"));
        ObjectStore.Upload second = store.startUpload("k", 2L * part, part, Map.of("whose", "second"));
        MemorySegment one = bytes(2 * part, 1);
        MemorySegment two = bytes(2 * part, 2);
        List<ObjectStore.Part> ofFirst =
                List.of(putPart(first, 1, one.asSlice(0, part)), putPart(first, 2, one.asSlice(part, part)));
        putPart(second, 1, two.asSlice(0, part));
        List<ObjectStore.Part> ofSecond =
                List.of(putPart(second, 1, two.asSlice(0, part)), putPart(second, 2, two.asSlice(part, part)));

        ObjectRef done = store.completeUpload(first, ofFirst);
        assertThat(store.completeUpload(first, ofFirst)).isEqualTo(done);
        assertThat(read(done, 0, 2 * part)).isEqualTo(array(2 * part, 1));
        assertThat(store.head("k").orElseThrow().attributes()).isEqualTo(Map.of("whose", "first"));
        assertThatThrownBy(() -> store.completeUpload(second, ofSecond))
                .as("its blocks went with the first one's completion")
                .isInstanceOf(IOException.class);
        assertThat(read(done, 0, 2 * part)).isEqualTo(array(2 * part, 1));
    }

    private ResumedUploads uploads() {
        return new ResumedUploads(() -> with(container, endpoint(), KEY, TIMEOUT), notes);
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
        try (FaultProxy proxy = FaultProxy.to(endpoint())) {
            LostAnswers.assertHarmless(
                    with(container, proxy.endpoint(), KEY, TIMEOUT),
                    proxy,
                    "PUT .*/small",
                    "PUT .*/large.*comp=block(&|$)",
                    "PUT .*/large.*comp=blocklist",
                    "PUT .*/copy",
                    "DELETE .*/small");
        }
    }

    @Test
    void aSnapshotOfSomebodyElseIsNotRemoved() throws Exception {
        put("k", 10, 1);
        theirs().getBlobClient("k").createSnapshot();
        assertThatThrownBy(() -> store.delete("k"))
                .isInstanceOf(RefusedException.class)
                .hasMessageContaining("snapshots");
        assertThat(store.head("k")).isPresent();
    }

    @Test
    void whatOthersPutHasItsAttributesInTheListing() throws Exception {
        theirs().getBlobClient("theirs").getBlockBlobClient().upload(new ByteArrayInputStream(new byte[5]), 5);
        theirs().getBlobClient("theirs").setMetadata(Map.of("Some_Name", "Some Value"));
        assertThat(store.list("", ObjectStore.Depth.LEVEL, null).objects())
                .singleElement()
                .satisfies(listed -> {
                    assertThat(listed.size()).isEqualTo(5);
                    assertThat(listed.attributes()).isEqualTo(Map.of("some-name", "Some Value"));
                    assertThat(listed.etag())
                            .isEqualTo(
                                    store.head("theirs").orElseThrow().object().etag());
                });
    }
}
