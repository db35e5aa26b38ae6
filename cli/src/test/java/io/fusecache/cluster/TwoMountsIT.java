package io.fusecache.cluster;

import static java.nio.file.StandardOpenOption.APPEND;
import static java.nio.file.StandardOpenOption.CREATE;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What limits, rights, times and removal are like where programs on two mounts share a tree. */
final class TwoMountsIT {
    private Cluster cluster;
    private Path one;
    private Path two;

    @BeforeEach
    void start() throws Exception {
        cluster = Cluster.start(2);
        one = cluster.node(1).mount();
        two = cluster.node(2).mount();
    }

    @AfterEach
    void stop() throws Exception {
        cluster.close();
    }

    /** Used KiB and inodes, as {@code df} has them. */
    private static String used(Path mount) throws Exception {
        return Shell.sh(mount, "stat -f -c '%b %f %S %c %d' . | awk '{ print ($1-$2)*$3/1024, $4-$5 }'")
                .strip();
    }

    private static void uses(Path mount, String before, long moreKib, long moreInodes) throws Exception {
        String[] then = before.split(" ");
        assertThat(used(mount))
                .isEqualTo((Long.parseLong(then[0]) + moreKib) + " " + (Long.parseLong(then[1]) + moreInodes));
    }

    @Test
    void statfsCountsWhatFilesTakeOnBothNodes() throws Exception {
        String before = used(one);
        Shell.sh(one, "mkdir d && dd if=/dev/zero of=d/f bs=64k count=16 status=none");
        uses(one, before, 1024, 2);
        uses(two, before, 1024, 2);
        Shell.sh(two, "truncate -s 256K d/f && truncate -s 1G d/sparse && ln d/f d/g && ln -s f d/s && mkfifo d/p");
        uses(one, before, 256, 5);
        uses(two, before, 256, 5);
        Shell.sh(one, "fallocate -p -o 0 -l 128K d/f");
        uses(two, before, 128, 5);
        Shell.sh(two, "rm d/f");
        uses(one, before, 128, 5);
        Shell.sh(two, "rm -r d");
        // What was looked up a moment ago on the other node counts as open there for two seconds.
        org.awaitility.Awaitility.await().untilAsserted(() -> uses(one, before, 0, 0));
        uses(two, before, 0, 0);
    }

    @Test
    void statfsIsTheSameOnBothNodesWhileTheyWrite() throws Exception {
        for (int i = 1; i <= 5; i++) {
            Shell.sh(one, "mkdir a%1$d && head -c %1$d00000 /dev/zero > a%1$d/f".formatted(i));
            Shell.sh(two, "mkdir b%1$d && head -c %1$d0000 /dev/zero > b%1$d/f && ln b%1$d/f a%1$d/g".formatted(i));
            String all = "stat -f -c '%b %f %a %c %d %s %S %l %t' .";
            assertThat(Shell.sh(two, all)).isEqualTo(Shell.sh(one, all));
        }
        // 15 times 100,000 and 10,000 bytes in blocks of 4 KiB, and 20 inodes.
        String before = used(one);
        Shell.sh(two, "rm -r a? b?");
        long kib = 4 * (25 + 49 + 74 + 98 + 123) + 4 * (3 + 5 + 8 + 10 + 13);
        org.awaitility.Awaitility.await().untilAsserted(() -> uses(one, before, -kib, -20));
        assertThat(used(two)).isEqualTo(used(one));
    }

    /** fcntl(2) as a process owns it; the other kinds are {@link LocksIT}'s. */
    @Test
    void aSignalEndsTheWaitForALockOfAnotherNode() throws Exception {
        Files.writeString(one.resolve("f"), "0123456789");
        String said = Shell.run(cluster.directory(), "python3", "-c", """
                import fcntl, os, signal, sys

                class Rang(Exception):
                    pass

                def ring(*ignored):
                    raise Rang()

                signal.signal(signal.SIGALRM, ring)
                with open(sys.argv[1] + '/f', 'r+') as holder, open(sys.argv[2] + '/f', 'r+') as waiter:
                    for i in range(50):
                        fcntl.lockf(holder, fcntl.LOCK_EX, 10)
                        # Again until the call has returned: the first may come before it waits.
                        signal.setitimer(signal.ITIMER_REAL, 0.001 + 0.0004 * i, 0.5)
                        try:
                            fcntl.lockf(waiter, fcntl.LOCK_EX, 5, 3)
                            print('has the lock that another has')
                        except Rang:
                            pass
                        signal.setitimer(signal.ITIMER_REAL, 0)
                        fcntl.lockf(holder, fcntl.LOCK_UN, 10)
                        fcntl.lockf(waiter, fcntl.LOCK_EX | fcntl.LOCK_NB, 10)
                        fcntl.lockf(waiter, fcntl.LOCK_UN, 10)
                print('done')
                """, one.toString(), two.toString())
                .output();
        assertThat(said).isEqualTo("done\n");
    }

