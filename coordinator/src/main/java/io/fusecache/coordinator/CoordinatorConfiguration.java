package io.fusecache.coordinator;

import io.fusecache.coordinator.raft.ReplicaGroup;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Everything that a coordinator must be told.
 *
 * @param listenHost the address to bind, {@code 0.0.0.0} for all
 * @param port HTTP; 0 for any free one
 * @param grpcPort 0 for any free one
 * @param data the folder of its state, made where it is not there
 * @param apiKey what requests and clients must carry, or null for nothing
 * @param trashKeep how long removed files are kept from this start on; null leaves it as it was set last
 * @param replicas the group that it is a member of, or null for a coordinator without replicas
 * @param awaitLoad an empty state lets no client in before a dump is loaded
 */
public record CoordinatorConfiguration(
        String listenHost,
        int port,
        int grpcPort,
        Path data,
        @Nullable String apiKey,
        @Nullable Duration trashKeep,
        @Nullable ReplicaGroup replicas,
        boolean awaitLoad) {
    public CoordinatorConfiguration(
            String listenHost,
            int port,
            int grpcPort,
            Path data,
            @Nullable String apiKey,
            @Nullable Duration trashKeep,
            @Nullable ReplicaGroup replicas) {
        this(listenHost, port, grpcPort, data, apiKey, trashKeep, replicas, false);
    }

    public CoordinatorConfiguration(
            String listenHost,
            int port,
            int grpcPort,
            Path data,
            @Nullable String apiKey,
            @Nullable Duration trashKeep) {
        this(listenHost, port, grpcPort, data, apiKey, trashKeep, null, false);
    }

    public CoordinatorConfiguration(String listenHost, int port, int grpcPort, Path data, @Nullable String apiKey) {
        this(listenHost, port, grpcPort, data, apiKey, null);
    }

    /** The same, as a member of that group. */
    public CoordinatorConfiguration of(ReplicaGroup group) {
        return new CoordinatorConfiguration(listenHost, port, grpcPort, data, apiKey, trashKeep, group, awaitLoad);
    }

    @Override
    public String toString() {
        return "listen=%s port=%d grpc-port=%d data=%s api-key=%s"
                .formatted(listenHost, port, grpcPort, data, apiKey == null ? "off" : "on");
    }
}
