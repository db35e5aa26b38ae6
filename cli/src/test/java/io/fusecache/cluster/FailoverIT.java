package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Programs on two mounts of a cluster with three coordinators, while those that lead go in every way there is. */
final class FailoverIT {
    private static final Logger LOG = LoggerFactory.getLogger(FailoverIT.class);

    /** Some seconds on a machine that has nothing else to do. */
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    private static final int OPERATIONS = 40;

    @FunctionalInterface
    private interface Incident {
        void happen() throws Exception;
    }

    /** What the programs on the mounts see of an incident. */
    private static void pauseAt(String what, List<RecordedWriter> writers, Incident incident) throws Exception {
        List<Integer> before = writers.stream().map(RecordedWriter::operations).toList();
        incident.happen();
        List<Duration> pauses = new ArrayList<>();
        for (int i = 0; i < writers.size(); i++) {
            // Counted from after the incident: some may have been done while it came about.
            writers.get(i).awaitMore(writers.get(i).operations(), OPERATIONS);
            pauses.add(writers.get(i).longest(before.get(i)));
        }
        LOG.info("{}: the longest operation of each program took {} ms", what, millis(pauses));
        assertThat(pauses).as(what).allSatisfy(pause -> assertThat(pause).isLessThan(LONGEST_PAUSE));
    }

    private static List<Long> millis(List<Duration> all) {
        return all.stream().map(Duration::toMillis).toList();
    }

    @Test
    void programsSeeAPauseAndNoErrorWhenALeaderGoes() throws Exception {
        try (ReplicaCluster cluster = ReplicaCluster.start(2)) {
            Path one = Files.createDirectory(cluster.node(1).mount().resolve("d"));
            Path two = cluster.node(2).mount().resolve("d");
            try (RecordedWriter first = RecordedWriter.start("first", one);
                    RecordedWriter second = RecordedWriter.start("second", two)) {
                List<RecordedWriter> writers = List.of(first, second);
                writers.forEach(writer -> writer.awaitMore(0, OPERATIONS));

                cluster.awaitWhole();
                int killed = cluster.leader();
                pauseAt("kill -9 of the leader", writers, () -> cluster.killCoordinator(killed));
                cluster.startCoordinator(killed);

                cluster.awaitWhole();
                int ended = cluster.leader();
                pauseAt("SIGTERM to the leader", writers, () -> cluster.stopCoordinator(ended));
                cluster.startCoordinator(ended);

                cluster.awaitWhole();
                int paused = cluster.leader();
                pauseAt("SIGSTOP to the leader", writers, () -> {
                    cluster.pause(paused);
                    assertThat(cluster.leader()).isNotEqualTo(paused);
                });
                pauseAt("SIGCONT to who led", writers, () -> cluster.resume(paused));
                cluster.awaitWhole();

                int firstRounds = first.finish();
                int secondRounds = second.finish();
                LOG.info("{} and {} rounds of create, rename, append, unlink", firstRounds, secondRounds);
                List<String> names = new ArrayList<>(first.names(firstRounds));
                names.addAll(second.names(secondRounds));
                for (Path directory : List.of(one, two)) {
                    assertThat(list(directory)).containsExactlyInAnyOrderElementsOf(names);
                    first.check(directory, firstRounds);
                    second.check(directory, secondRounds);
                }
            }
        }
    }

    private static List<String> list(Path directory) throws IOException {
        try (Stream<Path> entries = Files.list(directory)) {
            return entries.map(entry -> entry.getFileName().toString()).toList();
        }
    }

    @Test
    void withoutAMajorityWhatIsCachedIsReadAndTheRestWaitsAndFails() throws Exception {
        Duration bound = Duration.ofSeconds(6);
        try (ReplicaCluster cluster = ReplicaCluster.start(2, "-coordinator-timeout", bound.toSeconds() + "s")) {
            // What is read has a directory of its own: who makes a file takes the lease of its directory.
            Shell.sh(cluster.node(1).mount(), "mkdir read changed && echo bytes > read/f && echo old > changed/f");
            // Until somebody else looks, it is node 1 alone that answers there, and needs nobody for it.
            Shell.sh(cluster.node(2).mount(), "cat changed/f");
            // Twice: what node 1 knew as the only one there it has to learn again after node 2 has looked.
            for (int node : List.of(1, 2, 1)) {
                assertThat(readable(cluster.node(node))).isEqualTo("f\n6\nbytes\n");
            }
            cluster.awaitWhole();
            int leader = cluster.leader();
            int killed = (leader + 1) % 3;
            int paused = (leader + 2) % 3;
            cluster.killCoordinator(killed);
            cluster.pause(paused);

            Duration waited = failure(cluster.node(1), "echo new > changed/new");
            LOG.info("without a majority, a change failed after {} ms", waited.toMillis());
            assertThat(waited).isBetween(bound.dividedBy(2), bound.multipliedBy(5));
            for (int node = 1; node <= 2; node++) {
                assertThat(readable(cluster.node(node))).isEqualTo("f\n6\nbytes\n");
            }
            failure(cluster.node(2), "cat changed/unknown");

            cluster.resume(paused);
            for (int node = 1; node <= 2; node++) {
                succeeds(cluster.node(node), "echo again > changed/again" + node);
                assertThat(readable(cluster.node(node))).isEqualTo("f\n6\nbytes\n");
            }
            cluster.startCoordinator(killed);
            cluster.awaitWhole();
            for (int node = 1; node <= 2; node++) {
                assertThat(Shell.sh(cluster.node(node).mount(), "cat changed/f changed/again1 changed/again2"))
                        .isEqualTo("old\nagain\nagain\n");
            }
        }
    }

    /** In a moment, whether there is a coordinator or not. */
    private static String readable(ClusterNode node) throws IOException, InterruptedException {
        return Shell.sh(node.mount(), "timeout 5 sh -euc 'ls read; stat -c %s read/f; cat read/f'");
    }

    /** That it fails with EIO, and how long it waited. */
    private static Duration failure(ClusterNode node, String script) throws IOException, InterruptedException {
        long begun = System.nanoTime();
        Shell.Outcome outcome = Shell.run(node.mount(), "sh", "-euc", script);
        assertThat(outcome.status()).as(script).isNotZero();
        assertThat(outcome.output()).as(script).containsAnyOf("Input/output error", "I/O error");
        return Duration.ofNanos(System.nanoTime() - begun);
    }

    private static void succeeds(ClusterNode node, String script) {
        Awaitility.await(script)
                .atMost(ClusterProcesses.UP_WITHIN)
                .until(() -> Shell.run(node.mount(), "sh", "-euc", script).status() == 0);
    }
}
