package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The quota of a directory's tree as programs and {@code fusecache quota} see it, from two nodes. */
final class QuotaIT {
    private Cluster cluster;

    @AfterEach
    void stop() throws Exception {
        cluster.close();
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void aLimitedTreeStopsGrowingAndLosesNothingThatFits(String passthrough) throws Exception {
        cluster = Cluster.start(2, "-passthrough", passthrough);
        Path mount = cluster.node(1).mount();
        Path other = cluster.node(2).mount();
        Shell.sh(mount, "mkdir t");
        String tree = mount.resolve("t").toString();
        assertThat(cluster.fusecache("quota", "set", tree, "--bytes", "1MiB", "--inodes", "5"))
                .isEmpty();

        assertThat(Shell.run(mount, "dd", "if=/dev/zero", "of=t/big", "bs=64k", "count=32")
                        .output())
                .contains("Disk quota exceeded");
        assertThat(Shell.sh(mount, "dd if=/dev/zero of=t/fits bs=64k count=8 2>&1 && stat -c %s t/fits"))
                .endsWith("524288\n");
        assertThat(Shell.sh(other, "stat -c '%n %s' t/fits t/big")).isEqualTo("t/fits 524288\nt/big 0\n");
        assertThat(cluster.fusecache("quota", "show", tree)).isEqualTo("/t: 512 KiB of 1 MiB, 2 of 5 inodes\n");

        assertThat(Shell.run(other, "sh", "-c", "touch t/1 t/2 t/3 && touch t/4")
                        .output())
                .contains("Disk quota exceeded");
        Shell.sh(other, "rm t/1 && mkdir t/d && mv t/fits t/d/ && mv t/2 .");
        assertThat(cluster.fusecache("quota", "show")).isEqualTo("/t: 512 KiB of 1 MiB, 4 of 5 inodes\n");
        assertThat(Shell.run(mount, "sh", "-c", "cp t/d/fits t/more && cat t/d/fits >> t/more")
                        .output())
                .contains("Disk quota exceeded");

        cluster.fusecache("quota", "remove", tree);
        Shell.sh(mount, "cat t/d/fits t/d/fits t/d/fits > t/more && stat -c %s t/more && touch t/1 t/2 t/3 t/4 t/5");
        assertThat(cluster.fusecache("quota", "show")).isEmpty();
    }
}
