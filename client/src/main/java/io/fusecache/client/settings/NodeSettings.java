package io.fusecache.client.settings;

import static io.fusecache.client.settings.Setting.*;

import io.fusecache.client.NodeConfiguration;
import io.fusecache.client.NodeConfiguration.Bucket;
import io.fusecache.client.NodeConfiguration.Cache;
import io.fusecache.client.NodeConfiguration.Coordinator;
import io.fusecache.client.NodeConfiguration.Durability;
import io.fusecache.client.NodeConfiguration.HostPort;
import io.fusecache.client.NodeConfiguration.Mount;
import io.fusecache.client.NodeConfiguration.Network;
import io.fusecache.client.NodeConfiguration.Passthrough;
import io.fusecache.client.NodeConfiguration.PeerReads;
import io.fusecache.client.NodeConfiguration.Secret;
import io.fusecache.client.NodeConfiguration.Store;
import io.fusecache.client.settings.Settings.Source;
import io.fusecache.metadata.NodeId;
import java.net.URI;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a {@link NodeConfiguration} from settings: types, bounds, and what contradicts what. */
public final class NodeSettings {
    private static final long MIN_MEMORY_BYTES = 32L << 20;
    private static final Duration LONGEST_CLOUD_TIMEOUT = Duration.ofMinutes(4);
    private static final Map<String, Set<Setting>> OF_PROVIDER = Map.of(
            "file",
            Set.of(FILE_ROOT),
            "s3",
            Set.of(
                    S3_BUCKET,
                    S3_REGION,
                    S3_ENDPOINT,
                    S3_PATH_STYLE,
                    S3_ACCESS_KEY_ID,
                    S3_SECRET_ACCESS_KEY,
                    S3_SESSION_TOKEN),
            "azure",
            Set.of(AZURE_ACCOUNT, AZURE_KEY, AZURE_SAS_TOKEN, AZURE_CONNECTION_STRING, AZURE_ENDPOINT, AZURE_CONTAINER),
            "gcp",
            Set.of(GCP_BUCKET, GCP_ACCESS_KEY_ID, GCP_SECRET_ACCESS_KEY, GCP_CREDENTIALS, GCP_ENDPOINT));

    private final Settings settings;

    private NodeSettings(Settings settings) {
        this.settings = settings;
    }

    public static NodeConfiguration read(Settings settings) throws UsageException {
        return new NodeSettings(settings).read();
    }

    private NodeConfiguration read() throws UsageException {
        NodeConfiguration configuration = new NodeConfiguration(
                mount(),
                cache(),
                coordinator(),
                network(),
                new PeerReads(settings.bytes(PEER_MAX), megabytesPerSecond(PEER_READ_MBPS), positive(PEER_TIMEOUT)),
                bucket(),
                choice(DURABILITY, Durability.class),
                duration(UPLOAD_DELAY),
                duration(DRAIN_TIMEOUT),
                atLeast(MEMORY, MIN_MEMORY_BYTES),
                settings.bytes(IO_PROGRESS));
        refuseContradictions(configuration);
        return configuration;
    }

    private Mount mount() throws UsageException {
        int threads = settings.integer(THREADS, 0, 64);
        int processors = Runtime.getRuntime().availableProcessors();
        return new Mount(
                path(MOUNT),
                settings.yes(READ_ONLY),
                settings.yes(ROOT_SQUASH),
                settings.yes(NAME_CACHE),
                choice(PASSTHROUGH, Passthrough.class),
                threads > 0 ? threads : Math.clamp(processors, 2, 8),
                settings.integer(MOUNT_RETRIES, 0, 10_000),
                seconds(MOUNT_RETRY_DELAY));
    }

    private Cache cache() throws UsageException {
        List<Path> directories = new ArrayList<>();
        for (String directory : list(NVME)) {
            Path path = settings.parse(NVME, ignored -> absolute(directory));
            if (directories.contains(path)) {
                throw new UsageException(
                        settings.origin(NVME) + ": " + path + " is there twice: name each directory once");
            }
            directories.add(path);
        }
        long blockBytes = settings.bytes(CHUNK_SIZE);
        if (Long.bitCount(blockBytes) != 1 || blockBytes < 1 << 20 || blockBytes > 64 << 20) {
            throw new UsageException(settings.origin(CHUNK_SIZE) + ": '" + settings.text(CHUNK_SIZE)
                    + "': expected 1, 2, 4, 8, 16, 32 or 64 (MiB)");
        }
        return new Cache(directories, atLeast(NVME_MAX, blockBytes), settings.bytes(CACHE_RESERVE), (int) blockBytes);
    }

