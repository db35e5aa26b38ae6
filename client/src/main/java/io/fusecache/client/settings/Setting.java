package io.fusecache.client.settings;

import java.util.List;
import java.util.Locale;

/** Every setting of a client: its flag, its environment variables, its default and what the help says. */
public enum Setting {
    MOUNT("mount", "DIR", "/tmp/fuse-client", "where the file system appears", env("FUSE_MOUNT_PATH")),
    NVME(
            "nvme",
            "DIR,...",
            "/tmp/nvme-cache",
            "cache directories on this node's disks, comma separated",
            env("NVME_CACHE_PATH")),
    COORDINATOR(
            "coordinator",
            "HOST:PORT,...",
            "localhost:8080",
            "HTTP of the coordinator; this or -coordinator-grpc is enough",
            env("COORDINATOR_ADDR")),
    COORDINATOR_GRPC(
            "coordinator-grpc",
            "HOST:PORT,...",
            "localhost:9080",
            "gRPC of the coordinator",
            env("COORDINATOR_GRPC_ADDR")),
    COORDINATOR_TIMEOUT(
            "coordinator-timeout",
            "TIME",
            "30s",
            "how long a request waits for a coordinator that is away before it fails with EIO",
            env("FUSE_COORDINATOR_TIMEOUT")),
    DELEGATIONS(
            "delegations",
            "BOOL",
            "true",
            "in directories that this node makes it answers alone, and tells the coordinator within 100 ms",
            env("FUSE_DELEGATIONS")),
    PORT("port", "PORT", "8081", "HTTP: API, metrics, blocks for peers; 0 for any free port", env("FUSE_PORT")),
    GRPC_PORT("grpc-port", "PORT", "9081", "told to other nodes; nothing listens there yet", env("FUSE_GRPC_PORT")),
    LISTEN("listen", "ADDRESS", "0.0.0.0", "address to listen on", env("FUSE_LISTEN")),
    ADVERTISE(
            "advertise",
            "HOST[:PORT]",
            "",
            "host that peers reach this node at, or HOST:PORT (default: the address that leads to the coordinator)",
            env("POD_IP")),
    PEER_ID(
            "peer-id",
            "NAME",
            "",
            "lasting name of this node (default: made once and kept in the cache directory)",
            env("NODE_NAME")),
    API_KEY(
            "api-key",
            "KEY",
            "",
            "what requests to coordinator, peers and this node must carry",
            secret("FUSE_API_KEY")),
    CHUNK_SIZE(
            "chunk-size",
            "MiB",
            "4",
            "block size of the versions written here: 1, 2, 4, ... 64",
            Unit.MIB,
            env("CHUNK_SIZE_MB", Unit.MIB)),
    NVME_MAX("nvme-max-gb", "GiB", "10", "capacity of the cache", Unit.GIB, env("FUSE_NVME_SIZE")),
    CACHE_RESERVE(
            "cache-reserve",
            "SIZE",
            "1GiB",
            "bytes to leave free on the cache's file systems",
            env("FUSE_CACHE_RESERVE")),
    PEER_MAX(
            "peer-max-gb",
            "GiB",
            "5",
            "files above it may be read from peers and bucket at once",
            Unit.GIB,
            env("FUSE_PEER_SIZE")),
    PEER_READ_MBPS("peer-read-mbps", "MB/s", "200", "what one peer is assumed to serve", env("FUSE_PEER_READ_MBPS")),
    PEER_TIMEOUT("peer-timeout", "TIME", "30s", "for one read from a peer", env("FUSE_PEER_TIMEOUT")),
    CLOUD_TIMEOUT(
            "cloud-timeout",
            "TIME",
            "60s",
            "for one try of a request to the bucket, 4m at most",
            env("FUSE_CLOUD_TIMEOUT")),
    CLOUD_PROVIDER("cloud-provider", "NAME", "s3", "s3, azure, gcp or file", env("FUSE_CLOUD_PROVIDER")),
    FILE_ROOT(
            "file-root",
            "DIR",
            "/tmp/fuse-bucket",
            "folder that is the bucket of provider file",
            env("FUSE_FILE_ROOT")),
    PREFIX("prefix", "KEY", "", "object keys begin with it", env("FUSE_PREFIX")),
    BUCKET_REFRESH(
            "bucket-refresh",
            "TIME",
            "30s",
            "a listing of the bucket older than this is made anew on use",
            env("FUSE_BUCKET_REFRESH")),
    S3_BUCKET("s3-bucket", "NAME", "fuse-client-cache", "", env("S3_BUCKET")),
    S3_REGION("s3-region", "NAME", "us-east-1", "", env("S3_REGION"), env("AWS_REGION")),
    S3_ENDPOINT("s3-endpoint", "URL", "", "of an S3-compatible store", env("S3_ENDPOINT")),
    S3_PATH_STYLE(
            "s3-force-path-style",
            "BOOL",
            "false",
            "bucket in the path, not in the host",
            env("FUSE_S3_FORCE_PATH_STYLE")),
    S3_ACCESS_KEY_ID("s3-access-key-id", "ID", "", "default: the usual chain of providers", env("AWS_ACCESS_KEY_ID")),
    S3_SECRET_ACCESS_KEY("s3-secret-access-key", "KEY", "", "", secret("AWS_SECRET_ACCESS_KEY")),
    S3_SESSION_TOKEN("s3-session-token", "TOKEN", "", "", secret("AWS_SESSION_TOKEN")),
    AZURE_ACCOUNT("azure-account", "NAME", "", "", env("AZURE_STORAGE_ACCOUNT")),
    AZURE_KEY("azure-key", "KEY", "", "default: the usual chain of identities", secret("AZURE_STORAGE_KEY")),
    AZURE_SAS_TOKEN(
            "azure-sas-token",
            "TOKEN",
            "",
            "a shared access signature in its place",
            secret("AZURE_STORAGE_SAS_TOKEN")),
    AZURE_CONNECTION_STRING(
            "azure-connection-string",
            "TEXT",
            "",
            "account, key or signature and endpoint in one",
            secret("AZURE_STORAGE_CONNECTION_STRING")),
    AZURE_ENDPOINT(
            "azure-endpoint",
            "URL",
            "",
            "of the blob service; default: https://ACCOUNT.blob.core.windows.net",
            env("AZURE_STORAGE_SERVICE_ENDPOINT")),
    AZURE_CONTAINER("azure-container", "NAME", "fuse-cache", "", env("AZURE_CONTAINER_NAME")),
    GCP_BUCKET("gcp-bucket", "NAME", "fuse-client-cache", "", env("GCP_BUCKET")),
    GCP_ACCESS_KEY_ID(
            "gcp-access-key-id",
            "ID",
            "",
            "HMAC key; default: application default credentials",
            env("GCP_ACCESS_KEY_ID")),
    GCP_SECRET_ACCESS_KEY("gcp-secret-access-key", "KEY", "", "", secret("GCP_SECRET_ACCESS_KEY")),
    GCP_CREDENTIALS(
            "gcp-credentials",
            "FILE",
            "",
            "key of a service account, or description of a workload identity, in place of an HMAC key",
            env("GOOGLE_APPLICATION_CREDENTIALS")),
    GCP_ENDPOINT(
            "gcp-endpoint", "URL", "", "of the XML API; default: https://storage.googleapis.com", env("GCP_ENDPOINT")),
    DURABILITY(
            "durability",
            "LEVEL",
            "local",
            "what close() and fsync() wait for: local, peer or cloud",
            env("FUSE_DURABILITY")),
    UPLOAD_DELAY(
            "upload-delay",
            "TIME",
            "1s",
            "from close to upload, so that short-lived files never leave the node",
            env("FUSE_UPLOAD_DELAY")),
    DRAIN_TIMEOUT(
            "drain-timeout",
            "TIME",
            "20s",
            "how long a clean stop waits for pending uploads; what is left is uploaded after the next start",
            env("FUSE_DRAIN_TIMEOUT")),
    BACKUP_EVERY(
            "backup-every",
            "TIME",
            "24h",
            "the namespace is put into the bucket when its newest backup there is so old; 0 for never",
            env("FUSE_BACKUP_EVERY")),
    BACKUPS_KEPT(
            "backups-kept",
            "COUNT",
            "14",
            "how many backups of the namespace stay in the bucket when another is made",
            env("FUSE_BACKUPS_KEPT")),
    MEMORY("memory", "SIZE", "256MiB", "off-heap arena for all I/O buffers", env("FUSE_MEMORY")),
    PASSTHROUGH(
            "passthrough",
            "on|off|auto",
            "auto",
            "the kernel reads and writes cached files itself",
            env("FUSE_PASSTHROUGH")),
    THREADS("threads", "COUNT", "0", "readers of /dev/fuse; 0: by the number of processors", env("FUSE_THREADS")),
    READ_ONLY("read-only", "BOOL", "false", "mount without the right to change anything", env("FUSE_READ_ONLY")),
    ROOT_SQUASH(
            "root-squash",
            "BOOL",
            "false",
            "root is nobody (65534) on this mount, in rights and in what it makes",
            env("FUSE_ROOT_SQUASH")),
    NAME_CACHE(
            "name-cache",
            "BOOL",
            "true",
            "the kernel keeps names; false where an overlay on it shares directories that other nodes change, too",
            env("FUSE_NAME_CACHE")),
    MOUNT_RETRIES("mount-retries", "COUNT", "8", "how often a failed mount is tried again", env("FUSE_MOUNT_RETRIES")),
    MOUNT_RETRY_DELAY(
            "mount-retry-delay-sec", "SECONDS", "2", "between tries to mount", env("FUSE_MOUNT_RETRY_DELAY_SEC")),
    IO_PROGRESS(
            "io-progress-mb",
            "MiB",
            "512",
            "log the progress every so many MiB that the daemon read or committed; 0 for never",
            Unit.MIB,
            env("FUSE_IO_PROGRESS_MB", Unit.MIB));

