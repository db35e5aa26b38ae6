package io.fusecache.cluster;

import io.fusecache.testkit.random.Surroundings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** What happens to the programs of a cluster while random operations go on in its mounts. */
final class Misfortunes implements Surroundings {
    /** kill -9; it comes back while the operations go on. */
    static final String COORDINATOR_KILLED = "coordinator-killed";
    /** kill -9 of the first node. */
    static final String NODE_KILLED = "node-killed";
    /** The first node starts anew with nothing in its cache, once all is in the bucket. */
    static final String CACHE_LOST = "cache-lost";
    /** A clean stop and start of the first node. */
    static final String NODE_RESTARTED = "node-restarted";

    private final Cluster cluster;
    private final List<Incident> incidents;
    private CompletableFuture<?> coordinator = CompletableFuture.completedFuture(null);

    Misfortunes(Cluster cluster, List<Incident> incidents) {
        this.cluster = cluster;
        this.incidents = List.copyOf(incidents);
    }

    @Override
    public List<Incident> incidents() {
        return incidents;
    }

    @Override
    public void happen(String name) throws IOException, InterruptedException {
        end();
        ClusterNode node = cluster.node(1);
        switch (name) {
            case COORDINATOR_KILLED -> {
                cluster.killCoordinator();
                coordinator = CompletableFuture.runAsync(this::startCoordinator);
            }
            case NODE_KILLED -> {
                node.kill();
                node.start();
            }
            case NODE_RESTARTED -> {
                node.stop();
                node.start();
            }
            case CACHE_LOST -> {
                node.flush();
                node.stop();
                Shell.remove(node.cache());
                node.start();
            }
            default -> throw new AssertionError(name);
        }
    }

    /** Waits until the coordinator is back. */
    void end() {
        coordinator.join();
    }

    private void startCoordinator() {
        try {
            cluster.startCoordinator();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }
}
