package io.fusecache.coordinator.namespace;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.state.QuotaRecord;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.session.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What counts against the quota of a directory's tree, and when it stops growing. */
final class QuotasTest {
    private final Machine machine = new Machine();
    private Inode tree;

    @BeforeEach
    void begin() {
        tree = machine.create(Inode.ROOT, "tree", FileType.DIRECTORY);
    }

    @AfterEach
    void check() {
        machine.checkInvariants();
    }

    private void limit(Inode directory, long bytes, long inodes) {
        assertThat(machine.change((context, view) -> Quotas.limit(directory.ino(), bytes, inodes, context, view)))
                .isNull();
    }

    private QuotaRecord quota() {
        return Quotas.all(machine).getFirst().quota();
    }

    private void takes(long bytes, long inodes) {
        assertThat(quota().usedBytes()).isEqualTo(bytes);
        assertThat(quota().usedInodes()).isEqualTo(inodes);
    }

    private @Nullable Errno make(Inode parent, String name, FileType type) {
        NewInode wanted = new NewInode(type, 0755, 1, 2, 0, null, false);
        return machine.errno(new Operation.Create(parent.ino(), Machine.name(name), wanted));
    }

    private @Nullable Errno write(Inode file, long bytes) {
        machine.run(new Operation.BeginWrite(file.ino(), Duration.ZERO));
        long version = machine.inode(new Operation.ReadInode(file.ino())).version();
        FileVersion next = new FileVersion(
                file.ino(), version + 1, bytes, FileVersion.DEFAULT_BLOCK_BYTES, bytes == 0 ? new int[0] : null, null);
        Errno errno = machine.errno(new Operation.Commit(next, machine.now(), Timestamp.EPOCH, bytes));
        machine.run(new Operation.EndWrite(file.ino()));
        return errno;
    }

    private @Nullable Errno rename(Inode parent, String name, Inode newParent, String newName) {
        return machine.errno(
                new Operation.Rename(parent.ino(), Machine.name(name), newParent.ino(), Machine.name(newName), 0));
    }

    private void unlink(Inode parent, String name) {
        Inode gone = machine.inode(new Operation.Unlink(parent.ino(), Machine.name(name)));
        machine.run(new Operation.ReleaseUnlinked(Set.of(gone.ino())));
    }

    private Inode root() {
        return machine.inode(new Operation.ReadInode(Inode.ROOT));
    }

    @Test
    void inodesStopAtTheLimit() {
        limit(tree, 0, 2);
        assertThat(make(tree, "a", FileType.REGULAR)).isNull();
        assertThat(make(tree, "d", FileType.DIRECTORY)).isNull();
        assertThat(make(tree, "b", FileType.FIFO)).isEqualTo(Errno.EDQUOT);
        takes(0, 2);
        unlink(tree, "a");
        takes(0, 1);
        assertThat(make(tree, "b", FileType.FIFO)).isNull();
    }

    @Test
    void bytesStopAtTheLimitAndShrinkingNeverFails() {
        Inode file = machine.create(tree.ino(), "f", FileType.REGULAR);
        assertThat(write(file, 500)).isNull();
        limit(tree, 1000, 0);
        takes(500, 1);
        assertThat(write(file, 1000)).isNull();
        assertThat(write(file, 1001)).isEqualTo(Errno.EDQUOT);
        takes(1000, 1);
        limit(tree, 100, 0);
        assertThat(write(file, 900)).isNull();
        assertThat(write(file, 901)).isEqualTo(Errno.EDQUOT);
        takes(900, 1);
    }

    @Test
    void whatMovesInAndOutIsCounted() {
        limit(tree, 1000, 10);
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        Inode file = machine.create(d.ino(), "f", FileType.REGULAR);
        assertThat(write(file, 600)).isNull();
        takes(0, 0);
        assertThat(rename(root(), "d", tree, "d")).isNull();
        takes(600, 2);
        assertThat(rename(d, "f", root(), "f")).isNull();
        takes(0, 1);
        assertThat(write(file, 1200)).isNull();
        assertThat(rename(root(), "f", tree, "f")).isEqualTo(Errno.EDQUOT);
        takes(0, 1);
        assertThat(rename(tree, "d", root(), "d")).isNull();
        takes(0, 0);
    }

    @Test
    void aFileCountsWhereItsFirstNameIs() {
        limit(tree, 1000, 10);
        Inode file = machine.create(tree.ino(), "f", FileType.REGULAR);
        write(file, 600);
        machine.inode(new Operation.Link(file.ino(), Inode.ROOT, Machine.name("g")));
        takes(600, 1);
        unlink(tree, "f");
        takes(0, 0);
        machine.inode(new Operation.Link(file.ino(), tree.ino(), Machine.name("h")));
        unlink(root(), "g");
        takes(600, 1);
    }

    @Test
    void aQuotaGoesWithItsDirectory() {
        limit(tree, 1000, 10);
        machine.inode(new Operation.RemoveDirectory(Inode.ROOT, Machine.name("tree")));
        assertThat(Quotas.all(machine)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void whatWasCountedIsWhatACountFinds(long seed) {
        Random random = new Random(seed);
        List<Inode> directories = new ArrayList<>(List.of(root(), tree));
        Inode nested = machine.create(tree.ino(), "nested", FileType.DIRECTORY);
        directories.add(nested);
        limit(tree, 50_000, 40);
        limit(nested, 20_000, 0);
        for (int i = 0; i < 600; i++) {
            Inode one = directories.get(random.nextInt(directories.size()));
            Inode other = directories.get(random.nextInt(directories.size()));
            FileName name = Machine.name("n" + random.nextInt(6));
            FileName newName = Machine.name("n" + random.nextInt(6));
            switch (random.nextInt(7)) {
                case 0 -> make(one, name.toString(), FileType.REGULAR);
                case 1 -> {
                    if (make(one, name.toString(), FileType.DIRECTORY) == null) {
                        directories.add(machine.inode(new Operation.Lookup(one.ino(), name)));
                    }
                }
                case 2 -> machine.run(new Operation.Rename(one.ino(), name, other.ino(), newName, random.nextInt(3)));
                case 3 -> machine.run(new Operation.Unlink(one.ino(), name));
                case 4 -> machine.run(new Operation.RemoveDirectory(one.ino(), name));
                default -> {
                    if (machine.run(new Operation.Lookup(one.ino(), name)).failure() == null) {
                        Inode found = machine.inode(new Operation.Lookup(one.ino(), name));
                        if (found.regular() && random.nextBoolean()) {
                            write(found, random.nextInt(9000));
                        } else if (found.regular()) {
                            machine.run(new Operation.Link(found.ino(), other.ino(), newName));
                        }
                    }
                }
            }
        }
        for (Quotas.Limited limited : Quotas.all(machine)) {
            Inode at = root();
            for (FileName name : limited.path()) {
                at = machine.inode(new Operation.Lookup(at.ino(), name));
            }
            QuotaRecord counted = limited.quota();
            long directory = at.ino();
            machine.change((context, view) -> Quotas.lift(directory, context, view));
            limit(at, counted.mostBytes(), counted.mostInodes());
            assertThat(Quotas.all(machine)).as("seed %d", seed).contains(limited);
        }
    }
}
