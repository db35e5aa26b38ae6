package io.fusecache.cluster;

import java.io.IOException;
import java.util.List;

/** One coordinator and some nodes. */
final class Cluster extends ClusterProcesses {
    private Cluster(List<String> store, List<String> flags) throws IOException {
        super(1, store, flags);
    }

    /** @param flags of every node, beside those that make it part of this cluster */
    static Cluster start(int nodes, String... flags) throws IOException, InterruptedException {
        return startOn(List.of(), nodes, flags);
    }

    /** @param store flags that say which bucket */
    static Cluster startOn(List<String> store, int nodes, String... flags) throws IOException, InterruptedException {
        Cluster cluster = new Cluster(store, List.of(flags));
        cluster.begin(nodes);
        return cluster;
    }

    @Override
    List<String> coordinatorFlags(int number) {
        return List.of();
    }

    int coordinatorPort() {
        return httpPort(0);
    }

    int coordinatorGrpcPort() {
        return grpcPort(0);
    }

    /** kill -9. */
    void killCoordinator() throws IOException, InterruptedException {
        killCoordinator(0);
    }

    /** After {@link #killCoordinator()}. */
    void startCoordinator() throws IOException {
        startCoordinator(0);
    }
}
