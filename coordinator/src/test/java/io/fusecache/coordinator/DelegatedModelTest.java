package io.fusecache.coordinator;

import static io.fusecache.coordinator.SessionsTest.name;
import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.delegation.DelegationRecalls;
import io.fusecache.metadata.delegation.Delegations;
import io.fusecache.testkit.RandomRun;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A node that works alone answers what the coordinator would: random operations on two volumes, one with delegations and one without,
 * come to the same; and what it answered is, to the last attribute, what the coordinator has in the end.
 */
final class DelegatedModelTest {
    private static final int STEPS = 400;

    @TempDir
    Path folder;

    private int run;

    /** The same tree twice: index i of both lists is the same inode. */
    private static final class Pair {
        final Metadata alone;
        final Metadata oracle;
        final List<Long> here = new ArrayList<>(List.of(Inode.ROOT));
        final List<Long> there = new ArrayList<>(List.of(Inode.ROOT));

        Pair(Metadata alone, Metadata oracle) {
            this.alone = alone;
            this.oracle = oracle;
        }

        private interface Step {
            @org.jspecify.annotations.Nullable Inode on(Metadata node, List<Long> numbers) throws ErrnoException;
        }

        /** Null where it failed, in the same way on both; what they answer is the same inode from then on. */
        @org.jspecify.annotations.Nullable Inode both(String what, Step step) throws ErrnoException {
            Object expected = outcome(step, oracle, there);
            Object found = outcome(step, alone, here);
            if (!(expected instanceof Inode there1) || !(found instanceof Inode here1)) {
                assertThat(found).as(what).isEqualTo(expected);
                return null;
            }
            assertThat(shown(here1)).as(what).isEqualTo(shown(there1));
            int index = there.indexOf(there1.ino());
            assertThat(here.indexOf(here1.ino())).as(what).isEqualTo(index);
            if (index < 0) {
                there.add(there1.ino());
                here.add(here1.ino());
            }
            return here1;
        }

        private static Object outcome(Step step, Metadata node, List<Long> numbers) {
            try {
                Inode inode = step.on(node, numbers);
                return inode == null ? "nothing" : inode;
            } catch (ErrnoException e) {
                return e.errno();
            }
        }

        /** All that does not differ by when and where it was made; whose a directory is shows on one of the two only. */
        private static List<Object> shown(Inode inode) {
            return List.of(
                    inode.type(),
                    inode.permissions(),
                    inode.uid(),
                    inode.gid(),
                    inode.links(),
                    inode.size(),
                    inode.usedBytes(),
                    inode.version(),
                    inode.directory() || inode.writer() != null,
                    inode.extended(),
                    inode.kept());
        }
    }

    @Test
    void aNodeAloneAnswersWhatTheCoordinatorWould() {
        RandomRun.of(25, this::compare);
    }

    private void compare(RandomGenerator random) throws Exception {
        Path own = folder.resolve(String.valueOf(run++));
        DelegationRecalls recalls = new DelegationRecalls(new Recorder());
        try (Coordinator first = Coordinator.open(own.resolve("first"), SessionLimits.DEFAULT);
                Coordinator second = Coordinator.open(own.resolve("second"), SessionLimits.DEFAULT);
                Metadata onlooker = first.connect(new NodeId("onlooker"), new Recorder());
                Metadata oracle = second.connect(new NodeId("a"), new Recorder());
                CoordinatorClient session = CoordinatorClient.builder(new NodeAddress(new NodeId("a"), "", ""), recalls)
                        .connect(first.transport());
                Delegations alone = Delegations.open(
                        session,
                        recalls,
                        new Delegations.Options(
                                own.resolve("changes"),
                                own.resolve("aside"),
                                true,
                                Duration.ofSeconds(10),
                                InstantSource.system()))) {
            Pair pair = new Pair(alone, oracle);
            for (int i = 0; i < STEPS; i++) {
                step(pair, random);
                if (random.nextInt(40) == 0) {
                    assertThat(onlooker.list(Inode.ROOT, 0, 10)).isNotNull();
                }
                if (random.nextInt(100) == 0) {
                    asTheCoordinatorHasIt(alone, session, pair.here);
                }
            }
            asTheCoordinatorHasIt(alone, session, pair.here);
            assertThat(alone.setAside()).isZero();
            sameTree(onlooker, alone, pair, 0);
        }
    }

    private static void asTheCoordinatorHasIt(Delegations alone, Metadata session, List<Long> numbers)
            throws Exception {
        alone.settle();
        for (long ino : numbers) {
            Inode here = alone.cachedInode(ino);
            if (here != null && session.exists(ino)) {
                // That nobody works alone in a directory any more is told to nobody.
                assertThat(here)
                        .usingRecursiveComparison()
                        .ignoringFields(here.directory() ? new String[] {"writer"} : new String[0])
                        .isEqualTo(session.inode(ino));
                if (here.regular()) {
                    assertThat(alone.content(ino)).isEqualTo(session.content(ino));
                }
            }
        }
    }