    @Test
    void attributesOf64KibAreTheSameOnBothNodes() throws Exception {
        Files.writeString(one.resolve("f"), "content");
        String said = Shell.run(cluster.directory(), "python3", "-c", """
                import errno, os, sys

                one, two = (mount + '/f' for mount in sys.argv[1:])
                value = os.urandom(65536)
                for name in 'user.large', 'trusted.large':
                    os.setxattr(one, name, value)
                    assert os.getxattr(two, name) == value, name
                    changed = value[::-1]
                    os.setxattr(two, name, changed, os.XATTR_REPLACE)
                    assert os.getxattr(one, name) == changed, name
                    try:
                        os.setxattr(two, name, value + b'x')
                        print('an attribute of 65537 bytes')
                    except OSError as refused:
                        assert refused.errno == errno.E2BIG, refused
                    assert os.getxattr(one, name) == changed, name
                assert sorted(os.listxattr(two)) == ['trusted.large', 'user.large'], os.listxattr(two)
                os.removexattr(two, 'user.large')
                assert os.listxattr(one) == ['trusted.large'], os.listxattr(one)
                print('done')
                """, one.toString(), two.toString())
                .output();
        assertThat(said).isEqualTo("done\n");
    }

    /** Both kernels were told that there is no such name, and one comes too late to create it. */
    @Test
    void whoOpensANewNameAtTheSameTimeHasTheFileThatTheOtherCreated() throws Exception {
        CyclicBarrier both = new CyclicBarrier(2);
        try (ExecutorService threads = Executors.newFixedThreadPool(2)) {
            List<Future<?>> writers = new ArrayList<>();
            for (Path mount : List.of(one, two)) {
                writers.add(threads.submit(() -> {
                    try {
                        for (int i = 0; i < 100; i++) {
                            both.await();
                            Files.writeString(mount.resolve("new" + i), "line\n", CREATE, APPEND);
                        }
                    } finally {
                        // Nobody waits for one that failed.
                        both.reset();
                    }
                    return null;
                }));
            }
            for (Future<?> writer : writers) {
                writer.get();
            }
        }
        assertThat(Shell.sh(one, "cat new* | sort | uniq -c").strip()).isEqualTo("200 line");
    }

    @Test
    void aFileRemovedElsewhereIsReadToItsLastCloseAndItsPathIsGone() throws Exception {
        Shell.sh(cluster.directory(), "mkfifo go ready");
        Path go = cluster.directory().resolve("go");
        Path ready = cluster.directory().resolve("ready");
        Shell.sh(one, "mkdir -p top/in && echo bytes > top/in/f");
        CompletableFuture<String> reader = CompletableFuture.supplyAsync(() -> quietly(
                one,
                "exec 3< top/in/f; : > " + ready + "; read x < " + go
                        + "; cat <&3; stat -L -c '%h %s' /dev/fd/3; LC_ALL=C cat top/in/f",
                "reader"));
        Shell.sh(two, "read x < " + ready + " || true; rm -r top/in; echo > " + go);
        assertThat(reader.get()).isEqualTo("bytes\n0 6\ncat: top/in/f: No such file or directory\n");
    }

    @Test
    void timesAreKeptToTheNanosecondThroughNamesAndRestarts() throws Exception {
        Shell.sh(
                one,
                "mkdir d && echo x > d/f && touch -m -d '2001-02-03 04:05:06.123456789 UTC' d/f"
                        + " && touch -a -d '2002-03-04 05:06:07.987654321 UTC' d/f && touch -h d/f && ln -s f d/s"
                        + " && touch -h -d '1969-12-31 23:59:58.000000001 UTC' d/s && echo y > d/g"
                        + " && touch -d '2400-05-10 22:38:55.999999999 UTC' d/g");
        String born = Shell.sh(one, "stat -c %w d/f d/g d d/s");
        Shell.sh(two, "mv d/f d/moved && ln d/moved d/f && mv d e && mv e d");
        assertThat(Shell.sh(two, "stat -c %w d/f d/g d d/s")).isEqualTo(born);
        String times = "stat -c '%n %x %y %z %w' d/f d/moved d/g d/s; stat -c '%y %z %w' d";
        String before = Shell.sh(one, times);
        assertThat(Shell.sh(two, times)).isEqualTo(before);
        cluster.node(1).flush();
        cluster.node(1).stop();
        cluster.node(2).stop();
        cluster.killCoordinator();
        cluster.startCoordinator();
        cluster.node(1).start();
        cluster.node(2).start();
        assertThat(Shell.sh(two, times)).isEqualTo(before);
        assertThat(Shell.sh(one, times)).isEqualTo(before);
    }

