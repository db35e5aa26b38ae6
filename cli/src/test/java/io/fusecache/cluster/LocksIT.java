package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Programs of two nodes that lock the same file. */
@Timeout(120)
final class LocksIT {
    /** What every script begins with: {@code a} and {@code b} are the file on either node. */
    private static final String BEGIN = """
            import errno, fcntl, os, signal, struct, sys, time, traceback
            a, b = sys.argv[1:3]
            open(b).close()  # there before anybody writes

            def failed(*why):
                traceback.print_exception(*why)
                sys.stderr.flush()
                os.killpg(0, signal.SIGKILL)

            sys.excepthook = failed
            OFD_GETLK, OFD_SETLK, OFD_SETLKW = 36, 37, 38

            def flock(kind, start, length):
                return struct.pack('hhqqi4x', kind, 0, start, length, 0)

            def refused(call, *args):
                try:
                    call(*args)
                except OSError as e:
                    return errno.errorcode[e.errno]
                return None

            def child(work):
                pid = os.fork()
                if pid == 0:
                    try:
                        work()
                    except BaseException as e:
                        print(repr(e), flush=True)
                        os._exit(1)
                    os._exit(0)
                return pid

            def ended(pid):
                assert os.waitpid(pid, 0)[1] == 0

            """;

    private static final long LONGER_THAN_A_LEASE = 40;

