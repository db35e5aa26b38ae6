package io.fusecache.coordinator.namespace;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.state.Keys;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.Listing;
import io.fusecache.metadata.ObjectAttributes;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What others did in the bucket is taken over; what the namespace knows better is not. */
final class ImportsTest {
    private static final Timestamp THEN = new Timestamp(1_234, 5);

    private final Machine machine = new Machine();

    @AfterEach
    void check() {
        machine.checkInvariants();
    }

    private static ListedObject object(String name, long size, String etag) {
        return new ListedObject(Machine.name(name), false, size, etag, THEN, Map.of());
    }

    private static ListedObject directory(String name) {
        return new ListedObject(Machine.name(name), true, 0, "", THEN, Map.of());
    }

    private Listing begin() {
        return machine.ask(Answer.Begun.class, new Operation.BeginListing(Inode.ROOT))
                .listing();
    }

    private int take(Listing listing, ListedObject... objects) {
        return machine.ask(
                        Answer.Count.class,
                        new Operation.ImportListing(
                                listing, Arrays.asList(objects), Machine.made(FileType.REGULAR), null, null))
                .value();
    }

    private int part(Listing listing, String after, String through, ListedObject... objects) {
        return machine.ask(
                        Answer.Count.class,
                        new Operation.ImportListing(
                                listing,
                                Arrays.asList(objects),
                                Machine.made(FileType.REGULAR),
                                after.isEmpty() ? null : Machine.name(after),
                                through.isEmpty() ? null : Machine.name(through)))
                .value();
    }

    private int refresh(ListedObject... objects) {
        return take(begin(), objects);
    }

    private Inode lookup(String name) {
        return machine.inode(new Operation.Lookup(Inode.ROOT, Machine.name(name)));
    }

    private boolean exists(String name) {
        return machine.errno(new Operation.Lookup(Inode.ROOT, Machine.name(name))) != Errno.ENOENT;
    }

    private FileVersion content(String name) {
        return machine.ask(
                        Answer.Content.class,
                        new Operation.ReadContent(lookup(name).ino()))
                .version();
    }

    private Inode uploaded(String name, String etag) {
        Inode inode = machine.write(Inode.ROOT, name, 10);
        machine.run(new Operation.BeginUpload(inode.ino(), inode.version()));
        machine.run(new Operation.FinishUpload(inode.ino(), inode.version(), new ObjectRef(name, etag)));
        return inode;
    }

    private void unlink(String name) {
        Inode gone = machine.inode(new Operation.Unlink(Inode.ROOT, Machine.name(name)));
        machine.run(new Operation.ReleaseUnlinked(Set.of(gone.ino())));
    }

    @Test
    void whatIsInTheBucketIsThere() {
        assertThat(begin().lastImported()).isNull();
        assertThat(refresh(object("f", 77, "e1"), directory("d"))).isEqualTo(2);
        assertThat(lookup("f")).satisfies(inode -> {
            assertThat(inode.size()).isEqualTo(77);
            assertThat(inode.modified()).isEqualTo(THEN);
            assertThat(inode.version()).isEqualTo(1);
        });
        assertThat(content("f").object()).isEqualTo(new ObjectRef("f", "e1"));
        assertThat(content("f").sealed()).isFalse();
        assertThat(lookup("d").directory()).isTrue();
        assertThat(refresh(object("f", 77, "e1"), directory("d"))).isZero();
        assertThat(content("f").version()).isEqualTo(1);
    }

    @Test
    void whatDidNotChangeIsNeitherWrittenNorRecalled() {
        refresh(object("a", 1, "e"), directory("d"), object("f", 1, "e"));
        Listing listing = begin();
        assertThat(part(listing, "", "d", object("a", 1, "e"), directory("d"))).isZero();
        assertThat(machine.last).satisfies(outcome -> {
            assertThat(outcome.changes().isEmpty()).isTrue();
            assertThat(outcome.touched()).isEmpty();
        });
        assertThat(part(listing, "d", "", object("f", 1, "e"))).isZero();
        assertThat(machine.last).satisfies(outcome -> {
            assertThat(outcome.changes().entries())
                    .extracting(Map.Entry::getKey)
                    .containsExactlyInAnyOrder(Keys.imported(Inode.ROOT), Keys.counters());
            assertThat(outcome.touched()).isEmpty();
        });
    }

