package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Removed files as programs and {@code fusecache trash} see them, on two nodes and in the bucket. */
final class TrashIT {
    private Cluster cluster;

    @AfterEach
    void stop() throws Exception {
        cluster.close();
    }

    private List<String> trashed() throws Exception {
        Path folder = cluster.bucket().resolve(".fusecache/trash");
        if (!Files.isDirectory(folder)) {
            return List.of();
        }
        try (Stream<Path> objects = Files.list(folder)) {
            return objects.map(object -> object.getFileName().toString())
                    .filter(name -> name.matches("[0-9a-f]+"))
                    .sorted()
                    .toList();
        }
    }

    private String on(Path mount, String... words) throws Exception {
        String[] all = Stream.concat(Stream.of("trash"), Stream.of(words)).toArray(String[]::new);
        return cluster.fusecache(all).replace(mount.toString(), "MOUNT");
    }

    @Test
    void whatIsRemovedAndReplacedComesBackFromTheBucketOnAnotherNode() throws Exception {
        cluster = Cluster.start(2);
        Path mount = cluster.node(1).mount();
        assertThat(on(mount, "show")).isEqualTo("off: removed files are gone\n");
        on(mount, "set", "--keep", "7d");
        assertThat(on(mount, "show")).isEqualTo("removed files are kept for 7d\n");

        Shell.sh(mount, "mkdir d && seq 100000 > d/large && echo old > d/doc && touch -d @1000 d/doc");
        cluster.node(1).flush();
        Shell.sh(mount, "echo new > d/draft && mv d/draft d/doc && rm d/large");
        assertThat(Shell.sh(mount, "ls d; cat d/doc")).isEqualTo("doc\nnew\n");
        String list = on(mount, "list", mount.resolve("d").toString());
        assertThat(list.lines()
                        .map(line -> line.replaceFirst("^\\d+ ([^,]*), removed .* on (.*), kept until .*", "$1 by $2")))
                .containsExactly("/d/doc 4 B by node1", "/d/large 575.09 KiB by node1");
        Awaitility.await().until(() -> trashed().size() == 2);
        cluster.node(1).flush();
        Awaitility.await()
                .until(() -> Files.readString(cluster.bucket().resolve("d/doc")).equals("new\n"));
        assertThat(cluster.bucket().resolve("d/large")).doesNotExist();

        cluster.killCoordinator();
        cluster.startCoordinator();
        cluster.node(1).stop();
        Path other = cluster.node(2).mount();
        assertThat(on(other, "restore", other.resolve("d/large").toString())).isEqualTo("/d/large\n");
        assertThat(Shell.sh(other, "seq 100000 | cmp - d/large && stat -c %h d/large"))
                .isEqualTo("1\n");
        assertThat(Shell.run(
                                other,
                                java.util.Map.of(
                                        "FUSECACHE_RUN_DIR",
                                        cluster.directory().resolve("run").toString()),
                                Daemon.command(
                                        "fusecache",
                                        List.of(
                                                "trash",
                                                "restore",
                                                other.resolve("d/doc").toString())))
                        .output())
                .contains("/d/doc exists");
        on(
                other,
                "restore",
                other.resolve("d/doc").toString(),
                "--to",
                other.resolve("doc.old").toString());
        assertThat(Shell.sh(other, "cat doc.old && stat -c %Y doc.old")).isEqualTo("old\n1000\n");
        Awaitility.await().until(() -> trashed().isEmpty());
        assertThat(cluster.bucket().resolve("doc.old")).hasContent("old\n");
        assertThat(cluster.bucket().resolve("d/large")).exists();
    }

    @Test
    void whatIsOpenWhenItIsRemovedIsKeptAsItsLastCloseLeavesIt() throws Exception {
        cluster = Cluster.start(2);
        Path mount = cluster.node(1).mount();
        on(mount, "set", "--keep", "1h");
        assertThat(
                        Shell.sh(
                                mount,
                                "exec 3<> f; echo before >&3; rm f; echo after >&3; stat -L -c %h /proc/self/fd/3; ls; exec 3>&-"))
                .isEqualTo("0\n");
        String id = on(mount, "list").split(" ", 2)[0];
        assertThat(on(mount, "restore", id)).isEqualTo("/f\n");
        assertThat(Shell.sh(cluster.node(2).mount(), "cat f")).isEqualTo("before\nafter\n");
    }

    @Test
    void itsTimeOverAFileAndItsObjectAreGone() throws Exception {
        cluster = Cluster.start(1);
        Path mount = cluster.node(1).mount();
        on(mount, "set", "--keep", "2s");
        Shell.sh(mount, "echo uploaded > a");
        cluster.node(1).flush();
        Shell.sh(mount, "rm a; echo never > b; rm b");
        Awaitility.await().until(() -> on(mount, "list").isEmpty());
        Awaitility.await().until(() -> trashed().isEmpty());
        assertThat(cluster.bucket().resolve("a")).doesNotExist();
        on(mount, "set", "--keep", "1h");
        Shell.sh(mount, "echo x > c; rm c");
        assertThat(on(mount, "empty", "--older-than", "30m")).isEqualTo("0 removed for good\n");
        assertThat(on(mount, "empty")).isEqualTo("1 removed for good\n");
        on(mount, "off");
        Shell.sh(mount, "echo x > c; rm c");
        assertThat(on(mount, "list")).isEmpty();
    }
}
