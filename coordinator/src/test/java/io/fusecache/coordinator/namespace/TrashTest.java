package io.fusecache.coordinator.namespace;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.state.Counters;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What becomes of removed files where they are kept, and of their objects. */
final class TrashTest {
    private static final Duration WEEK = Duration.ofDays(7);

    private final Machine machine = new Machine();
    private final TestBucket bucket = new TestBucket(machine);

    @BeforeEach
    void keepRemovedFiles() {
        keep(WEEK);
    }

    @AfterEach
    void check() {
        machine.checkInvariants();
    }

    private void keep(Duration time) {
        assertThat(machine.change((context, view) -> Trash.keep(time, context, view)))
                .isNull();
    }

    private Inode unlink(long parent, String name) {
        Inode gone = machine.inode(new Operation.Unlink(parent, Machine.name(name)));
        machine.run(new Operation.ReleaseUnlinked(Set.of(gone.ino())));
        return gone;
    }

    private @Nullable Errno restore(Inode file, long parent, String name) {
        return machine.change((context, view) -> Trash.restore(file.ino(), parent, Machine.name(name), context, view));
    }

    private void pass(Duration time) {
        machine.nowMillis += time.toMillis() + 1;
        assertThat(machine.change(Trash::expire)).isNull();
    }

    private List<Trash.Kept> listed(String... path) {
        List<FileName> names = new ArrayList<>();
        for (String name : path) {
            names.add(Machine.name(name));
        }
        List<Trash.Kept> all = new ArrayList<>();
        byte[] after = null;
        do {
            Trash.Page page = Trash.page(names, after, 2, machine);
            assertThat(page.files().size()).isLessThanOrEqualTo(2);
            all.addAll(page.files());
            after = page.next();
        } while (after != null);
        return all;
    }

    private static List<Long> inodes(List<Trash.Kept> files) {
        return files.stream().map(kept -> kept.inode().ino()).toList();
    }

    private @Nullable Errno read(Inode file) {
        return machine.errno(new Operation.ReadInode(file.ino()));
    }

    private FileVersion content(Inode file) {
        return machine.ask(Answer.Content.class, new Operation.ReadContent(file.ino()))
                .version();
    }

    private Counters counters() {
        return Counters.of(Objects.requireNonNull(machine.get(Keys.counters())));
    }

    @Test
    void aRemovedFileIsKeptAndCountedAndComesBackAsItWas() {
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        Inode file = machine.write(d.ino(), "f", 100);
        Counters before = counters();
        Inode gone = unlink(d.ino(), "f");
        assertThat(gone.links()).isZero();
        assertThat(machine.errno(new Operation.Lookup(d.ino(), Machine.name("f"))))
                .isEqualTo(Errno.ENOENT);
        assertThat(counters().inodes()).isEqualTo(before.inodes());
        assertThat(counters().usedBytes()).isEqualTo(before.usedBytes());

        Trash.Kept kept = listed().getFirst();
        assertThat(kept.record().path()).containsExactly(Machine.name("d"), Machine.name("f"));
        assertThat(kept.record().by()).isEqualTo(Machine.NODE);
        assertThat(kept.record().untilMillis() - kept.record().removedMillis()).isEqualTo(WEEK.toMillis());

        assertThat(restore(file, d.ino(), "f")).isNull();
        Inode back = machine.inode(new Operation.Lookup(d.ino(), Machine.name("f")));
        assertThat(back.ino()).isEqualTo(file.ino());
        assertThat(back.links()).isEqualTo(1);
        assertThat(back.kept()).isFalse();
        assertThat(content(back).version()).isEqualTo(1);
        assertThat(listed()).isEmpty();
    }

    @Test
    void whatARenameOverwritesIsKept() {
        Inode old = machine.write(Inode.ROOT, "doc", 10);
        Inode draft = machine.write(Inode.ROOT, "draft", 20);
        machine.run(new Operation.Rename(Inode.ROOT, Machine.name("draft"), Inode.ROOT, Machine.name("doc"), 0));
        machine.run(new Operation.ReleaseUnlinked(Set.of(old.ino())));
        assertThat(inodes(listed())).containsExactly(old.ino());
        assertThat(restore(old, Inode.ROOT, "doc")).isEqualTo(Errno.EEXIST);
        assertThat(restore(old, Inode.ROOT, "doc.old")).isNull();
        assertThat(machine.inode(new Operation.Lookup(Inode.ROOT, Machine.name("doc")))
                        .ino())
                .isEqualTo(draft.ino());
    }

