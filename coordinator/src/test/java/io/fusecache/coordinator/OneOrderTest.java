package io.fusecache.coordinator;

import static io.fusecache.coordinator.SessionsTest.file;
import static io.fusecache.coordinator.SessionsTest.name;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.SessionTransport;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import io.fusecache.testkit.Linearizability;
import io.fusecache.testkit.Linearizability.Model;
import io.fusecache.testkit.Linearizability.Step;
import io.fusecache.testkit.RandomRun;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Five nodes create, remove, look up, change and read the same few files through their caches, while their streams break at random,
 * with whatever is under way on them lost, and recalls are answered late: all answers must fit one order. One program per node: of two, one may see the other's change
 * before that has returned.
 */
final class OneOrderTest {
    private static final int SEEDS = 60;
    private static final int NODES = 5;
    private static final int CALLS = 24;
    private static final int NAMES = 2;
    private static final Duration LONG = Duration.ofMinutes(2);

    /** One message in so many is lost, and its stream with it. */
    private static final int TEAR_ONE_IN = 25;

    /** One request in so many is the last of its stream, so that its answer finds the next one. */
    private static final int TEAR_BEHIND_ONE_IN = 6;

    /** How long a node lets a recall wait, during which what it asks for itself overtakes. */
    private static final int LONGEST_HOLD_NANOS = 2_000_000;

    private static final int LONGEST_DELAY_NANOS = 5_000_000;

    /** Reads of what is cached in a row, so that some come while the stream is away. */
    private static final int READS = 8;

    private static final int PAUSE_NANOS = 300_000;

    /** A call with its answer; {@code ino} is 0 where it was that there is such a name already, or none. */
    private sealed interface Call {
        record Create(long ino) implements Call {}

        record Unlink(long ino) implements Call {}

        record Lookup(long ino) implements Call {}

        record Change(long ino, int permissions) implements Call {}

        record Read(long ino, int permissions, int links) implements Call {}
    }

    private record Attributes(int permissions, int links) {}

    /** One name, and all inodes that ever had it: those that were removed are held, and so can be changed and read still. */
    private record Name(long ino, Map<Long, Attributes> inodes) {
        private Name with(long current, long changed, Attributes attributes) {
            Map<Long, Attributes> after = new HashMap<>(inodes);
            after.put(changed, attributes);
            return new Name(current, Map.copyOf(after));
        }
    }

    private static final Model<Name, Call> NAME = new Model<>() {
        @Override
        public Name initial() {
            return new Name(0, Map.of());
        }

        @Override
        public @Nullable Name after(Name name, Call call) {
            return switch (call) {
                case Call.Create(long ino) when ino == 0 -> name.ino() == 0 ? null : name;
                case Call.Create(long ino) ->
                    name.ino() != 0 || name.inodes().containsKey(ino)
                            ? null
                            : name.with(ino, ino, new Attributes(0644, 1));
                case Call.Unlink(long ino) when ino != name.ino() -> null;
                case Call.Unlink(long ino) when ino == 0 -> name;
                case Call.Unlink(long ino) -> {
                    Attributes before = name.inodes().get(ino);
                    yield before == null ? null : name.with(0, ino, new Attributes(before.permissions(), 0));
                }
                case Call.Lookup(long ino) -> ino == name.ino() ? name : null;
                case Call.Change(long ino, int permissions) -> {
                    Attributes before = name.inodes().get(ino);
                    yield before == null
                            ? null
                            : name.with(name.ino(), ino, new Attributes(permissions, before.links()));
                }
                case Call.Read(long ino, int permissions, int links) ->
                    new Attributes(permissions, links).equals(name.inodes().get(ino)) ? name : null;
            };
        }
    };

    @TempDir
    Path folder = Path.of("/");

    @Test
    void allAnswersFitOneOrderHoweverOftenStreamsBreak() throws Exception {
        List<Torn> ways = new ArrayList<>();
        List<Metadata> nodes = new ArrayList<>();
        try (Coordinator coordinator = Coordinator.open(folder, SessionLimits.DEFAULT.withLease(LONG));
                ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            for (int i = 0; i < NODES; i++) {
                Torn way = new Torn(coordinator.transport());
                ways.add(way);
                nodes.add(CoordinatorClient.builder(
                                new NodeAddress(new NodeId("n" + i), "", ""), new Recorder(LONGEST_HOLD_NANOS))
                        .bound(LONG)
                        .connect(way));
            }
            RandomRun.ofFirstSeeds(SEEDS, seed -> run(seed, nodes, ways, threads));
            assertThat(ways).allSatisfy(way -> assertThat(way.torn).hasValueGreaterThan(SEEDS / 2));
            nodes.forEach(Metadata::close);
        }
    }