    @Test
    void aListingInPartsSaysNothingOfWhatIsBeyondEach() {
        refresh(object("a", 1, "e"), object("b", 1, "e"), object("c", 1, "e"), object("d", 1, "e"));
        Listing listing = begin();
        assertThat(part(listing, "", "b", object("b", 1, "e"))).isEqualTo(1);
        assertThat(exists("a")).isFalse();
        assertThat(exists("c")).isTrue();
        // Directories only, of names that were passed already.
        assertThat(part(listing, "b", "b", directory("a"))).isEqualTo(1);
        assertThat(begin().lastImported()).isEqualTo(listing.lastImported());
        assertThat(part(listing, "b", "", object("d", 1, "e"))).isEqualTo(1);
        assertThat(exists("c")).isFalse();
        assertThat(exists("b") && exists("d")).isTrue();
        assertThat(begin().lastImported()).isNotEqualTo(listing.lastImported());
    }

    @Test
    void aDirectoryHidesTheObjectOfItsNameFromAnEarlierPart() {
        for (int i = 0; i < 2; i++) {
            Listing listing = begin();
            part(listing, "", "a-1", object("a", 1, "e"), object("a-1", 1, "e"));
            part(listing, "a-1", "", directory("a"));
        }
        assertThat(lookup("a").directory()).isTrue();
        assertThat(exists("a-1")).isTrue();
        machine.nowMillis += 60_000;
        assertThat(machine.ask(Answer.Work.class, new Operation.TakeWork(10, Duration.ofSeconds(60)))
                        .work())
                .as("the object stays where it is")
                .isEmpty();
    }

    @Test
    void attributesRideWithTheObject() {
        ObjectAttributes said = new ObjectAttributes(0751, 12, 34, new Timestamp(9, 8), new Timestamp(7, 6));
        refresh(new ListedObject(Machine.name("f"), false, 1, "e", THEN, said.toMap()));
        assertThat(ObjectAttributes.of(lookup("f"))).isEqualTo(said);
    }

    @Test
    void extendedAttributesRideWithTheObject() {
        Inode file = machine.write(Inode.ROOT, "f", 1);
        byte[] value = {1, 2, 3};
        machine.run(new Operation.SetAttribute(file.ino(), Machine.name("user.k"), value, 0));
        Answer.Ticket ticket = machine.ask(Answer.Ticket.class, new Operation.BeginUpload(file.ino(), 1));
        refresh(new ListedObject(
                Machine.name("copy"), false, 1, "e", THEN, ticket.ticket().attributes()));
        assertThat(machine.ask(
                                Answer.Value.class,
                                new Operation.ReadAttribute(lookup("copy").ino(), Machine.name("user.k")))
                        .bytes())
                .isEqualTo(value);
    }

    @Test
    void aChangedObjectIsANewVersion() {
        uploaded("f", "e1");
        assertThat(refresh(object("f", 99, "e2"))).isEqualTo(1);
        assertThat(content("f")).satisfies(version -> {
            assertThat(version.version()).isEqualTo(2);
            assertThat(version.size()).isEqualTo(99);
            assertThat(version.object()).isEqualTo(new ObjectRef("f", "e2"));
        });
    }

    @Test
    void anObjectThatIsGoneTakesItsFileAlong() {
        uploaded("f", "e1");
        machine.create(Inode.ROOT, "link", FileType.SYMLINK);
        machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        machine.write(Inode.ROOT, "pending", 5);
        assertThat(refresh()).isEqualTo(1);
        assertThat(exists("f")).isFalse();
        assertThat(exists("link")).isTrue();
        assertThat(exists("d")).isTrue();
        assertThat(exists("pending")).isTrue();
    }

    @Test
    void aFileThatIsOpenElsewhereLivesOnWithoutItsName() {
        Inode file = uploaded("f", "e1");
        machine.inUse.put(99L, Set.of(file.ino()));
        refresh();
        assertThat(exists("f")).isFalse();
        assertThat(machine.inode(new Operation.ReadInode(file.ino())).links()).isZero();
        machine.endSession(99, false);
        assertThat(machine.errno(new Operation.ReadInode(file.ino()))).isEqualTo(Errno.ESTALE);
    }

    @Test
    void whatWasMadeAfterTheListingBeganStays() {
        Listing before = begin();
        uploaded("new", "e1");
        assertThat(take(before)).isZero();
        assertThat(exists("new")).isTrue();
    }