    private final String flag;
    private final String placeholder;
    private final String defaultText;
    private final String help;
    private final Unit flagUnit;

    @SuppressWarnings("ImmutableEnumChecker") // from List.of
    private final List<Variable> variables;

    Setting(String flag, String placeholder, String defaultText, String help, Variable... variables) {
        this(flag, placeholder, defaultText, help, Unit.ONE, variables);
    }

    Setting(String flag, String placeholder, String defaultText, String help, Unit flagUnit, Variable... variables) {
        this.flag = flag;
        this.placeholder = placeholder;
        this.defaultText = defaultText;
        this.help = help;
        this.flagUnit = flagUnit;
        this.variables = List.of(variables);
    }

    /** Without dashes; also the key in a configuration file. */
    public String flag() {
        return flag;
    }

    public String placeholder() {
        return placeholder;
    }

    /** Empty where the setting is off, or found out, by default. */
    public String defaultText() {
        return defaultText;
    }

    public String help() {
        return help;
    }

    /** What a plain number means on the command line and in the file. */
    public Unit flagUnit() {
        return flagUnit;
    }

    /** The first one that is set wins. */
    public List<Variable> variables() {
        return variables;
    }

    public boolean secret() {
        return variables.getFirst().secret();
    }

    public boolean yesOrNo() {
        return placeholder.equals("BOOL");
    }

    /** The setting with this flag (dashes and case aside), or null. */
    public static @org.jspecify.annotations.Nullable Setting ofFlag(String flag) {
        String bare = flag.replaceFirst("^--?", "").toLowerCase(Locale.ROOT);
        for (Setting setting : values()) {
            if (setting.flag.equals(bare)) {
                return setting;
            }
        }
        return null;
    }

    private static Variable env(String name) {
        return new Variable(name, Unit.ONE, false);
    }

    private static Variable env(String name, Unit unit) {
        return new Variable(name, unit, false);
    }

    private static Variable secret(String name) {
        return new Variable(name, Unit.ONE, true);
    }

    /** An environment variable and what a plain number in it means. */
    public record Variable(String name, Unit unit, boolean secret) {}

    /** What a plain number counts. */
    public enum Unit {
        ONE(1),
        MIB(1L << 20),
        GIB(1L << 30);

        private final long factor;

        Unit(long factor) {
            this.factor = factor;
        }

        public long factor() {
            return factor;
        }
    }
}