    @Test
    void onlyTheLastNameOfAFileCountsAndOnlyWhatHasBytesIsKept() {
        Inode file = machine.write(Inode.ROOT, "a", 1);
        machine.inode(new Operation.Link(file.ino(), Inode.ROOT, Machine.name("b")));
        unlink(Inode.ROOT, "a");
        machine.create(Inode.ROOT, "fifo", FileType.FIFO);
        unlink(Inode.ROOT, "fifo");
        machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        machine.run(new Operation.RemoveDirectory(Inode.ROOT, Machine.name("d")));
        assertThat(listed()).isEmpty();
        Inode symlink = machine.create(Inode.ROOT, "link", FileType.SYMLINK);
        unlink(Inode.ROOT, "link");
        unlink(Inode.ROOT, "b");
        assertThat(inodes(listed())).containsExactly(file.ino(), symlink.ino());
    }

    @Test
    void withoutTrashWhatIsRemovedIsGoneAndWhatWasKeptKeepsItsTime() {
        Inode kept = machine.write(Inode.ROOT, "kept", 1);
        unlink(Inode.ROOT, "kept");
        keep(Duration.ZERO);
        Inode gone = machine.write(Inode.ROOT, "gone", 1);
        unlink(Inode.ROOT, "gone");
        assertThat(read(gone)).isEqualTo(Errno.ESTALE);
        pass(WEEK.minusHours(1));
        assertThat(inodes(listed())).containsExactly(kept.ino());
        pass(Duration.ofHours(1));
        assertThat(read(kept)).isEqualTo(Errno.ESTALE);
    }

    @Test
    void aFileThatIsStillOpenOutlivesItsTimeInTheTrash() {
        Inode file = machine.write(Inode.ROOT, "f", 1);
        machine.inode(new Operation.Unlink(Inode.ROOT, Machine.name("f")));
        machine.run(new Operation.BeginWrite(file.ino(), Duration.ZERO));
        assertThat(machine.commit(file, 5).size()).isEqualTo(5);
        pass(WEEK);
        assertThat(listed()).isEmpty();
        assertThat(read(file)).isNull();
        machine.run(new Operation.ReleaseUnlinked(Set.of(file.ino())));
        assertThat(read(file)).isEqualTo(Errno.ESTALE);
    }

    @Test
    void aNameMadeForAnUnnamedFileIsTheFirstThatCanBeRemoved() {
        Inode file = machine.inode(new Operation.CreateUnnamed(Inode.ROOT, Machine.made(FileType.REGULAR)));
        machine.run(new Operation.ReleaseUnlinked(Set.of(file.ino())));
        assertThat(listed()).isEmpty();
        assertThat(read(file)).isEqualTo(Errno.ESTALE);
    }

    @Test
    void theObjectMakesWayAndComesBackAndEndsWithTheFile() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        bucket.upload(file);
        unlink(Inode.ROOT, "f");
        Inode next = machine.write(Inode.ROOT, "f", 20);
        assertThat(bucket.begin(next)).as("while the old object is there").isInstanceOf(Answer.Nothing.class);
        bucket.settle();
        String aside = ".fusecache/trash/" + Long.toHexString(file.ino());
        assertThat(bucket.etags).containsOnly(Map.entry(aside, file.ino() + ".1"));
        assertThat(bucket.upload(next)).isEqualTo("f");

        assertThat(restore(file, Inode.ROOT, "g")).isNull();
        bucket.settle();
        assertThat(bucket.etags).containsOnly(Map.entry("f", next.ino() + ".1"), Map.entry("g", file.ino() + ".1"));
        assertThat(Objects.requireNonNull(content(file).object()).key()).isEqualTo("g");

