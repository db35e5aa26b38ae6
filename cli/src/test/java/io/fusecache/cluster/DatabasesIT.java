package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Databases on a mount keep every promise that they keep on a disk. */
final class DatabasesIT {
    private Cluster cluster;

    private Path mounted(String passthrough) throws IOException, InterruptedException {
        cluster = Cluster.start(2, "-passthrough", passthrough);
        return cluster.node(1).mount();
    }

    @AfterEach
    void stop() throws IOException, InterruptedException {
        if (cluster != null) {
            cluster.close();
        }
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void sqliteHasSeveralWritersInEveryJournalMode(String passthrough) throws Exception {
        Path mount = mounted(passthrough);
        String each = "a|800\nb|800\nc|800\nok\n";
        assertThat(Shell.script(mount, "sqlite.sh"))
                .isEqualTo("delete\n" + each + "truncate\n" + each + "persist\n" + each + "memory\n" + each + "wal\n"
                        + each);
        cluster.node(1).stop();
        cluster.node(1).start();
        String look = "for db in *.db; do sqlite3 $db 'SELECT count(*) FROM t; PRAGMA integrity_check;'; done";
        assertThat(Shell.sh(mount, look)).isEqualTo("2400\nok\n".repeat(5));
        assertThat(Shell.sh(cluster.node(2).mount(), look)).isEqualTo("2400\nok\n".repeat(5));
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void postgresqlRecoversFromAnImmediateStopUnderLoad(String passthrough) throws Exception {
        assumeTrue("root".equals(System.getProperty("user.name")), "namespaces and other users take root");
        Path data = Files.createDirectory(mounted(passthrough).resolve("postgresql"));
        // In namespaces that end with the script: no server, no shared memory and no mount is left, however it ends.
        assertThat(Shell.script(
                        List.of("unshare", "--mount", "--pid", "--ipc", "--fork", "--kill-child", "--mount-proc"),
                        data,
                        "postgresql.sh",
                        data))
                .contains("in production", "was not properly shut down", "processed: 200/200")
                .containsPattern("Bad checksums: +0\n");
        assertThat(Trees.sums(cluster.node(2).mount().resolve("postgresql"))).isEqualTo(Trees.sums(data));
    }
}
