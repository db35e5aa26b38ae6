package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A coordinator whose disk is lost comes back: from a backup in the bucket, from a dump, and from the objects alone. */
final class RecoveryIT {
    private static final String TREE = """
            umask 022
            mkdir -p d/sub empty
            seq 1000 > d/numbers
            seq 200000 > d/sub/large
            : > d/nothing
            echo shared > d/one && ln d/one d/other
            ln -s ../d/numbers d/sub/link
            mkfifo d/pipe
            chmod 2751 d/sub && chmod 640 d/numbers && chown 12:34 d/numbers
            setfattr -n user.colour -v blue d/numbers
            setfacl -m u:1000:rw d/numbers
            echo odd > "$(printf 'd/odd\\377name')"
            touch -d '2001-02-03 04:05:06.123456789 UTC' d/numbers d/sub""";

    /** Everything that there is to see of a tree, but what reading it changes. */
    private static final String SEEN = """
            find . -not -name . -printf '%P %y %m %U:%G %n %T@ %l\\n' | LC_ALL=C sort
            find . -type f -size +0 -exec md5sum {} + | LC_ALL=C sort
            getfattr -d -m user d/numbers; getfacl -cn d/numbers""";

    /** Of files only: what objects say. */
    private static final String FILES_SEEN = """
            find . -type f -printf '%P %m %U:%G %s %T@\\n' | LC_ALL=C sort
            find . -type f -size +0 -exec md5sum {} + | LC_ALL=C sort
            getfattr -d -m user d/numbers; getfacl -cn d/numbers""";

    @BeforeEach
    void onlyAsRoot() {
        assumeTrue("root".equals(System.getProperty("user.name")), "the tree has files of other users");
    }

    private static String[] verb(Cluster cluster, String verb, String... words) {
        List<String> all = new ArrayList<>(List.of(verb));
        all.addAll(cluster.store());
        all.addAll(List.of("-coordinator", "localhost:" + cluster.coordinatorPort()));
        all.addAll(List.of(words));
        return all.toArray(String[]::new);
    }

    private static void loseTheCoordinatorsDisk(Cluster cluster) throws Exception {
        cluster.killCoordinator();
        Shell.remove(cluster.directory().resolve("coordinator"));
        cluster.startCoordinator();
    }

    private static void awaitRefusal(ClusterNode node) {
        Awaitility.await("the node, which is refused")
                .atMost(Cluster.UP_WITHIN)
                .until(() -> node.daemon().output().contains("has inodes of the namespace"));
    }

    @Test
    void aBackupBringsTheTreeBackOnANodeWithACacheAndOnANewOne() throws Exception {
        try (Cluster cluster = Cluster.start(1)) {
            ClusterNode node = cluster.node(1);
            Path mount = node.mount();
            Shell.sh(mount, TREE);
            node.flush();
            String before = Shell.sh(mount, SEEN);
            assertThat(before).contains("d/other f").contains("d/pipe p").contains("user.colour=\"blue\"");
            assertThat(cluster.fusecache(verb(cluster, "restore"))).isEmpty();
            String made = cluster.fusecache(verb(cluster, "backup"));
            assertThat(made).contains(".jsonl.gz, ").contains("is in the bucket");
            String name = made.substring(0, made.indexOf(','));
            assertThat(cluster.bucket().resolve(".fusecache/backups/" + name)).isRegularFile();
            assertThat(cluster.fusecache(verb(cluster, "restore"))).startsWith(name + " ");
            assertThatThrownBy(() -> cluster.fusecache(verb(cluster, "restore", "no-such")))
                    .hasStackTraceContaining("there is no backup no-such");

            Files.writeString(mount.resolve("d/since"), "made after the backup");
            node.flush();
            loseTheCoordinatorsDisk(cluster);
            awaitRefusal(node);
            String restored = cluster.fusecache(verb(cluster, "restore", "newest"));
            assertThat(restored)
                    .containsPattern("^" + name + " [\\d.]+ \\S+ of namespace [0-9a-f]{32}\n")
                    .contains(" inodes are loaded, as namespace ")
                    .doesNotContain("no bytes");
            assertThatThrownBy(() -> cluster.fusecache(verb(cluster, "restore", name)))
                    .hasStackTraceContaining("this coordinator has a namespace");

            node.kill();
            node.start();
            assertThat(mount.resolve("d/since")).hasContent("made after the backup");
            Files.delete(mount.resolve("d/since"));
            Shell.sh(mount, "touch -d '2001-02-03 04:05:06.123456789 UTC' d/sub");
            assertThat(withoutDirectoryTimes(Shell.sh(mount, SEEN))).isEqualTo(withoutDirectoryTimes(before));
            ClusterNode other = cluster.addNode();
            assertThat(withoutDirectoryTimes(Shell.sh(other.mount(), SEEN))).isEqualTo(withoutDirectoryTimes(before));
            Shell.sh(other.mount(), "echo more >> d/numbers && mv d/sub moved");
            assertThat(Shell.sh(mount, "tail -n 1 d/numbers; cat moved/large | wc -l"))
                    .isEqualTo("more\n200000\n");
        }
    }