        unlink(Inode.ROOT, "g");
        bucket.settle();
        pass(WEEK);
        bucket.settle();
        assertThat(bucket.etags).containsOnlyKeys("f");
    }

    @Test
    void aFileNeverUploadedGoesToTheTrashInTheBucket() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        unlink(Inode.ROOT, "f");
        Inode next = machine.write(Inode.ROOT, "f", 20);
        assertThat(bucket.upload(next)).isEqualTo("f");
        assertThat(bucket.upload(file)).isEqualTo(".fusecache/trash/" + Long.toHexString(file.ino()));
        pass(WEEK);
        bucket.settle();
        assertThat(bucket.etags).containsOnly(Map.entry("f", next.ino() + ".1"));
    }

    @Test
    void anUploadUnderWayWhenTheFileIsRemovedFollows() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        assertThat(bucket.begin(file)).isInstanceOf(Answer.Ticket.class);
        unlink(Inode.ROOT, "f");
        bucket.finish(file, "f");
        bucket.settle();
        assertThat(bucket.etags).containsOnlyKeys(".fusecache/trash/" + Long.toHexString(file.ino()));
    }

    @Test
    void aListingBegunBeforeBringsNothingBack() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        bucket.upload(file);
        unlink(Inode.ROOT, "f");
        var begun = machine.ask(Answer.Begun.class, new Operation.BeginListing(Inode.ROOT));
        bucket.settle();
        var seen = new io.fusecache.metadata.ListedObject(
                Machine.name("f"), false, 10, file.ino() + ".1", machine.now(), Map.of());
        machine.run(new Operation.ImportListing(
                begun.listing(), List.of(seen), Machine.made(FileType.REGULAR), null, null));
        assertThat(machine.errno(new Operation.Lookup(Inode.ROOT, Machine.name("f"))))
                .isEqualTo(Errno.ENOENT);
    }

    @Test
    void whatTheBucketRemovedIsNotKept() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        bucket.upload(file);
        var begun = machine.ask(Answer.Begun.class, new Operation.BeginListing(Inode.ROOT));
        machine.run(
                new Operation.ImportListing(begun.listing(), List.of(), Machine.made(FileType.REGULAR), null, null));
        assertThat(read(file)).isEqualTo(Errno.ESTALE);
        assertThat(listed()).isEmpty();
    }

    @Test
    void aQuotaCountsWhatHasANameAndMayRefuseToTakeItBack() {
        Inode tree = machine.create(Inode.ROOT, "t", FileType.DIRECTORY);
        assertThat(machine.change((context, view) -> Quotas.limit(tree.ino(), 100, 0, context, view)))
                .isNull();
        Inode file = machine.write(tree.ino(), "f", 80);
        unlink(tree.ino(), "f");
        assertThat(Quotas.all(machine).getFirst().quota().usedBytes()).isZero();
        machine.write(tree.ino(), "g", 50);
        assertThat(restore(file, tree.ino(), "f")).isEqualTo(Errno.EDQUOT);
        assertThat(restore(file, Inode.ROOT, "f")).isNull();
        assertThat(Quotas.all(machine).getFirst().quota().usedBytes()).isEqualTo(50);
        unlink(tree.ino(), "g");
        unlink(Inode.ROOT, "f");
        assertThat(restore(file, tree.ino(), "f")).isNull();
        assertThat(Quotas.all(machine).getFirst().quota().usedBytes()).isEqualTo(80);
    }

    @Test
    void filesAreFoundByTheirPathTheLastRemovedFirst() {
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        Inode near = machine.create(Inode.ROOT, "d-near", FileType.DIRECTORY);
        List<Long> ofPath = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ofPath.addFirst(machine.write(d.ino(), "f", i).ino());
            unlink(d.ino(), "f");
        }
        Inode other = machine.write(near.ino(), "f", 1);
        unlink(near.ino(), "f");
        assertThat(inodes(listed("d"))).isEqualTo(ofPath);
        assertThat(inodes(listed("d", "f"))).isEqualTo(ofPath);
        assertThat(inodes(listed("d-near"))).containsExactly(other.ino());
        assertThat(listed()).hasSize(6);
        assertThat(listed("f")).isEmpty();
        assertThat(Trash.lastRemoved(List.of(Machine.name("d"), Machine.name("f")), machine))
                .hasValue(ofPath.getFirst());
        assertThat(Trash.lastRemoved(List.of(Machine.name("d")), machine)).isEmpty();
    }

    @Test
    void aTrashOfManyIsEmptiedInBatches() {
        for (int i = 0; i < Trash.MOST_AT_ONCE + 10; i++) {
            machine.create(Inode.ROOT, "f" + i, FileType.REGULAR);
            unlink(Inode.ROOT, "f" + i);
        }
        pass(WEEK);
        assertThat(listed()).hasSize(10);
        pass(Duration.ZERO);
        assertThat(listed()).isEmpty();
        assertThat(machine.change(Trash::expire)).isNull();
    }

    @Test
    void whatWasRemovedLaterIsLeftWhenTheTrashIsEmptied() {
        Inode old = machine.write(Inode.ROOT, "old", 1);
        unlink(Inode.ROOT, "old");
        long then = machine.nowMillis;
        Inode later = machine.write(Inode.ROOT, "later", 1);
        unlink(Inode.ROOT, "later");
        List<Long> both = List.of(old.ino(), later.ino(), 4711L);
        assertThat(machine.change((context, view) -> Trash.drop(both, then, context, view)))
                .isNull();
        assertThat(inodes(listed())).containsExactly(later.ino());
    }

    @Test
    void aRestoredFileKeepsItsObjectWhereItHadNotMovedYet() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        bucket.upload(file);
        unlink(Inode.ROOT, "f");
        assertThat(restore(file, Inode.ROOT, "f")).isNull();
        bucket.settle();
        assertThat(content(file).object()).isEqualTo(new ObjectRef("f", file.ino() + ".1"));
        assertThat(bucket.etags).containsOnlyKeys("f");
    }

    @Test
    void theNodeThatRemovedItIsNamed() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        machine.run(new Operation.Unlink(Inode.ROOT, Machine.name("f")), new NodeId("other"), 8);
        assertThat(listed().getFirst().record().by()).isEqualTo(new NodeId("other"));
        assertThat(restore(file, Inode.ROOT, "f")).isNull();
        assertThat(restore(file, Inode.ROOT, "again")).isEqualTo(Errno.ENOENT);
    }
}