    private Coordinator coordinator() throws UsageException {
        boolean http = settings.source(COORDINATOR) != Source.DEFAULT;
        boolean grpc = settings.source(COORDINATOR_GRPC) != Source.DEFAULT;
        List<HostPort> httpAddresses = addresses(COORDINATOR);
        List<HostPort> grpcAddresses = addresses(COORDINATOR_GRPC);
        if (http && !grpc) {
            grpcAddresses = List.of();
        } else if (grpc && !http) {
            httpAddresses = List.of();
        } else if (httpAddresses.size() != grpcAddresses.size()) {
            throw new UsageException(
                    "%s names %d coordinators and %s %d: name the same ones in the same order, or leave one out"
                            .formatted(
                                    settings.origin(COORDINATOR),
                                    httpAddresses.size(),
                                    settings.origin(COORDINATOR_GRPC),
                                    grpcAddresses.size()));
        }
        return new Coordinator(httpAddresses, grpcAddresses, positive(COORDINATOR_TIMEOUT), settings.yes(DELEGATIONS));
    }

    private Network network() throws UsageException {
        String id = settings.text(PEER_ID);
        String advertised = settings.text(ADVERTISE);
        boolean withPort = advertised.matches(".*]:\\d+|[^:]*:\\d+");
        HostPort both = withPort ? settings.parse(ADVERTISE, HostPortText::parse) : null;
        return new Network(
                id.isEmpty() ? null : settings.parse(PEER_ID, NodeId::new),
                settings.text(LISTEN),
                both == null ? optional(ADVERTISE) : both.host(),
                both == null ? 0 : both.port(),
                settings.integer(PORT, 0, 65535),
                settings.integer(GRPC_PORT, 0, 65535),
                optionalSecret(API_KEY));
    }

    private Bucket bucket() throws UsageException {
        String provider = settings.text(CLOUD_PROVIDER).toLowerCase(Locale.ROOT);
        refuseOtherProviders(provider);
        return new Bucket(store(provider), prefix(), cloudTimeout(), duration(BUCKET_REFRESH));
    }

    /** What a node may do to a key of the bucket it has for a few minutes, and an attempt has to end well within them. */
    private Duration cloudTimeout() throws UsageException {
        Duration timeout = positive(CLOUD_TIMEOUT);
        if (timeout.compareTo(LONGEST_CLOUD_TIMEOUT) > 0) {
            throw new UsageException(settings.origin(CLOUD_TIMEOUT) + ": expected at most 4m");
        }
        return timeout;
    }

    private Store store(String name) throws UsageException {
        return switch (name) {
            case "file" -> new Store.FileFolder(path(FILE_ROOT));
            case "s3" ->
                new Store.S3(
                        settings.text(S3_BUCKET),
                        settings.text(S3_REGION),
                        url(S3_ENDPOINT),
                        settings.yes(S3_PATH_STYLE),
                        optional(S3_ACCESS_KEY_ID),
                        optionalSecret(S3_SECRET_ACCESS_KEY),
                        optionalSecret(S3_SESSION_TOKEN));
            case "azure" -> azure();
            case "gcp" -> google();
            default ->
                throw new UsageException(settings.origin(CLOUD_PROVIDER) + ": unknown provider '" + name
                        + "': expected s3, azure, gcp or file");
        };
    }

    /** A pod's environment may name a file for other programs: an HMAC key goes first, unless both are flags. */
    private Store google() throws UsageException {
        if (settings.source(GCP_CREDENTIALS) == Source.FLAG && settings.source(GCP_ACCESS_KEY_ID) == Source.FLAG) {
            throw new UsageException("%s and %s contradict each other: leave one of them out"
                    .formatted(settings.origin(GCP_CREDENTIALS), settings.origin(GCP_ACCESS_KEY_ID)));
        }
        boolean file = settings.given(GCP_CREDENTIALS)
                && (settings.source(GCP_CREDENTIALS) == Source.FLAG || !settings.given(GCP_ACCESS_KEY_ID));
        return new Store.Gcp(
                settings.text(GCP_BUCKET),
                url(GCP_ENDPOINT),
                file ? null : optional(GCP_ACCESS_KEY_ID),
                file ? null : optionalSecret(GCP_SECRET_ACCESS_KEY),
                file ? path(GCP_CREDENTIALS) : null);
    }