    @Test
    void whatWasRemovedAfterTheListingBeganDoesNotComeBack() {
        uploaded("f", "e1");
        Listing before = begin();
        unlink("f");
        assertThat(take(before, object("f", 10, "e1"))).isZero();
        assertThat(exists("f")).isFalse();
        // Nor once the bucket has been told, for a listing of before that.
        machine.nowMillis += 5_000;
        var work = machine.ask(Answer.Work.class, new Operation.TakeWork(10, Duration.ofSeconds(60)))
                .work();
        assertThat(refresh(object("f", 10, "e1"))).isZero();
        machine.run(new Operation.FinishWork(work.getFirst().id()));
        assertThat(take(before, object("f", 10, "e1"))).isZero();
        assertThat(exists("f")).isFalse();
        assertThat(refresh(object("f", 10, "e9"))).isEqualTo(1);
        assertThat(exists("f")).isTrue();
    }

    @Test
    void whatWasRenamedIsNeitherBackNorGone() {
        uploaded("a", "e1");
        machine.inode(new Operation.Lookup(Inode.ROOT, Machine.name("a")));
        machine.run(new Operation.Rename(Inode.ROOT, Machine.name("a"), Inode.ROOT, Machine.name("b"), 0));
        assertThat(refresh(object("a", 10, "e1"))).isZero();
        assertThat(exists("a")).isFalse();
        assertThat(exists("b")).isTrue();
    }

    @Test
    void aRemovedDirectoryWhoseObjectsGoOnlySlowlyDoesNotComeBack() {
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        Inode file = machine.write(d.ino(), "f", 10);
        machine.run(new Operation.BeginUpload(file.ino(), 1));
        machine.run(new Operation.FinishUpload(file.ino(), 1, new ObjectRef("d/f", "e")));
        machine.run(new Operation.Unlink(d.ino(), Machine.name("f")));
        machine.run(new Operation.ReleaseUnlinked(Set.of(file.ino())));
        machine.run(new Operation.RemoveDirectory(Inode.ROOT, Machine.name("d")));
        assertThat(refresh(directory("d"))).isZero();
        assertThat(exists("d")).isFalse();
    }

    @Test
    void whatWaitsForUploadOrIsBeingWrittenIsLeftAlone() {
        uploaded("writing", "e1");
        machine.run(new Operation.BeginWrite(lookup("writing").ino(), Duration.ZERO));
        Inode waiting = uploaded("waiting", "e1");
        machine.run(new Operation.BeginWrite(waiting.ino(), Duration.ZERO));
        machine.commit(waiting, 20);
        assertThat(refresh(object("writing", 5, "other"), object("waiting", 5, "other")))
                .isZero();
        assertThat(refresh()).isZero();
        assertThat(content("waiting").size()).isEqualTo(20);
    }

    @Test
    void theRecordsOfFuseCacheAreNoFiles() {
        assertThat(refresh(directory(".fusecache"))).isZero();
        assertThat(exists(".fusecache")).isFalse();
        assertThat(machine.errno(
                        new Operation.Create(Inode.ROOT, Machine.name(".fusecache"), Machine.made(FileType.DIRECTORY))))
                .isEqualTo(Errno.EPERM);
    }

    @Test
    void aDirectoryWinsOverAnObjectOfTheSameName() {
        assertThat(refresh(object("x", 1, "e"), directory("x"))).isEqualTo(1);
        assertThat(lookup("x").directory()).isTrue();
    }

    @Test
    void partsOfAListingRemoveOnlyWhatTheyCover() {
        uploaded("a", "e");
        uploaded("m", "e");
        uploaded("z", "e");
        Listing listing = begin();
        Operation first = new Operation.ImportListing(
                listing, List.of(object("b", 1, "e")), Machine.made(FileType.REGULAR), null, Machine.name("m"));
        assertThat(machine.ask(Answer.Count.class, first).value()).isEqualTo(3);
        assertThat(exists("z")).isTrue();
        assertThat(begin().lastImported()).isNull();
        Operation rest = new Operation.ImportListing(
                listing, List.of(object("z", 10, "e")), Machine.made(FileType.REGULAR), Machine.name("m"), null);
        assertThat(machine.ask(Answer.Count.class, rest).value()).isZero();
        assertThat(begin().lastImported()).isNotNull();
        assertThat(exists("b")).isTrue();
    }

    @Test
    void aListingOfAMovedDirectoryIsRefused() {
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        Listing listing = machine.ask(Answer.Begun.class, new Operation.BeginListing(d.ino()))
                .listing();
        machine.run(new Operation.Rename(Inode.ROOT, Machine.name("d"), Inode.ROOT, Machine.name("e"), 0));
        assertThat(machine.errno(
                        new Operation.ImportListing(listing, List.of(), Machine.made(FileType.REGULAR), null, null)))
                .isEqualTo(Errno.EAGAIN);
    }
}