    private static Cluster cluster;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        cluster = Cluster.start(2);
        Files.writeString(file(1), "x".repeat(1000));
    }

    @AfterAll
    static void stop() throws IOException, InterruptedException {
        cluster.close();
    }

    private static Path file(int node) {
        return cluster.node(node).mount().resolve("locked");
    }

    private static String python(String script) throws IOException, InterruptedException {
        return Shell.run(
                        cluster.directory(),
                        "timeout",
                        "-s",
                        "KILL",
                        "60",
                        "python3",
                        "-c",
                        BEGIN + script,
                        file(1).toString(),
                        file(2).toString())
                .orFail();
    }

    /** A program that says "locked" when it has the lock, and keeps it. */
    private static Process holder(int node, String take) throws IOException {
        Process process = new ProcessBuilder(
                        "python3",
                        "-c",
                        "import fcntl, sys, time\nf = open(sys.argv[1])\n" + take
                                + "\nprint('locked', flush=True)\ntime.sleep(600)",
                        file(node).toString())
                .redirectErrorStream(true)
                .start();
        assertThat(process.inputReader().readLine()).isEqualTo("locked");
        return process;
    }

    private static void freeForNode1Within(long seconds) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(seconds))
                .pollInterval(Duration.ofMillis(50))
                .until(() -> Shell.run(Path.of("/"), "flock", "-n", file(1).toString(), "true")
                                .status()
                        == 0);
    }

    @Test
    void theCallsDoOnTwoNodesWhatTheyDoOnOneDisk() throws Exception {
        python("""
                fa, fb = open(a), open(b)
                # flock: exclusive, shared, converted, and apart from fcntl
                fcntl.flock(fa, fcntl.LOCK_EX)
                assert refused(fcntl.flock, fb, fcntl.LOCK_SH | fcntl.LOCK_NB) == 'EAGAIN'
                fcntl.lockf(fb, fcntl.LOCK_SH | fcntl.LOCK_NB)
                fcntl.lockf(fb, fcntl.LOCK_UN)
                fcntl.flock(fa, fcntl.LOCK_SH)
                fcntl.flock(fb, fcntl.LOCK_SH | fcntl.LOCK_NB)
                assert refused(fcntl.flock, fa, fcntl.LOCK_EX | fcntl.LOCK_NB) == 'EAGAIN'
                fcntl.flock(fb, fcntl.LOCK_EX | fcntl.LOCK_NB)  # its failed conversion cost a its lock
                fb.close()
                ended(child(lambda: fcntl.flock(fa, fcntl.LOCK_EX)))
                # a lock of a description is shared with who inherits it, and goes with its last close
                pid = child(lambda: time.sleep(0.3))
                fa.close()
                with open(b) as fb:
                    assert refused(fcntl.flock, fb, fcntl.LOCK_EX | fcntl.LOCK_NB) == 'EAGAIN'
                    fcntl.flock(fb, fcntl.LOCK_EX)
                ended(pid)

                # fcntl: ranges are split, and every close by the process drops them all
                fa, fb = open(a, 'r+'), open(b)
                fcntl.lockf(fa, fcntl.LOCK_EX, 100, 0)
                fcntl.lockf(fa, fcntl.LOCK_UN, 10, 50)
                fcntl.lockf(fb, fcntl.LOCK_SH | fcntl.LOCK_NB, 10, 50)
                assert refused(fcntl.lockf, fb, fcntl.LOCK_SH | fcntl.LOCK_NB, 11, 50) == 'EAGAIN'
                open(a).close()
                fcntl.lockf(fb, fcntl.LOCK_SH | fcntl.LOCK_NB, 100, 0)
                fcntl.lockf(fb, fcntl.LOCK_UN)
                fcntl.lockf(fa, fcntl.LOCK_EX, 100, 0)

                # F_GETLK: type, range, and the process where it is of this node
                def look():
                    with open(a) as other, open(b) as remote:
                        for f, pid in (other, os.getppid()), (remote, 0):
                            kind, _, start, length, found = struct.unpack(
                                'hhqqi4x', fcntl.fcntl(f, fcntl.F_GETLK, flock(fcntl.F_RDLCK, 99, 0)))
                            assert (kind, start, length, found) == (fcntl.F_WRLCK, 0, 100, pid), (kind, start, length, found)
                            kind, = struct.unpack_from('h', fcntl.fcntl(f, fcntl.F_GETLK, flock(fcntl.F_RDLCK, 100, 0)))
                            assert kind == fcntl.F_UNLCK
                ended(child(look))
                fa.close()

                # descriptions own F_OFD_SETLK: two of one process exclude each other, closing another drops nothing
                one, two = open(a, 'r+'), open(a, 'r+')
                fcntl.fcntl(one, OFD_SETLK, flock(fcntl.F_WRLCK, 0, 10))
                assert refused(fcntl.fcntl, two, OFD_SETLK, flock(fcntl.F_WRLCK, 5, 10)) == 'EAGAIN'
                two.close()
                assert refused(fcntl.fcntl, fb, OFD_SETLK, flock(fcntl.F_RDLCK, 5, 10)) == 'EAGAIN'
                one.close()
                fcntl.fcntl(fb, OFD_SETLKW, flock(fcntl.F_RDLCK, 5, 10))
                """);
    }

    @Test
    void aCircleOfProcessesOnTwoNodesIsADeadlock() throws Exception {
        assertThat(python("""
                r, w = os.pipe()
                begin, go = os.pipe()
                def other():
                    with open(b + '2', 'r+') as f, open(b) as waited_for:
                        fcntl.lockf(f, fcntl.LOCK_EX)
                        os.write(w, b'x')
                        os.read(begin, 1)
                        fcntl.lockf(waited_for, fcntl.LOCK_SH)  # granted when the parent gives up
                open(a + '2', 'w').close()
                pid = child(other)
                os.read(r, 1)
                with open(a, 'r+') as f, open(a + '2') as waited_for:
                    fcntl.lockf(f, fcntl.LOCK_EX)
                    os.write(go, b'x')
                    time.sleep(0.5)
                    print(refused(fcntl.lockf, waited_for, fcntl.LOCK_SH))
                ended(pid)
                """)).startsWith("EDEADL");
    }

    @Test
    void whoWaitsIsInterruptedByASignalAndLeavesNoGhost() throws Exception {
        python("""
                class Rang(Exception):
                    pass

                def ring(*args):
                    raise Rang()

                signal.signal(signal.SIGALRM, ring)
                kinds = fcntl.F_WRLCK, fcntl.F_RDLCK
                fa, fb = open(a, 'r+'), open(b)
                for take, give in (
                        (lambda f: fcntl.flock(f, fcntl.LOCK_EX), lambda f: fcntl.flock(f, fcntl.LOCK_UN)),
                        (lambda f: fcntl.fcntl(f, OFD_SETLKW, flock(kinds[f is not fa], 0, 9)),
                         lambda f: fcntl.fcntl(f, OFD_SETLK, flock(fcntl.F_UNLCK, 0, 0)))):
                    take(fa)
                    signal.setitimer(signal.ITIMER_REAL, 0.2)
                    try:
                        take(fb)
                        assert False, 'it has the lock'
                    except Rang:
                        pass
                    waiting = [child(lambda: take(fb)) for _ in range(5)]
                    time.sleep(0.3)
                    for pid in waiting:
                        os.kill(pid, signal.SIGKILL)
                        os.waitpid(pid, 0)
                    give(fa)
                    with open(b) as again:
                        take(again)
                """);
    }

    @Test
    void hundredsWaitAtOnce() throws Exception {
        python("""
                with open(a, 'r+') as f:
                    fcntl.flock(f, fcntl.LOCK_EX)
                    def take(path):
                        f.close()
                        with open(path) as mine:
                            fcntl.flock(mine, fcntl.LOCK_EX)
                    waiting = [child(lambda: take((a, b)[i % 2])) for i in range(300)]
                    time.sleep(1)
                for pid in waiting:
                    ended(pid)
                """);
    }

    @Test
    void aKilledProcessHasNoLocks() throws Exception {
        Process holder = holder(2, "fcntl.flock(f, fcntl.LOCK_EX)\nfcntl.lockf(f, fcntl.LOCK_SH)");
        assertThat(Shell.run(Path.of("/"), "flock", "-n", file(1).toString(), "true")
                        .status())
                .isEqualTo(1);
        holder.destroyForcibly().waitFor();
        freeForNode1Within(5);
        python("fcntl.lockf(open(a, 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB)");
    }

    @Test
    void aKilledDaemonHasNoLocksAfterALease() throws Exception {
        Process holder = holder(2, "fcntl.flock(f, fcntl.LOCK_EX)");
        cluster.node(2).kill();
        freeForNode1Within(LONGER_THAN_A_LEASE);
        holder.destroyForcibly().waitFor();
        cluster.node(2).start();
    }

    @Test
    void aDaemonThatIsBackHasNoLocksAtOnce() throws Exception {
        Process holder = holder(2, "fcntl.flock(f, fcntl.LOCK_EX)");
        cluster.node(2).kill();
        cluster.node(2).start();
        freeForNode1Within(1);
        holder.destroyForcibly().waitFor();
    }

    @Test
    void aLockOutlivesTheCoordinator() throws Exception {
        Process holder = holder(2, "fcntl.flock(f, fcntl.LOCK_EX)");
        Process waiter = new ProcessBuilder("flock", file(1).toString(), "true").start();
        cluster.killCoordinator();
        cluster.startCoordinator();
        assertThat(Shell.run(Path.of("/"), "flock", "-n", file(1).toString(), "true")
                        .status())
                .isEqualTo(1);
        assertThat(waiter.isAlive()).isTrue();
        holder.destroyForcibly().waitFor();
        assertThat(waiter.waitFor(LONGER_THAN_A_LEASE, TimeUnit.SECONDS)).isTrue();
        assertThat(waiter.exitValue()).isZero();
    }
}