    private static void run(long seed, List<Metadata> nodes, List<Torn> ways, ExecutorService threads)
            throws Exception {
        CyclicBarrier together = new CyclicBarrier(nodes.size());
        List<Future<List<List<Step<Call>>>>> programs = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            int node = i;
            ways.get(node).tearWith(new Random(seed * NODES + node));
            programs.add(threads.submit(() -> {
                together.await();
                return program(seed, node, nodes.get(node), ways.get(node));
            }));
        }
        List<List<Step<Call>>> histories = new ArrayList<>();
        for (int i = 0; i < NAMES; i++) {
            histories.add(new ArrayList<>());
        }
        for (Future<List<List<Step<Call>>>> program : programs) {
            List<List<Step<Call>>> steps = program.get(5, TimeUnit.MINUTES);
            for (int i = 0; i < NAMES; i++) {
                histories.get(i).addAll(steps.get(i));
            }
        }
        ways.forEach(way -> way.tearWith(null));
        for (List<Step<Call>> history : histories) {
            Optional<String> wrong = Linearizability.unexplained(NAME, history, 1_000_000);
            assertThat(wrong).as(() -> wrong.orElse("")).isEmpty();
        }
    }

    /** What one node does, and hears, by name. */
    private static List<List<Step<Call>>> program(long seed, int node, Metadata metadata, Torn way)
            throws ErrnoException {
        Random random = new Random(seed * 31 + node);
        List<List<Step<Call>>> steps = new ArrayList<>();
        long[] known = new long[NAMES];
        for (int i = 0; i < NAMES; i++) {
            steps.add(new ArrayList<>());
        }
        for (int i = 0; i < CALLS; i++) {
            int which = random.nextInt(NAMES);
            int kind = known[which] == 0 ? random.nextInt(6) : random.nextInt(16);
            int permissions = random.nextInt(01000);
            boolean reads = (kind >= 3 && kind < 8) || kind >= 10;
            if (reads && random.nextInt(3) == 0) {
                way.tear();
            }
            for (int again = reads ? READS : 1; again > 0; again--) {
                long begun = System.nanoTime();
                Call call = call(metadata, "s" + seed + "." + which, known[which], kind, permissions);
                steps.get(which).add(new Step<>(node, begun, System.nanoTime(), call));
                known[which] = switch (call) {
                    case Call.Create(long ino) when ino != 0 -> ino;
                    case Call.Lookup(long ino) when ino != 0 -> ino;
                    default -> known[which];
                };
                LockSupport.parkNanos(random.nextInt(PAUSE_NANOS));
            }
        }
        return steps;
    }

    private static Call call(Metadata metadata, String text, long known, int kind, int permissions)
            throws ErrnoException {
        return switch (kind) {
            case 0, 1 ->
                new Call.Create(inoOr0(Errno.EEXIST, () -> metadata.create(Inode.ROOT, name(text), file(false))));
            case 2 -> new Call.Unlink(inoOr0(Errno.ENOENT, () -> metadata.unlink(Inode.ROOT, name(text))));
            case 3, 4, 5, 6, 7 -> new Call.Lookup(inoOr0(Errno.ENOENT, () -> metadata.lookup(Inode.ROOT, name(text))));
            case 8, 9 -> {
                AttributeChange change = new AttributeChange(permissions, null, null, null, null, false);
                yield new Call.Change(metadata.setAttributes(known, change).ino(), permissions);
            }
            default -> {
                Inode inode = metadata.inode(known);
                yield new Call.Read(known, inode.permissions(), inode.links());
            }
        };
    }

    private interface Asked {
        Inode ask() throws ErrnoException;
    }

    private static long inoOr0(Errno none, Asked asked) throws ErrnoException {
        try {
            return asked.ask().ino();
        } catch (ErrnoException e) {
            if (e.errno() != none) {
                throw e;
            }
            return 0;
        }
    }

    /** A way to the coordinator that loses a message now and then, and the stream with it; a welcome takes a while on it. */
    private static final class Torn implements SessionTransport {
        private final SessionTransport way;
        private volatile @Nullable Random random;
        private volatile @Nullable End end;
        final AtomicInteger torn = new AtomicInteger();

        Torn(SessionTransport way) {
            this.way = way;
        }

        void tearWith(@Nullable Random chance) {
            random = chance;
        }

        /** Now, whatever is under way. */
        void tear() {
            End last = end;
            if (last != null) {
                last.cut();
            }
        }

        private boolean tears() {
            Random chance = random;
            return chance != null && chance.nextInt(TEAR_ONE_IN) == 0;
        }

        @Override
        public Stream open(Hello hello, Receiver receiver) throws IOException {
            End mine = new End(receiver);
            Stream opened = way.open(hello, mine);
            end = mine;
            Random chance = random;
            if (chance != null) {
                LockSupport.parkNanos(chance.nextInt(LONGEST_DELAY_NANOS));
            }
            return new Stream() {
                @Override
                public Welcome welcome() {
                    return opened.welcome();
                }

                @Override
                public void send(Upstream message) {
                    Random now = random;
                    if (now != null && message instanceof Upstream.Request request && request.resent()) {
                        LockSupport.parkNanos(now.nextInt(LONGEST_DELAY_NANOS));
                    }
                    if (!mine.loses()) {
                        opened.send(message);
                    }
                    if (now != null && message instanceof Upstream.Request && now.nextInt(TEAR_BEHIND_ONE_IN) == 0) {
                        mine.cut();
                    }
                }

                @Override
                public void close() {
                    opened.close();
                }
            };
        }

        @Override
        public void close() {
            way.close();
        }

        private final class End implements Receiver {
            private final Receiver receiver;
            private final AtomicBoolean cut = new AtomicBoolean();
            private final AtomicBoolean broken = new AtomicBoolean();

            End(Receiver receiver) {
                this.receiver = receiver;
            }

            /** Whether what comes now is lost. */
            boolean loses() {
                if (!broken.get() && tears()) {
                    cut();
                }
                return cut.get() || broken.get();
            }

            void cut() {
                if (cut.compareAndSet(false, true)) {
                    // On a thread of its own: whoever brings a message may be needed for the client to take the stream
                    // over.
                    Thread.startVirtualThread(() -> broken("torn"));
                }
            }

            @Override
            public void received(Downstream message) {
                if (!loses()) {
                    receiver.received(message);
                }
            }

            @Override
            public void broken(String reason) {
                if (broken.compareAndSet(false, true)) {
                    torn.incrementAndGet();
                    receiver.broken(reason);
                }
            }
        }
    }
}