    private static void sameTree(Metadata onlooker, Metadata alone, Pair pair, int index) throws Exception {
        List<DirectoryEntry> entries = onlooker.list(pair.here.get(index), 0, 1000);
        List<DirectoryEntry> expected = pair.oracle.list(pair.there.get(index), 0, 1000);
        assertThat(entries.stream().map(DirectoryEntry::name))
                .isEqualTo(expected.stream().map(DirectoryEntry::name).toList());
        for (int i = 0; i < entries.size(); i++) {
            int child = pair.there.indexOf(expected.get(i).inode().ino());
            assertThat(entries.get(i).inode().ino()).isEqualTo(pair.here.get(child));
            assertThat(entries.get(i).cookie()).isEqualTo(expected.get(i).cookie());
            if (entries.get(i).inode().directory()) {
                sameTree(onlooker, alone, pair, child);
            }
        }
    }

    private static void step(Pair pair, RandomGenerator random) throws ErrnoException {
        int parent = random.nextInt(Math.min(pair.here.size(), 1 + random.nextInt(pair.here.size())));
        int other = random.nextInt(4) == 0 ? random.nextInt(pair.here.size()) : parent;
        FileName name = name("n" + random.nextInt(5));
        FileName second = name("n" + random.nextInt(5));
        switch (random.nextInt(16)) {
            case 0, 1, 2 -> {
                NewInode made = made(random, FileType.REGULAR);
                pair.both("create", (node, numbers) -> node.create(numbers.get(parent), name, made));
            }
            case 3, 4 -> {
                NewInode made = made(random, FileType.DIRECTORY);
                pair.both("mkdir", (node, numbers) -> node.create(numbers.get(parent), name, made));
            }
            case 5 -> {
                NewInode made = made(random, FileType.SYMLINK);
                pair.both("symlink", (node, numbers) -> node.create(numbers.get(parent), name, made));
            }
            case 6 -> pair.both("unlink", (node, numbers) -> node.unlink(numbers.get(parent), name));
            case 7 -> pair.both("rmdir", (node, numbers) -> node.rmdir(numbers.get(parent), name));
            case 8, 9 -> {
                // NOREPLACE or EXCHANGE: both together the kernel refuses itself.
                int flags = random.nextInt(4) == 0 ? random.nextInt(3) : 0;
                pair.both("rename " + flags, (node, numbers) -> {
                    Optional<Inode> gone = node.rename(numbers.get(parent), name, numbers.get(other), second, flags);
                    return gone.orElse(null);
                });
            }
            case 10 -> {
                AttributeChange change = new AttributeChange(
                        random.nextBoolean() ? random.nextInt(010000) : null,
                        random.nextBoolean() ? random.nextInt(5) : null,
                        random.nextBoolean() ? random.nextInt(5) : null,
                        random.nextBoolean() ? new Timestamp(random.nextInt(1000), 0) : null,
                        random.nextBoolean() ? new Timestamp(random.nextInt(1000), 0) : null,
                        random.nextBoolean());
                pair.both("setattr", (node, numbers) -> node.setAttributes(numbers.get(parent), change));
            }
            case 11, 12 -> commit(pair, random, parent);
            case 13 -> pair.both("lookup", (node, numbers) -> node.lookup(numbers.get(parent), name));
            case 14 -> pair.both("link", (node, numbers) -> node.link(numbers.get(other), numbers.get(parent), name));
            default ->
                pair.both("release", (node, numbers) -> {
                    Inode inode = node.inode(numbers.get(parent));
                    if (inode.links() == 0) {
                        assertThat(node.releaseUnlinked(Set.of(inode.ino()))).isNotNull();
                        assertThat(node.exists(inode.ino())).isFalse();
                    }
                    return inode;
                });
        }
    }

    private static void commit(Pair pair, RandomGenerator random, int file) throws ErrnoException {
        int size = random.nextInt(5000);
        boolean sealed = random.nextBoolean();
        boolean done = random.nextBoolean();
        pair.both("commit", (node, numbers) -> {
            long ino = numbers.get(file);
            node.beginWrite(ino, Duration.ZERO);
            FileVersion base = node.content(ino);
            int[] checksums = size == 0 ? new int[0] : new int[] {size};
            FileVersion next =
                    new FileVersion(ino, base.version() + 1, size, base.blockBytes(), sealed ? checksums : null, null);
            node.commit(next, new Timestamp(size, 1), new Timestamp(size, 2), size);
            if (done) {
                node.endWrite(ino);
                // Nobody waits for that, but what is asked comes behind it.
                assertThat(node.exists(ino)).isTrue();
            }
            if (!sealed) {
                assertThat(node.seal(ino, next.version(), checksums)).isTrue();
            }
            return node.inode(ino);
        });
    }

    private static NewInode made(RandomGenerator random, FileType type) {
        return new NewInode(
                type,
                random.nextInt(010000),
                random.nextInt(3),
                random.nextInt(3),
                0,
                type == FileType.SYMLINK ? new byte[] {'x'} : null,
                type == FileType.REGULAR && random.nextBoolean(),
                random.nextInt(0100));
    }
}