    private Store azure() throws UsageException {
        if (settings.given(AZURE_CONNECTION_STRING)) {
            return connectionString().store(settings.text(AZURE_CONTAINER));
        }
        if (!settings.given(AZURE_ACCOUNT)) {
            throw new UsageException("-cloud-provider azure needs a storage account: give -azure-account or "
                    + "AZURE_STORAGE_ACCOUNT, or AZURE_STORAGE_CONNECTION_STRING");
        }
        String signature = settings.text(AZURE_SAS_TOKEN);
        return new Store.Azure(
                settings.text(AZURE_ACCOUNT),
                settings.text(AZURE_CONTAINER),
                url(AZURE_ENDPOINT),
                optionalSecret(AZURE_KEY),
                signature.isEmpty() ? null : AzureConnectionString.signature(signature));
    }

    /** It has everything in it: what says otherwise is not to be left out silently. */
    private AzureConnectionString connectionString() throws UsageException {
        AzureConnectionString whole = settings.parse(AZURE_CONNECTION_STRING, AzureConnectionString::parse);
        boolean otherAccount =
                settings.given(AZURE_ACCOUNT) && !settings.text(AZURE_ACCOUNT).equals(whole.account());
        for (Setting part : List.of(AZURE_ACCOUNT, AZURE_KEY, AZURE_SAS_TOKEN, AZURE_ENDPOINT)) {
            boolean flagBesideVariable =
                    settings.source(part) == Source.FLAG && settings.source(AZURE_CONNECTION_STRING) != Source.FLAG;
            if (flagBesideVariable || (part == AZURE_ACCOUNT && otherAccount)) {
                throw new UsageException("%s and %s contradict each other: leave one of them out"
                        .formatted(settings.origin(part), settings.origin(AZURE_CONNECTION_STRING)));
            }
        }
        return whole;
    }

    /** Only flags contradict: a pod's environment may hold the credentials of all providers. */
    private void refuseOtherProviders(String provider) throws UsageException {
        for (Map.Entry<String, Set<Setting>> other : OF_PROVIDER.entrySet()) {
            if (other.getKey().equals(provider)) {
                continue;
            }
            for (Setting setting : other.getValue()) {
                if (settings.source(setting) == Source.FLAG) {
                    throw new UsageException(
                            "-%s contradicts cloud provider %s: it belongs to %s; drop it or give -cloud-provider %s"
                                    .formatted(setting.flag(), provider, other.getKey(), other.getKey()));
                }
            }
        }
    }

    private @Nullable String url(Setting setting) throws UsageException {
        if (!settings.given(setting)) {
            return null;
        }
        // What is behind them may be a signature or a password: it is not shown.
        if (settings.text(setting).matches("(?s).*[?#@].*")) {
            throw new UsageException(settings.origin(setting)
                    + ": the value given: expected a URL such as http://localhost:9000, without '?', '#' and '@'");
        }
        return settings.parse(setting, text -> {
            URI uri = URI.create(text);
            if (uri.getScheme() == null || !uri.getScheme().matches("https?") || uri.getHost() == null) {
                throw new IllegalArgumentException("expected a URL such as http://localhost:9000");
            }
            return text;
        });
    }

    private String prefix() throws UsageException {
        return settings.parse(PREFIX, text -> {
            String bare = text.replaceAll("^/+|/+$", "");
            for (String part : bare.split("/", -1)) {
                if (part.equals(".") || part.equals("..") || (part.isEmpty() && !bare.isEmpty())) {
                    throw new IllegalArgumentException("expected a key such as team/data, without '.', '..' or '//'");
                }
            }
            return bare.isEmpty() ? "" : bare + "/";
        });
    }