    @Test
    void setGroupIdAndStickyDirectoriesHoldAcrossNodes() throws Exception {
        Shell.sh(one, "mkdir g t && chgrp 4242 g && chmod 2775 g && chmod 1777 t");
        Shell.sh(two, "umask 022; touch g/f && mkdir g/d && touch g/d/f && mknod g/p p");
        assertThat(Shell.sh(one, "stat -c '%n %g %a' g/f g/d g/d/f g/p"))
                .isEqualTo("g/f 4242 644\ng/d 4242 2755\ng/d/f 4242 644\ng/p 4242 644\n");
        Shell.sh(one, "setpriv --reuid 1001 --regid 1001 --clear-groups touch t/a");
        String other = "setpriv --reuid 1002 --regid 1002 --clear-groups ";
        assertThat(Shell.run(two, "sh", "-c", other + "rm -f t/a; " + other + "mv t/a t/b; " + other + "touch t/c")
                        .output())
                .contains("cannot remove 't/a': Operation not permitted")
                .contains("cannot move 't/a' to 't/b': Operation not permitted");
        assertThat(Shell.sh(one, "ls t; setpriv --reuid 1001 --regid 1001 --clear-groups rm t/a; ls t"))
                .isEqualTo("a\nc\nc\n");
    }

    @Test
    void aPathMayBeAsLongAsTheKernelTakesIt() throws Exception {
        String deep = "d=" + "x".repeat(240) + "; for i in $(seq 16); do mkdir $d && cd $d || exit 1; done; ";
        Shell.sh(one, deep + "echo deep > f");
        String length = "cd /; p=" + two + "; for i in $(seq 16); do p=$p/" + "x".repeat(240) + "; done; ";
        assertThat(Shell.sh(two, length + "cat $p/f && echo ${#p} | awk '{ print ($1 > 3850) }'"))
                .isEqualTo("deep\n1\n");
        cluster.node(1).flush();
        assertThat(Shell.sh(
                        two,
                        "p=.; for i in $(seq 16); do p=$p/" + "x".repeat(240) + "; done; mv $p/f $p/" + "y".repeat(200)
                                + " && cat $p/y*"))
                .isEqualTo("deep\n");
        assertThat(Shell.run(two, "sh", "-c", length + "cat $p/" + "y".repeat(250))
                        .output())
                .contains("File name too long");
    }

    @Test
    void aQuotaIsMetExactlyByProgramsOnBothNodes() throws Exception {
        Shell.sh(one, "mkdir t");
        cluster.fusecache("quota", "set", one.resolve("t").toString(), "--bytes", "64KiB", "--inodes", "40");
        String fill = "for i in $(seq 60); do : > t/$0.$i || exit 0; done 2> /dev/null";
        CompletableFuture<String> other = CompletableFuture.supplyAsync(() -> quietly(two, fill, "two"));
        quietly(one, fill, "one");
        other.get();
        assertThat(Shell.sh(one, "ls t | wc -l").strip()).isEqualTo("40");
        assertThat(Shell.run(two, "ln", "t/" + Shell.sh(two, "ls t | head -1").strip(), "t/link")
                        .output())
                .isEmpty();
        Shell.sh(two, "rm t/*");
        String bytes =
                "for i in $(seq 20); do dd if=/dev/zero of=t/$0.$i bs=4k count=1 status=none || { rm t/$0.$i; exit 0; }; done"
                        + " 2> /dev/null";
        CompletableFuture<String> second = CompletableFuture.supplyAsync(() -> quietly(two, bytes, "two"));
        quietly(one, bytes, "one");
        second.get();
        assertThat(cluster.fusecache("quota", "show")).startsWith("/t: 64 KiB of 64 KiB, 16 of 40 inodes");
        String file = Shell.sh(one, "ls t | head -1").strip();
        assertThat(Shell.run(two, "sh", "-c", "echo more >> t/" + file + "; head -c 5000 /dev/zero >> t/" + file)
                        .output())
                .contains("Disk quota exceeded");
        Shell.sh(two, "truncate -s 0 t/" + file + " && head -c 4096 /dev/zero > t/" + file);
        Shell.sh(one, "mv t/" + file + " out && head -c 4096 /dev/zero > t/again");
        assertThat(Shell.run(two, "mv", "out", "t/back").output()).contains("Disk quota exceeded");
    }

    private static String quietly(Path mount, String script, String name) {
        try {
            return Shell.run(mount, "bash", "-c", script, name).output();
        } catch (Exception failed) {
            throw new IllegalStateException(failed);
        }
    }
}
