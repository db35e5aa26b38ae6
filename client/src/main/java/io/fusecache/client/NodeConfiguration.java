package io.fusecache.client;

import io.fusecache.metadata.NodeId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a node must be told, validated: {@code client.settings} makes it from flags, environment and file.
 *
 * @param drainTimeout how long a clean stop waits for pending uploads
 * @param memoryBytes the off-heap arena that holds every I/O buffer
 * @param progressBytes log every so many bytes read or written through the daemon; 0 for never
 */
public record NodeConfiguration(
        Mount mount,
        Cache cache,
        Coordinator coordinator,
        Network network,
        PeerReads peerReads,
        Bucket bucket,
        Durability durability,
        Duration uploadDelay,
        Duration drainTimeout,
        long memoryBytes,
        long progressBytes) {

    /**
     * Where and how the file system appears.
     *
     * @param nameCache whether the kernel keeps names, or asks for each step of a path each time
     * @param threads readers of /dev/fuse
     * @param retries how often mounting is tried again, {@code retryDelay} apart, after the first try failed
     */
    public record Mount(
            Path directory,
            boolean readOnly,
            boolean rootSquash,
            boolean nameCache,
            Passthrough passthrough,
            int threads,
            int retries,
            Duration retryDelay) {}

    /** Whether the kernel reads and writes backing files itself. */
    public enum Passthrough {
        /** A node that cannot have it does not start. */
        ON,
        OFF,
        /** Where the kernel, the rights and the cache's file system allow it. */
        AUTO
    }

    /**
     * Tier 1.
     *
     * @param directories on disks of this node; files are spread over them
     * @param capacityBytes all directories together
     * @param reserveBytes kept free on each of their file systems
     * @param blockBytes of the versions that this node commits; a power of two
     */
    public record Cache(List<Path> directories, long capacityBytes, long reserveBytes, int blockBytes) {
        public Cache {
            directories = List.copyOf(directories);
        }
    }

    /**
     * Where the coordinator listens: addresses of the same replicas in the same order. One list may be empty: HTTP tells
     * where gRPC is, and nothing but that is asked of it.
     *
     * @param timeout how long a request waits for a coordinator that is away
     * @param delegations whether this node answers alone in directories that it makes
     */
    public record Coordinator(List<HostPort> http, List<HostPort> grpc, Duration timeout, boolean delegations) {
        public Coordinator {
            http = List.copyOf(http);
            grpc = List.copyOf(grpc);
        }

        /** The address that is tried first. */
        public HostPort first() {
            return grpc.isEmpty() ? http.getFirst() : grpc.getFirst();
        }
    }

    /**
     * How others see this node.
     *
     * @param id null: made once and kept in the first cache directory
     * @param listenHost the address to bind, {@code 0.0.0.0} for all
     * @param advertisedHost what peers are told; null: the local address that the coordinator is reached from
     * @param advertisedPort what peers are told; 0: the one that is bound
     * @param httpPort 0 for any free one
     * @param grpcPort told to others, as the interfaces have it; nothing listens there yet
     * @param apiKey what requests must carry; null: none
     */
    public record Network(
            @Nullable NodeId id,
            String listenHost,
            @Nullable String advertisedHost,
            int advertisedPort,
            int httpPort,
            int grpcPort,
            @Nullable Secret apiKey) {}

    /**
     * Tier 2, as a reader.
     *
     * @param hybridThresholdBytes files above it may be read from peers and bucket at once
     * @param bytesPerSecond what one peer is assumed to serve
     */
    public record PeerReads(long hybridThresholdBytes, long bytesPerSecond, Duration timeout) {}

    /**
     * Tier 3.
     *
     * @param prefix all keys begin with it; empty, or with a slash at its end
     * @param refresh a directory's listing older than this is made anew on use
     */
    public record Bucket(Store store, String prefix, Duration timeout, Duration refresh) {}

    /** Which store, and how it is reached. */
    public sealed interface Store {
        /** A folder that holds plain objects. */
        record FileFolder(Path root) implements Store {}

        /**
         * @param endpoint null: Amazon's own of the region
         * @param accessKeyId null: the usual chain of providers
         */
        record S3(
                String bucket,
                String region,
                @Nullable String endpoint,
                boolean forcePathStyle,
                @Nullable String accessKeyId,
                @Nullable Secret secretAccessKey,
                @Nullable Secret sessionToken)
                implements Store {}

        /**
         * With neither key nor signature the usual chain of identities is asked.
         *
         * @param endpoint of the account's blob service; null: Azure's own
         */
        record Azure(
                String account,
                String container,
                @Nullable String endpoint,
                @Nullable Secret key,
                @Nullable Secret sasToken)
                implements Store {}

        /**
         * With neither an HMAC key nor a file of credentials, application default credentials are looked for.
         *
         * @param endpoint of the XML API; null: Google's own
         */
        record Gcp(
                String bucket,
                @Nullable String endpoint,
                @Nullable String accessKeyId,
                @Nullable Secret secretAccessKey,
                @Nullable Path credentials)
                implements Store {}
    }

    /** What close() and fsync() wait for. */
    public enum Durability {
        /** The bytes are on this node's NVMe. */
        LOCAL,
        /** And on one more node. */
        PEER,
        /** And in the bucket. */
        CLOUD
    }

    /** A network address; {@code port} is 1 to 65535. */
    public record HostPort(String host, int port) {
        @Override
        public String toString() {
            return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + port;
        }
    }

    /** A value that must not be printed. */
    public record Secret(String value) {
        @Override
        public String toString() {
            return "****";
        }
    }
}
