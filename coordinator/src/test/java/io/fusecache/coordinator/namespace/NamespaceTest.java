package io.fusecache.coordinator.namespace;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What one command does: times, modes, flags, limits. */
final class NamespaceTest {
    private static final AttributeChange NOTHING = new AttributeChange(null, null, null, null, null, false);

    private final Machine machine = new Machine();

    @AfterEach
    void check() {
        machine.checkInvariants();
    }

    private Inode inode(long ino) {
        return machine.inode(new Operation.ReadInode(ino));
    }

    private Inode set(long ino, AttributeChange change) {
        return machine.inode(new Operation.SetAttributes(ino, change));
    }

    private void rename(long parent, String name, long newParent, String newName, int flags) {
        assertThat(machine.errno(
                        new Operation.Rename(parent, Machine.name(name), newParent, Machine.name(newName), flags)))
                .isNull();
    }

    @Test
    void aNewFileHasOneTimeAndStampsItsDirectory() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        Timestamp now = machine.now();
        assertThat(List.of(file.accessed(), file.modified(), file.changed(), file.born()))
                .containsOnly(now);
        Inode root = inode(Inode.ROOT);
        assertThat(root.modified()).isEqualTo(now);
        assertThat(root.changed()).isEqualTo(now);
        assertThat(root.accessed()).isNotEqualTo(now);
    }

    @Test
    void namesChangeTheChangeTimeOfWhatTheyLeadTo() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        machine.inode(new Operation.Link(file.ino(), Inode.ROOT, Machine.name("g")));
        assertThat(inode(file.ino()).changed()).isGreaterThan(file.changed());
        Timestamp linked = inode(file.ino()).changed();
        rename(Inode.ROOT, "g", Inode.ROOT, "h", 0);
        assertThat(inode(file.ino()).changed()).isGreaterThan(linked);
        Timestamp renamed = inode(file.ino()).changed();
        machine.inode(new Operation.Unlink(Inode.ROOT, Machine.name("h")));
        assertThat(inode(file.ino()).changed()).isGreaterThan(renamed);
        assertThat(inode(file.ino()).modified()).isEqualTo(file.modified());
    }

    @Test
    void attributesChangeWhatIsAskedAndTheChangeTime() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        Timestamp modified = new Timestamp(-5, 999_999_999);
        Inode changed = set(file.ino(), new AttributeChange(04751, -1, 70_000, null, modified, false));
        assertThat(changed.permissions()).isEqualTo(04751);
        assertThat(changed.uid()).isEqualTo(-1);
        assertThat(changed.gid()).isEqualTo(70_000);
        assertThat(changed.modified()).isEqualTo(modified);
        assertThat(changed.accessed()).isEqualTo(file.accessed());
        assertThat(changed.changed()).isEqualTo(machine.now());
        assertThat(inode(file.ino())).isEqualTo(changed);
    }

    @Test
    void setIdBitsAreDroppedAsTheKernelWants() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        set(file.ino(), new AttributeChange(06755, null, null, null, null, false));
        assertThat(set(file.ino(), new AttributeChange(null, null, null, null, null, true))
                        .permissions())
                .isEqualTo(0755);
        set(file.ino(), new AttributeChange(06745, null, null, null, null, false));
        assertThat(set(file.ino(), new AttributeChange(null, null, null, null, null, true))
                        .permissions())
                .as("set-group-id without group execution is mandatory locking")
                .isEqualTo(02745);
    }

    @Test
    void aSetGroupIdDirectoryHandsItsGroupOn() {
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        set(d.ino(), new AttributeChange(02755, null, 77, null, null, false));
        assertThat(machine.create(d.ino(), "f", FileType.REGULAR)).satisfies(file -> {
            assertThat(file.gid()).isEqualTo(77);
            assertThat(file.permissions()).isEqualTo(0755);
        });
        assertThat(machine.create(d.ino(), "sub", FileType.DIRECTORY)).satisfies(sub -> {
            assertThat(sub.gid()).isEqualTo(77);
            assertThat(sub.permissions()).isEqualTo(02755);
        });
    }

    @Test
    void whiteoutLeavesADeviceWhereTheNameWas() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        rename(Inode.ROOT, "f", Inode.ROOT, "g", 4);
        assertThat(machine.inode(new Operation.Lookup(Inode.ROOT, Machine.name("g")))
                        .ino())
                .isEqualTo(file.ino());
        assertThat(machine.inode(new Operation.Lookup(Inode.ROOT, Machine.name("f"))))
                .satisfies(left -> {
                    assertThat(left.type()).isEqualTo(FileType.CHARACTER_DEVICE);
                    assertThat(left.deviceNumber()).isZero();
                });
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        rename(Inode.ROOT, "d", Inode.ROOT, "e", 4);
        assertThat(inode(d.ino()).links()).isEqualTo(2);
    }

    @Test
    void renameFlagsThatExcludeEachOtherAreRefused() {
        machine.create(Inode.ROOT, "f", FileType.REGULAR);
        for (int flags : new int[] {3, 6, 8, 7}) {
            assertThat(machine.errno(
                            new Operation.Rename(Inode.ROOT, Machine.name("f"), Inode.ROOT, Machine.name("g"), flags)))
                    .as("flags %s", flags)
                    .isEqualTo(Errno.EINVAL);
        }
    }

    @Test
    void aFileHas65000NamesAndNoMore() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        for (int i = 1; i < 65_000; i++) {
            assertThat(machine.run(new Operation.Link(file.ino(), d.ino(), Machine.name("l" + i)))
                            .failure())
                    .isNull();
        }
        assertThat(machine.errno(new Operation.Link(file.ino(), d.ino(), Machine.name("more"))))
                .isEqualTo(Errno.EMLINK);
    }

    @Test
    void aFileWithoutANameGetsOneOrGoes() {
        NewInode wanted = new NewInode(FileType.REGULAR, 0600, 1, 2, 0, null, true);
        Inode kept = machine.inode(new Operation.CreateUnnamed(Inode.ROOT, wanted));
        Inode gone = machine.inode(new Operation.CreateUnnamed(Inode.ROOT, wanted));
        assertThat(kept.links()).isZero();
        assertThat(kept.writer()).isEqualTo(Machine.NODE);
        assertThat(machine.inode(new Operation.Link(kept.ino(), Inode.ROOT, Machine.name("named")))
                        .links())
                .isEqualTo(1);
        machine.run(new Operation.ReleaseUnlinked(Set.of(kept.ino(), gone.ino())));
        assertThat(inode(kept.ino()).links()).isEqualTo(1);
        assertThat(machine.errno(new Operation.ReadInode(gone.ino()))).isEqualTo(Errno.ESTALE);
        machine.inode(new Operation.Unlink(Inode.ROOT, Machine.name("named")));
        assertThat(machine.errno(new Operation.Link(kept.ino(), Inode.ROOT, Machine.name("again"))))
                .as("an unlinked file does not come back")
                .isEqualTo(Errno.ENOENT);
    }

    @Test
    void attributesHaveFlagsAndLimits() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        byte[] value = {1, 2};
        assertThat(xattr(file, "user.a", value, 2)).isEqualTo(Errno.ENODATA);
        assertThat(xattr(file, "user.a", value, 1)).isNull();
        assertThat(inode(file.ino()).changed()).isGreaterThan(file.changed());
        assertThat(xattr(file, "user.a", value, 1)).isEqualTo(Errno.EEXIST);
        assertThat(xattr(file, "user.a", new byte[0], 0)).isNull();
        assertThat(xattr(file, "user.b", new byte[65_537], 0)).isEqualTo(Errno.E2BIG);
        assertThat(xattr(file, "user.b", new byte[65_536], 0)).isNull();
        var names = machine.ask(Answer.AttributeNames.class, new Operation.ReadAttributeNames(file.ino()));
        assertThat(names.names()).containsExactly(Machine.name("user.a"), Machine.name("user.b"));
        assertThat(machine.errno(new Operation.RemoveAttribute(file.ino(), Machine.name("user.c"))))
                .isEqualTo(Errno.ENODATA);
        int i = 0;
        Errno full = null;
        while (full == null && i < 1000) {
            full = xattr(file, "user." + "x".repeat(200) + i++, value, 0);
        }
        assertThat(full).isEqualTo(Errno.ENOSPC);
        assertThat(i).isGreaterThan(300);
    }

    private @Nullable Errno xattr(Inode file, String name, byte[] value, int flags) {
        return machine.errno(new Operation.SetAttribute(file.ino(), Machine.name(name), value, flags));
    }

    @Test
    void aCommitNeedsTheLeaseAndTheLastVersionAndKeepsALaterChangeTime() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        FileVersion first = new FileVersion(file.ino(), 1, 10, 4096, null, null);
        Operation commit = new Operation.Commit(first, new Timestamp(5, 0), Timestamp.EPOCH, 4096);
        assertThat(machine.errno(commit)).isEqualTo(Errno.ESTALE);
        machine.run(new Operation.BeginWrite(file.ino(), Duration.ZERO));
        Inode committed = machine.inode(commit);
        assertThat(committed.size()).isEqualTo(10);
        assertThat(committed.usedBytes()).isEqualTo(4096);
        assertThat(committed.modified()).isEqualTo(new Timestamp(5, 0));
        assertThat(committed.changed()).isEqualTo(file.changed());
        assertThat(machine.errno(commit)).isEqualTo(Errno.ESTALE);
        Timestamp later = new Timestamp(machine.now().seconds() + 10, 0);
        FileVersion second = new FileVersion(file.ino(), 2, 20, 4096, null, null);
        assertThat(machine.inode(new Operation.Commit(second, later, later, 0)).changed())
                .isEqualTo(later);
        assertThat(machine.ask(Answer.Usage.class, new Operation.ReadUsage()).usage())
                .satisfies(usage -> {
                    assertThat(usage.usedBytes()).isZero();
                    assertThat(usage.inodes()).isEqualTo(2);
                });
    }

    @Test
    void aSealGivesChecksumsToTheLastVersionOnly() {
        Inode file = machine.write(Inode.ROOT, "f", (1 << 20) + 1);
        assertThat(machine.errno(new Operation.Seal(file.ino(), 1, new int[] {7})))
                .isEqualTo(Errno.EINVAL);
        assertThat(machine.ask(Answer.Truth.class, new Operation.Seal(file.ino(), 1, new int[] {7, 8}))
                        .value())
                .isTrue();
        assertThat(machine.ask(Answer.Content.class, new Operation.ReadContent(file.ino()))
                        .version()
                        .checksums())
                .containsExactly(7, 8);
        machine.run(new Operation.BeginWrite(file.ino(), Duration.ZERO));
        machine.commit(file, 5);
        assertThat(machine.ask(Answer.Truth.class, new Operation.Seal(file.ino(), 1, new int[] {7, 8}))
                        .value())
                .isFalse();
    }

    @Test
    void contentIsOfRegularFiles() {
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        Inode link = machine.create(Inode.ROOT, "l", FileType.SYMLINK);
        assertThat(machine.errno(new Operation.ReadContent(d.ino()))).isEqualTo(Errno.EISDIR);
        assertThat(machine.errno(new Operation.ReadContent(link.ino()))).isEqualTo(Errno.EINVAL);
        assertThat(link.size()).isEqualTo(6);
    }

    @Test
    void anotherNodesWriteLeaseIsNamed() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        machine.run(new Operation.BeginWrite(file.ino(), Duration.ZERO));
        Answer answer = machine.run(new Operation.BeginWrite(file.ino(), Duration.ZERO), new NodeId("other"), 9);
        assertThat(answer).isEqualTo(Answer.of(new Answer.HeldBy(new NodeId("n"))));
        assertThat(machine.run(new Operation.AwaitWriter(file.ino(), Duration.ZERO), new NodeId("other"), 9))
                .isEqualTo(answer);
        assertThat(machine.run(new Operation.AwaitWriter(file.ino(), Duration.ZERO))
                        .result())
                .isEqualTo(new Answer.Nothing());
    }

    @Test
    void theEndOfASessionLeavesNothingOfItsUnlinkedFiles() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        machine.run(new Operation.BeginWrite(file.ino(), Duration.ZERO));
        Inode kept = machine.create(Inode.ROOT, "kept", FileType.REGULAR);
        machine.run(new Operation.BeginWrite(kept.ino(), Duration.ZERO));
        machine.inode(new Operation.Unlink(Inode.ROOT, Machine.name("f")));
        machine.endSession(Machine.SESSION, false);
        assertThat(machine.errno(new Operation.ReadInode(file.ino()))).isEqualTo(Errno.ESTALE);
        assertThat(inode(kept.ino()).writer()).isEqualTo(Machine.NODE);
        machine.endSession(Machine.SESSION, true);
        assertThat(inode(kept.ino()).writer()).isNull();
    }

    @Test
    void aListingSeesWhatStaysExactlyOnceWhateverElseChanges() {
        for (int i = 0; i < 50; i++) {
            machine.create(Inode.ROOT, "stays" + i, FileType.REGULAR);
            machine.create(Inode.ROOT, "goes" + i, FileType.REGULAR);
        }
        List<String> seen = new ArrayList<>();
        long cookie = 0;
        for (int round = 0; ; round++) {
            List<DirectoryEntry> page = machine.ask(
                            Answer.Entries.class, new Operation.ListEntries(Inode.ROOT, cookie, 7))
                    .entries();
            if (page.isEmpty()) {
                break;
            }
            page.forEach(entry -> seen.add(entry.name().toString()));
            cookie = page.getLast().cookie();
            if (round < 20) {
                machine.run(new Operation.Unlink(Inode.ROOT, Machine.name("goes" + (49 - round))));
                rename(Inode.ROOT, "goes" + round, Inode.ROOT, "new" + round, 0);
            }
        }
        assertThat(seen).doesNotHaveDuplicates();
        assertThat(seen.stream().filter(name -> name.startsWith("stays"))).hasSize(50);
    }

    @Test
    void badInputChangesNothing() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        FileVersion wrong = new FileVersion(file.ino(), 1, 1, 4096, null, null);
        machine.run(new Operation.BeginWrite(file.ino(), Duration.ZERO));
        assertThat(machine.errno(new Operation.Commit(wrong, machine.now(), machine.now(), -1)))
                .isEqualTo(Errno.EINVAL);
        NewInode noTarget = new NewInode(FileType.SYMLINK, 0777, 0, 0, 0, null, false);
        assertThat(machine.errno(new Operation.Create(Inode.ROOT, Machine.name("l"), noTarget)))
                .isEqualTo(Errno.EINVAL);
        assertThat(machine.errno(new Operation.SetAttributes(99, NOTHING))).isEqualTo(Errno.ESTALE);
        assertThat(inode(file.ino()).version()).isZero();
    }
}