    private void refuseContradictions(NodeConfiguration configuration) throws UsageException {
        Network network = configuration.network();
        if (network.httpPort() != 0 && network.httpPort() == network.grpcPort()) {
            throw new UsageException("%s and %s are both %d: give them different ports"
                    .formatted(settings.origin(PORT), settings.origin(GRPC_PORT), network.httpPort()));
        }
        Path mount = configuration.mount().directory();
        for (Path directory : configuration.cache().directories()) {
            refuseNesting(MOUNT, mount, NVME, directory);
        }
        if (configuration.bucket().store() instanceof Store.FileFolder(Path root)) {
            refuseNesting(MOUNT, mount, FILE_ROOT, root);
            for (Path directory : configuration.cache().directories()) {
                refuseNesting(FILE_ROOT, root, NVME, directory);
            }
        }
        if (configuration.cache().blockBytes() * 4L > configuration.memoryBytes()) {
            throw new UsageException("%s %s has no room for four blocks of %s: give more memory or smaller blocks"
                    .formatted(settings.origin(MEMORY), settings.text(MEMORY), settings.origin(CHUNK_SIZE)));
        }
    }

    private void refuseNesting(Setting one, Path onePath, Setting other, Path otherPath) throws UsageException {
        if (onePath.startsWith(otherPath) || otherPath.startsWith(onePath)) {
            throw new UsageException("%s %s and %s %s lie within each other: give them separate directories"
                    .formatted(settings.origin(one), onePath, settings.origin(other), otherPath));
        }
    }

    private List<HostPort> addresses(Setting setting) throws UsageException {
        List<HostPort> addresses = new ArrayList<>();
        for (String text : list(setting)) {
            addresses.add(settings.parse(setting, ignored -> HostPortText.parse(text)));
        }
        return addresses;
    }

    private List<String> list(Setting setting) throws UsageException {
        List<String> parts = Arrays.stream(settings.text(setting).split(","))
                .map(String::strip)
                .filter(part -> !part.isEmpty())
                .toList();
        if (parts.isEmpty()) {
            throw new UsageException(settings.origin(setting) + ": expected " + setting.placeholder());
        }
        return parts;
    }

    private Path path(Setting setting) throws UsageException {
        return settings.parse(setting, NodeSettings::absolute);
    }

    private static Path absolute(String text) {
        try {
            return Path.of(text).toAbsolutePath().normalize();
        } catch (InvalidPathException wrong) {
            throw new IllegalArgumentException("expected a path: " + wrong.getReason(), wrong);
        }
    }

    private <E extends Enum<E>> E choice(Setting setting, Class<E> type) throws UsageException {
        return settings.parse(setting, text -> {
            for (E constant : type.getEnumConstants()) {
                if (constant.name().equalsIgnoreCase(text)) {
                    return constant;
                }
            }
            throw new IllegalArgumentException("expected one of "
                    + String.join(
                            ", ",
                            Arrays.stream(type.getEnumConstants())
                                    .map(constant -> constant.name().toLowerCase(Locale.ROOT))
                                    .toList()));
        });
    }

    private Duration duration(Setting setting) throws UsageException {
        return settings.parse(setting, GoDuration::parse);
    }

    private Duration positive(Setting setting) throws UsageException {
        Duration duration = duration(setting);
        if (duration.isZero()) {
            throw new UsageException(settings.origin(setting) + ": expected more than 0, such as 30s");
        }
        return duration;
    }

    /** A plain number of seconds, or a duration. */
    private Duration seconds(Setting setting) throws UsageException {
        return settings.parse(setting, text -> GoDuration.parse(text.matches("\\d+(\\.\\d+)?") ? text + "s" : text));
    }

    private long megabytesPerSecond(Setting setting) throws UsageException {
        return settings.integer(setting, 1, 1_000_000) * 1_000_000L;
    }

    private long atLeast(Setting setting, long min) throws UsageException {
        long bytes = settings.bytes(setting);
        if (bytes < min) {
            throw new UsageException("%s: '%s': expected at least %s"
                    .formatted(settings.origin(setting), settings.text(setting), ByteSize.text(min)));
        }
        return bytes;
    }

    private @Nullable String optional(Setting setting) {
        return settings.given(setting) ? settings.text(setting) : null;
    }

    private @Nullable Secret optionalSecret(Setting setting) {
        return settings.given(setting) ? new Secret(settings.text(setting)) : null;
    }
}