    /** A name that came and went since changes the times of its directory. */
    private static String withoutDirectoryTimes(String seen) {
        return seen.replaceAll("(?m)^(.* d \\d+ \\d+:\\d+ \\d+) [\\d.]+ $", "$1");
    }

    @Test
    void aNodeMakesBackupsAndTellsOfTheNewest() throws Exception {
        try (Cluster cluster = Cluster.start(0)) {
            ClusterNode node = cluster.prepareNode("-backup-every", "1s", "-backups-kept", "2");
            node.start();
            Awaitility.await("two of them")
                    .atMost(Cluster.UP_WITHIN)
                    .untilAsserted(() -> assertThat(
                                    cluster.fusecache(verb(cluster, "restore")).lines())
                            .hasSize(2)
                            .allMatch(
                                    line -> line.matches("\\S+\\.jsonl\\.gz [\\d.]+ \\S+ of namespace [0-9a-f]{32}")));
            assertThat(cluster.fusecache("status")).containsPattern(" backup +\\S+\\.jsonl\\.gz, .* old");
            assertThat(cluster.fusecache("status", "--json"))
                    .containsPattern("\"backup\":\\{\"name\":\"[^\"]+\",\"made_at\":\"[^\"]+\",\"bytes\":[1-9]");
            node.stop();
        }
    }

    @Test
    void aDumpIsLoadedAndDumpedAgainTheSame() throws Exception {
        try (Cluster cluster = Cluster.start(1)) {
            ClusterNode node = cluster.node(1);
            Shell.sh(node.mount(), TREE);
            node.flush();
            Path dump = cluster.directory().resolve("dump");
            String coordinator = "localhost:" + cluster.coordinatorPort();
            cluster.fusecache("dump", dump.toString());
            node.stop();
            loseTheCoordinatorsDisk(cluster);
            Path cut = Files.writeString(
                    cluster.directory().resolve("cut"),
                    Files.readString(dump).substring(0, (int) (Files.size(dump) / 2)));
            assertThatThrownBy(() -> cluster.fusecache("load", "--coordinator", coordinator, cut.toString()))
                    .hasStackTraceContaining("cut short");
            cluster.fusecache("load", "--coordinator", coordinator, dump.toString());
            String again = cluster.fusecache("dump", "--coordinator", coordinator);
            assertThat(tree(again)).isEqualTo(tree(Files.readString(dump)));
        }
    }

    private static List<String> tree(String dump) throws IOException {
        List<String> lines = dump.lines().toList();
        return lines.subList(1, lines.size() - 1);
    }

    @Test
    void theObjectsAloneAreEnoughForNamesAndFiles() throws Exception {
        // So that files are uploaded with the attributes that they are given after their bytes.
        try (Cluster cluster = Cluster.start(1, "-upload-delay", "5m")) {
            ClusterNode node = cluster.node(1);
            Path mount = node.mount();
            Shell.sh(mount, TREE.replaceAll("(?m)^.*(ln |mkfifo|odd).*$", "true"));
            node.flush();
            Awaitility.await("the marker of the empty directory")
                    .atMost(Cluster.UP_WITHIN)
                    .until(() -> Files.exists(cluster.bucket().resolve("empty")));
            String before = Shell.sh(mount, FILES_SEEN);
            assertThat(before).contains("d/sub/large 644").contains("user.colour=\"blue\"");

            loseTheCoordinatorsDisk(cluster);
            awaitRefusal(node);
            assertThat(cluster.fusecache(verb(cluster, "rebuild"))).contains(" inodes are loaded, as namespace ");
            node.kill();
            node.start();
            assertThat(Shell.sh(mount, FILES_SEEN)).isEqualTo(before);
            assertThat(mount.resolve("empty")).isEmptyDirectory();
            ClusterNode other = cluster.addNode();
            assertThat(Shell.sh(other.mount(), FILES_SEEN)).isEqualTo(before);
        }
    }
}
