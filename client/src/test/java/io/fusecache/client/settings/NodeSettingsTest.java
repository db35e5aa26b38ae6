package io.fusecache.client.settings;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.client.NodeConfiguration;
import io.fusecache.client.NodeConfiguration.Durability;
import io.fusecache.client.NodeConfiguration.HostPort;
import io.fusecache.client.NodeConfiguration.Passthrough;
import io.fusecache.client.NodeConfiguration.Secret;
import io.fusecache.client.NodeConfiguration.Store;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NodeSettingsTest {
    @Test
    void defaultsAreThoseOfTheInterfaces() throws UsageException {
        NodeConfiguration configuration = read(Map.of(), Map.of());

        assertThat(configuration.mount().directory()).isEqualTo(Path.of("/tmp/fuse-client"));
        assertThat(configuration.mount().passthrough()).isEqualTo(Passthrough.AUTO);
        assertThat(configuration.cache().directories()).containsExactly(Path.of("/tmp/nvme-cache"));
        assertThat(configuration.cache().capacityBytes()).isEqualTo(10L << 30);
        assertThat(configuration.cache().blockBytes()).isEqualTo(4 << 20);
        assertThat(configuration.coordinator().http()).containsExactly(new HostPort("localhost", 8080));
        assertThat(configuration.coordinator().grpc()).containsExactly(new HostPort("localhost", 9080));
        assertThat(configuration.network().httpPort()).isEqualTo(8081);
        assertThat(configuration.peerReads().bytesPerSecond()).isEqualTo(200_000_000);
        assertThat(configuration.durability()).isEqualTo(Durability.LOCAL);
        assertThat(configuration.uploadDelay()).isEqualTo(Duration.ofSeconds(1));
        assertThat(configuration.memoryBytes()).isEqualTo(256 << 20);
        assertThat(configuration.bucket().store())
                .isEqualTo(new Store.S3("fuse-client-cache", "us-east-1", null, false, null, null, null));
    }

    @Test
    void flagBeatsEnvironmentBeatsFileBeatsDefault(@TempDir Path directory) throws IOException, UsageException {
        Path file = directory.resolve("client.properties");
        Files.writeString(file, "port = 1\nnvme-max-gb = 1\nthreads = 3\n");
        Map<String, String> environment = Map.of("FUSE_NVME_SIZE", "10485760", "FUSE_PORT", "2");

        NodeConfiguration configuration = NodeSettings.read(Settings.resolve(flags("port", "3"), environment, file));

        assertThat(configuration.network().httpPort()).isEqualTo(3);
        assertThat(configuration.cache().capacityBytes())
                .as("bytes in the variable")
                .isEqualTo(10 << 20);
        assertThat(configuration.mount().threads()).isEqualTo(3);
        assertThat(configuration.network().grpcPort()).isEqualTo(9081);
    }

    @Test
    void everyVariableOfTheProductIsRead() throws UsageException {
        NodeConfiguration configuration = read(
                flags("cloud-provider", "s3"),
                Map.ofEntries(
                        Map.entry("AWS_ACCESS_KEY_ID", "id"),
                        Map.entry("AWS_SECRET_ACCESS_KEY", "topsecret"),
                        Map.entry("AWS_REGION", "eu-west-1"),
                        Map.entry("S3_ENDPOINT", "http://localhost:9000"),
                        Map.entry("FUSE_S3_FORCE_PATH_STYLE", "true"),
                        Map.entry("CHUNK_SIZE_MB", "8"),
                        Map.entry("FUSE_PEER_SIZE", "1048576"),
                        Map.entry("FUSE_PEER_READ_MBPS", "100"),
                        Map.entry("FUSE_PEER_TIMEOUT", "1m30s"),
                        Map.entry("FUSE_CLOUD_TIMEOUT", "500ms"),
                        Map.entry("FUSE_IO_PROGRESS_MB", "0"),
                        Map.entry("FUSE_MOUNT_RETRIES", "1"),
                        Map.entry("FUSE_MOUNT_RETRY_DELAY_SEC", "0.5"),
                        Map.entry("FUSE_API_KEY", "key"),
                        Map.entry("POD_IP", "10.0.0.7"),
                        Map.entry("NODE_NAME", "node-7"),
                        Map.entry("COORDINATOR_ADDR", "coordinator:8080")));

        Store.S3 bucket = (Store.S3) configuration.bucket().store();
        assertThat(bucket.region()).isEqualTo("eu-west-1");
        assertThat(bucket.forcePathStyle()).isTrue();
        assertThat(configuration.cache().blockBytes()).isEqualTo(8 << 20);
        assertThat(configuration.peerReads().hybridThresholdBytes()).isEqualTo(1 << 20);
        assertThat(configuration.peerReads().timeout()).isEqualTo(Duration.ofSeconds(90));
        assertThat(configuration.bucket().timeout()).isEqualTo(Duration.ofMillis(500));
        assertThat(configuration.progressBytes()).isZero();
        assertThat(configuration.mount().retryDelay()).isEqualTo(Duration.ofMillis(500));
        assertThat(configuration.network().advertisedHost()).isEqualTo("10.0.0.7");
        assertThat(String.valueOf(configuration.network().id())).isEqualTo("node-7");
        assertThat(configuration.coordinator().http()).containsExactly(new HostPort("coordinator", 8080));
        assertThat(configuration.coordinator().grpc()).as("asked over HTTP").isEmpty();
        assertThat(configuration.toString()).doesNotContain("topsecret", "key=key");
    }

    @Test
    void secretsAreMasked() throws UsageException {
        Settings settings = Settings.resolve(flags("api-key", "hush"), Map.of(), null);

        assertThat(settings.effective()).contains("api-key=****").noneMatch(text -> text.contains("hush"));
    }

    @Test
    void theWrongValueIsNamedWithItsOriginAndTheWayOut() {
        refused(flags("port", "99999"), "-port: '99999': expected a number from 0 to 65535");
        refused(flags("chunk-size", "3"), "-chunk-size: '3': expected 1, 2, 4");
        refused(flags("durability", "never"), "-durability: 'never': expected one of local, peer, cloud");
        refused(flags("cloud-timeout", "241s"), "-cloud-timeout: expected at most 4m");
        refused(flags("upload-delay", "5"), "-upload-delay: '5': expected a duration such as 30s");
        refused(flags("coordinator", "nowhere"), "-coordinator: 'nowhere': expected HOST:PORT");
        refused(flags("nvme-max-gb", "many"), "-nvme-max-gb: 'many': expected a size");
        refused(
                flags("cloud-provider", "ftp"),
                "-cloud-provider: unknown provider 'ftp': expected s3, azure, gcp or file");
        refused(flags("cloud-provider", "azure"), "needs a storage account");
        refused(flags("cloud-provider", "file", "prefix", "a/../b"), "-prefix: 'a/../b': expected a key");
        refused(flags("peer-id", "a b"), "-peer-id: 'a b': node id 'a b'");
    }

    @Test
    void azureIsReachedByAccountOrByConnectionString() throws UsageException {
        Store plain = read(
                        flags("cloud-provider", "azure", "azure-account", "acme"),
                        Map.of("AZURE_STORAGE_SAS_TOKEN", "?sv=1&sig=hush"))
                .bucket()
                .store();
        assertThat(plain).isEqualTo(new Store.Azure("acme", "fuse-cache", null, null, new Secret("sv=1&sig=hush")));

        Map<Setting, String> azure = flags("cloud-provider", "azure", "azure-container", "models");
        assertThat(read(
                        azure,
                        Map.of(
                                "AZURE_STORAGE_CONNECTION_STRING",
                                "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=a+b/c==;"
                                        + "EndpointSuffix=core.chinacloudapi.cn")))
                .extracting(read -> read.bucket().store())
                .isEqualTo(new Store.Azure(
                        "acme", "models", "https://acme.blob.core.chinacloudapi.cn", new Secret("a+b/c=="), null));
        assertThat(
                        read(
                                azure,
                                Map.of(
                                        "AZURE_STORAGE_CONNECTION_STRING",
                                        "BlobEndpoint=https://acme.blob.core.windows.net/;SharedAccessSignature=sv=1&sig=hush")))
                .extracting(read -> read.bucket().store())
                .isEqualTo(new Store.Azure(
                        "acme", "models", "https://acme.blob.core.windows.net", null, new Secret("sv=1&sig=hush")));
        for (String wrong : List.of(
                "hush",
                "AccountName=acme",
                "AccountKey=hush",
                "AccountName=;AccountKey=hush",
                "BlobEndpoint=https://acme.blob.core.windows.net?sig=hush;SharedAccessSignature=hush",
                "BlobEndpoint=https://acme.blob core.windows.net;SharedAccessSignature=hush",
                "BlobEndpoint=https://me:hush@acme.blob.core.windows.net;AccountName=acme;AccountKey=hush",
                "BlobEndpoint=acme;AccountName=acme;AccountKey=hush")) {
            refused(
                    flags("cloud-provider", "azure", "azure-connection-string", wrong),
                    "-azure-connection-string: the value given: expected AccountName=NAME");
        }
    }

    @Test
    void whatSaysOtherwiseThanAConnectionStringIsRefused() throws UsageException {
        String text = "AccountName=acme;AccountKey=hush";
        Map<String, String> variable = Map.of("AZURE_STORAGE_CONNECTION_STRING", text);
        for (String flag : List.of("azure-account", "azure-key", "azure-sas-token")) {
            refused(
                    flags("cloud-provider", "azure", flag, "other"),
                    variable,
                    "-" + flag + " and AZURE_STORAGE_CONNECTION_STRING contradict each other");
        }
        refused(
                flags("cloud-provider", "azure", "azure-endpoint", "http://localhost:1"),
                variable,
                "-azure-endpoint and AZURE_STORAGE_CONNECTION_STRING contradict each other");
        refused(
                flags("cloud-provider", "azure", "azure-connection-string", text),
                Map.of("AZURE_STORAGE_ACCOUNT", "other"),
                "AZURE_STORAGE_ACCOUNT and -azure-connection-string contradict each other");
        assertThat(read(
                                flags("cloud-provider", "azure", "azure-connection-string", text),
                                Map.of("AZURE_STORAGE_ACCOUNT", "acme", "AZURE_STORAGE_KEY", "unused"))
                        .bucket()
                        .store())
                .isEqualTo(new Store.Azure("acme", "fuse-cache", null, new Secret("hush"), null));
    }

    @Test
    void googleTakesAnHmacKeyOrAFileAndNotBothFromFlags() throws UsageException {
        Map<String, String> variables = Map.of(
                "GCP_ACCESS_KEY_ID",
                "GOOG1",
                "GCP_SECRET_ACCESS_KEY",
                "hush",
                "GOOGLE_APPLICATION_CREDENTIALS",
                "/k.json");
        assertThat(read(flags("cloud-provider", "gcp"), variables).bucket().store())
                .isEqualTo(new Store.Gcp("fuse-client-cache", null, "GOOG1", new Secret("hush"), null));
        assertThat(read(flags("cloud-provider", "gcp", "gcp-credentials", "/f.json"), variables)
                        .bucket()
                        .store())
                .isEqualTo(new Store.Gcp("fuse-client-cache", null, null, null, Path.of("/f.json")));
        assertThat(read(flags("cloud-provider", "gcp"), Map.of("GOOGLE_APPLICATION_CREDENTIALS", "/k.json"))
                        .bucket()
                        .store())
                .isEqualTo(new Store.Gcp("fuse-client-cache", null, null, null, Path.of("/k.json")));
        refused(
                flags("cloud-provider", "gcp", "gcp-credentials", "/f.json", "gcp-access-key-id", "GOOG1"),
                "-gcp-credentials and -gcp-access-key-id contradict each other");
    }

    @Test
    void whatMayBeSecretInAUrlIsNotShown() {
        for (String wrong : List.of(
                "https://acme.blob.core.windows.net?sig=hush",
                "https://me:hush@acme.blob.core.windows.net",
                "https://acme blob?sig=hush")) {
            assertThatThrownBy(() -> read(
                            flags("cloud-provider", "azure", "azure-account", "acme", "azure-endpoint", wrong),
                            Map.of()))
                    .isInstanceOf(UsageException.class)
                    .hasMessageContaining("-azure-endpoint: the value given: expected a URL")
                    .hasMessageNotContaining("hush");
        }
    }

    @Test
    void contradictionsAreNamed() {
        refused(flags("cloud-provider", "azure", "s3-bucket", "b"), "-s3-bucket contradicts cloud provider azure");
        refused(flags("port", "9081"), "-port and -grpc-port are both 9081");
        refused(flags("mount", "/a/b", "nvme", "/a"), "-mount /a/b and -nvme /a lie within each other");
        refused(
                flags("cloud-provider", "file", "file-root", "/tmp/nvme-cache/b"),
                "-file-root /tmp/nvme-cache/b and -nvme /tmp/nvme-cache lie within each other");
        refused(flags("coordinator", "a:1,b:1", "coordinator-grpc", "a:2"), "name the same ones");
        refused(flags("nvme", "/x,/x"), "is there twice");
        refused(flags("chunk-size", "64", "memory", "64MiB"), "no room for four blocks");
    }

    @Test
    void anUnknownKeyInTheFileIsNamed(@TempDir Path directory) throws IOException {
        Path file = directory.resolve("client.properties");
        Files.writeString(file, "prot = 1\n");

        assertThatThrownBy(() -> Settings.resolve(Map.of(), Map.of(), file))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining("unknown setting 'prot'")
                .hasMessageContaining(file.toString());
    }

    @Test
    void theAdvertisedAddressMayCarryAPort() throws UsageException {
        NodeConfiguration.Network bare =
                read(flags("advertise", "10.0.0.1"), Map.of()).network();
        NodeConfiguration.Network both =
                read(flags("advertise", "10.0.0.1:99"), Map.of()).network();
        NodeConfiguration.Network six =
                read(flags("advertise", "fe80::1"), Map.of()).network();

        assertThat(bare.advertisedHost() + " " + bare.advertisedPort()).isEqualTo("10.0.0.1 0");
        assertThat(both.advertisedHost() + " " + both.advertisedPort()).isEqualTo("10.0.0.1 99");
        assertThat(six.advertisedHost() + " " + six.advertisedPort()).isEqualTo("fe80::1 0");
    }

    @Test
    void prefixIsNormalised() throws UsageException {
        assertThat(read(flags("prefix", "/team/data/"), Map.of()).bucket().prefix())
                .isEqualTo("team/data/");
        assertThat(read(flags("prefix", "/"), Map.of()).bucket().prefix()).isEmpty();
    }

    @Test
    void durationsTakeGoForms() {
        assertThat(GoDuration.parse("1h1m1.5s")).isEqualTo(Duration.ofMillis(3_661_500));
        assertThat(GoDuration.parse("0")).isEqualTo(Duration.ZERO);
        assertThat(GoDuration.text(Duration.ofSeconds(90))).isEqualTo("1m30s");
        assertThat(GoDuration.text(Duration.ofMillis(1500))).isEqualTo("1.5s");
        assertThat(GoDuration.text(Duration.ofMillis(250))).isEqualTo("250ms");
        for (String wrong : List.of("", "s", "1", "1m30", "-1s", "1s ")) {
            assertThatThrownBy(() -> GoDuration.parse(wrong)).as(wrong).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void daysMayComeBeforeADuration() {
        assertThat(GoDuration.parseWithDays("7d")).isEqualTo(Duration.ofDays(7));
        assertThat(GoDuration.parseWithDays("1d12h")).isEqualTo(Duration.ofHours(36));
        assertThat(GoDuration.parseWithDays("90s")).isEqualTo(Duration.ofSeconds(90));
        assertThat(GoDuration.textWithDays(Duration.ofHours(36))).isEqualTo("1d12h");
        assertThat(GoDuration.textWithDays(Duration.ofDays(7))).isEqualTo("7d");
        for (String wrong : List.of("d", "1d1", "1.5d", "-1d", "12h1d")) {
            assertThatThrownBy(() -> GoDuration.parseWithDays(wrong))
                    .as(wrong)
                    .isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void sizesTakeSuffixes() {
        assertThat(ByteSize.parse("10GiB", 1)).isEqualTo(10L << 30);
        assertThat(ByteSize.parse("1.5g", 1)).isEqualTo(3L << 29);
        assertThat(ByteSize.parse("500 MB", 1)).isEqualTo(500_000_000);
        assertThat(ByteSize.parse("2", 1 << 20)).isEqualTo(2 << 20);
        assertThat(ByteSize.text(3L << 29)).isEqualTo("1.50 GiB");
        for (String wrong : List.of("", "x", "1 parsec", "9999999999999GiB", "-1")) {
            assertThatThrownBy(() -> ByteSize.parse(wrong, 1)).as(wrong).isInstanceOf(IllegalArgumentException.class);
        }
    }

    private static void refused(Map<Setting, String> flags, String message) {
        refused(flags, Map.of(), message);
    }

    private static void refused(Map<Setting, String> flags, Map<String, String> environment, String message) {
        assertThatThrownBy(() -> read(flags, environment))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining(message)
                .hasMessageNotContaining("\n");
    }

    private static NodeConfiguration read(Map<Setting, String> flags, Map<String, String> environment)
            throws UsageException {
        return NodeSettings.read(Settings.resolve(flags, environment, null));
    }

    private static Map<Setting, String> flags(String... namesAndValues) {
        Map<Setting, String> flags = new EnumMap<>(Setting.class);
        for (int i = 0; i < namesAndValues.length; i += 2) {
            @Nullable Setting setting = Setting.ofFlag(namesAndValues[i]);
            if (setting == null) {
                throw new AssertionError("no flag " + namesAndValues[i]);
            }
            flags.put(setting, namesAndValues[i + 1]);
        }
        return flags;
    }
}
