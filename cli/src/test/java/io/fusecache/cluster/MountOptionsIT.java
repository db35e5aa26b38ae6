package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Mounts that give less than a disk: {@code -read-only} and {@code -root-squash}, beside one that gives all. */
final class MountOptionsIT {
    private static Cluster cluster;
    private static Path whole;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        assumeTrue("root".equals(System.getProperty("user.name")), "what root may do is tried as root");
        cluster = Cluster.start(1);
        whole = cluster.node(1).mount();
    }

    @AfterAll
    static void stop() throws IOException, InterruptedException {
        if (cluster != null) {
            cluster.close();
        }
    }

    @Test
    void aReadOnlyMountChangesNothing() throws Exception {
        Path mount = cluster.addNode("-read-only", "true").mount();
        Shell.sh(whole, "mkdir ro && echo content > ro/f && ln -s f ro/l");
        String before = Shell.sh(whole, "stat -c '%n %x %y %z' ro ro/f ro/l");
        assertThat(Shell.sh(mount, "cat ro/f && ls ro && readlink ro/l")).isEqualTo("content\nf\nl\nf\n");
        for (String change : new String[] {
            "touch ro/f",
            "touch ro/new",
            "sh -c 'echo x >> ro/f'",
            "rm -f ro/f",
            "mkdir ro/d",
            "mv ro/f ro/g",
            "ln ro/f ro/g",
            "chmod 600 ro/f",
            "setfattr -n user.a -v 1 ro/f",
            "truncate -s 0 ro/f"
        }) {
            assertThat(Shell.run(mount, "sh", "-c", change).output()).as(change).contains("Read-only file system");
        }
        assertThat(Shell.sh(whole, "stat -c '%n %x %y %z' ro ro/f ro/l")).isEqualTo(before);
    }

    /** The other node gives these files away and writes them anew all the time, and never lets everybody in. */
    @Test
    void whatIsForbiddenStaysForbiddenWhileAnotherNodeChangesTheFiles() throws Exception {
        Path mount = cluster.addNode("-root-squash", "true").mount();
        Shell.sh(whole, "umask 022; mkdir busy && echo 0 > busy/f && echo 0 > busy/secret && chmod 600 busy/secret");
        AtomicBoolean over = new AtomicBoolean();
        AtomicInteger changes = new AtomicInteger();
        try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
            Future<?> changer = thread.submit(() -> {
                while (!over.get()) {
                    int i = changes.incrementAndGet();
                    Shell.sh(whole, """
                            umask 022; echo %1$d > busy/f; echo %1$d > busy/secret; touch busy/f
                            chmod 644 busy/f; chmod 640 busy/f; chmod 644 busy/f; chmod 640 busy/secret; chmod 600 busy/secret
                            chown %2$d:%2$d busy/f busy/secret; setfattr -n trusted.a -v %1$d busy/f
                            echo %1$d > busy/new; chmod 600 busy/new; mv busy/new busy/secret
                            """.formatted(i, 1000 + i % 3));
                }
                return null;
            });
            try {
                for (int round = 0; round < 100; round++) {
                    for (String refused : new String[] {"echo x >> busy/f", "cat busy/secret", "touch busy/made"}) {
                        Shell.Outcome outcome = Shell.run(mount, "sh", "-c", refused);
                        assertThat(outcome.status()).as(refused).isNotZero();
                        assertThat(outcome.output()).as(refused).contains("Permission denied");
                    }
                }
            } finally {
                over.set(true);
            }
            changer.get();
        }
        assertThat(changes).hasValueGreaterThan(3);
        assertThat(Shell.sh(whole, "cat busy/f busy/secret; ls busy"))
                .isEqualTo("%1$d\n%1$d\nf\nsecret\n".formatted(changes.get()));
    }

    @Test
    void rootIsNobodyWhereItIsSquashed() throws Exception {
        Path mount = cluster.addNode("-root-squash", "true").mount();
        Shell.sh(whole, """
                mkdir sq && chmod 777 sq && mkdir sq/closed sq/sticky && chmod 700 sq/closed && chmod 1777 sq/sticky
                umask 022; echo readable > sq/f; echo secret > sq/secret; chmod 600 sq/secret
                echo x > sq/closed/x; echo x > sq/sticky/x; echo x > sq/writable; chmod 6666 sq/writable
                """);
        assertThat(Shell.sh(mount, """
                        cat sq/f
                        touch sq/made && mkdir sq/d && mkfifo sq/p && ln -s f sq/l && echo mine > sq/d/mine
                        stat -c '%n %u %g' sq/made sq/d sq/p sq/l sq/d/mine
                        chmod 600 sq/made && echo more > sq/made && cat sq/made && rm sq/made
                        echo y > sq/writable && stat -c %a sq/writable
                        """)).isEqualTo("""
                        readable
                        sq/made 65534 65534
                        sq/d 65534 65534
                        sq/p 65534 65534
                        sq/l 65534 65534
                        sq/d/mine 65534 65534
                        more
                        2666
                        """);
        for (String refused : new String[] {
            "cat sq/secret",
            "sh -c 'echo x >> sq/f'",
            "truncate -s 0 sq/f",
            "ls sq/closed",
            "cat sq/closed/x",
            "touch sq/closed/new",
            "touch new",
            "touch sq/f",
            "setfattr -n user.a -v 1 sq/f"
        }) {
            Shell.Outcome outcome = Shell.run(mount, "sh", "-c", refused);
            assertThat(outcome.output()).as(refused).contains("Permission denied");
            assertThat(outcome.status()).as(refused).isNotZero();
        }
        for (String refused : new String[] {
            "chmod 777 sq/secret",
            "chown 65534 sq/secret",
            "touch -d 2001-01-01 sq/writable",
            "rm -f sq/sticky/x",
            "mv sq/sticky/x sq/sticky/y",
            "mknod sq/null c 1 3",
            "setfacl -m u:65534:r sq/secret",
            "setfattr -n trusted.a -v 1 sq/writable",
            "setfattr -n security.a -v 1 sq/d/mine",
            "setfattr -n security.capability -v 0sAQAAAgAAIAAAAAAAAAAAAAAAAAA= sq/d/mine",
            "setfattr -n user.a -v 1 sq/sticky"
        }) {
            assertThat(Shell.run(mount, "sh", "-c", refused).output())
                    .as(refused)
                    .contains("Operation not permitted");
        }
        // Nobody is no member of the group that these files have.
        Shell.sh(whole, "setfattr -n trusted.a -v 1 sq/f && mkdir sq/g && chgrp 4242 sq/g && chmod 2777 sq/g");
        assertThat(Shell.sh(mount, """
                        umask 0; python3 -c 'import os; os.open("sq/g/made", os.O_CREAT | os.O_WRONLY, 0o2777)'
                        touch sq/g/f && chmod 2755 sq/g/f && stat -c '%n %u %g %a' sq/g/made sq/g/f
                        getfattr -m - sq/f
                        """)).isEqualTo("sq/g/made 65534 4242 777\nsq/g/f 65534 4242 755\n");
        Shell.sh(whole, "setfacl -m u:65534:r sq/secret");
        assertThat(Shell.sh(mount, "cat sq/secret")).isEqualTo("secret\n");
        Shell.sh(whole, "setfacl -b sq/secret && chmod 755 sq/closed");
        assertThat(Shell.run(mount, "cat", "sq/secret").output()).contains("Permission denied");
        assertThat(Shell.sh(mount, "cat sq/closed/x")).isEqualTo("x\n");
        Shell.sh(whole, "chmod 700 sq/closed");
        assertThat(Shell.run(mount, "cat", "sq/closed/x").output())
                .as("names found before are not walked past")
                .contains("Permission denied");
        assertThat(Shell.sh(
                        mount,
                        "setpriv --reuid 1000 --regid 1000 --clear-groups sh -c 'touch sq/u' && stat -c %u sq/u"))
                .isEqualTo("1000\n");
    }
}
