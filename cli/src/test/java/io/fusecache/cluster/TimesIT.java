package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Access times, as relatime promises them: who reads is the kernel, and the daemon must find out. */
final class TimesIT {
    /** The clock of a disk's times goes in steps of up to 10 ms. */
    private static final String WORDS = """
            tick() { sleep 0.02; }
            a() { stat -c %x "$1"; }
            m() { stat -c %y "$1"; }
            c() { stat -c %z "$1"; }
            later() { [ "$(printf '%s\\n' "$1" "$2" | sort | tail -n 1)" = "$1" ] && [ "$1" != "$2" ]; }
            # What the kernel answers from its page cache is known when the file is closed, a little later.
            reads() {
              before=$(a "$1"); tick; cat "$1" > /dev/null
              for try in $(seq 100); do later "$(a "$1")" "$before" && return 0; tick; done
              return 1
            }
            """;

    private Cluster cluster;

    @AfterEach
    void stop() throws Exception {
        cluster.close();
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void readsShowAsRelatimePromises(String passthrough) throws Exception {
        cluster = Cluster.start(2, "-passthrough", passthrough);
        Path mount = cluster.node(1).mount();
        Shell.sh(mount, WORDS + """
                echo x > f; tick; touch f; [ "$(a f)" = "$(m f)" ]
                reads f; first=$(a f)
                tick; cat f > /dev/null
                [ "$(a f)" = "$first" ]
                changed=$(c f)
                touch -m f; modified=$(m f)
                reads f; [ "$(m f)" = "$modified" ]; later "$(c f)" "$changed"; second=$(a f)
                touch -a -d '2001-02-03 04:05:06.7 UTC' f
                TZ=UTC; export TZ; [ "$(a f)" = '2001-02-03 04:05:06.700000000 +0000' ]
                changed=$(c f)
                reads f; later "$(a f)" "$second"; [ "$(c f)" = "$changed" ]
                touch -a -d '2101-02-03 04:05:06.7 UTC' f
                tick; cat f > /dev/null
                [ "$(a f)" = '2101-02-03 04:05:06.700000000 +0000' ]
                """);
        Shell.sh(mount, WORDS + """
                echo x > g; made=$(a g)
                exec 3< g; [ "$(a g)" = "$made" ]; tick; read -r line <&3; exec 3<&-
                for try in $(seq 100); do later "$(a g)" "$made" && break; tick; done; later "$(a g)" "$made"
                mkdir d; touch d/x; made=$(a d); tick; ls d; later "$(a d)" "$made"
                ln -s g l; made=$(a l); tick; readlink l; later "$(a l)" "$made"
                """);
        String seen = Shell.sh(mount, "stat -c %x g");
        // Lazily, and without a recall: whoever has not asked before sees it.
        Awaitility.await().atMost(Duration.ofSeconds(20)).untilAsserted(() -> {
            Shell.sh(cluster.node(2).mount(), "chmod 600 g && chmod 644 g");
            assertThat(Shell.sh(cluster.node(2).mount(), "stat -c %x g")).isEqualTo(seen);
        });
    }
}
