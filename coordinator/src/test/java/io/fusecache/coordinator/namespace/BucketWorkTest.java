package io.fusecache.coordinator.namespace;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.CloudWork;
import io.fusecache.metadata.Expected;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.UploadTicket;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Names change, and the bucket follows: a bucket of key to ETag, changed by what the namespace gives leave or work for. */
final class BucketWorkTest {
    private static final Duration LEASE = TestBucket.LEASE;

    private final Machine machine = new Machine();
    private final TestBucket objects = new TestBucket(machine);
    private final Map<String, String> bucket = objects.etags;

    @AfterEach
    void check() {
        machine.checkInvariants();
    }

    private Answer.Result begin(Inode inode) {
        return objects.begin(inode);
    }

    private String upload(Inode inode) {
        return objects.upload(inode);
    }

    private void finish(Inode inode, String key) {
        objects.finish(inode, key);
    }

    private List<CloudWork> take() {
        return objects.take();
    }

    private void settle() {
        objects.settle();
    }

    private void perform(CloudWork work) {
        objects.perform(work);
    }

    private String etag(String key) {
        return Objects.requireNonNull(bucket.get(key));
    }

    private FileVersion content(Inode inode) {
        return machine.ask(Answer.Content.class, new Operation.ReadContent(inode.ino()))
                .version();
    }

    private void rename(long parent, String name, long newParent, String newName, int flags) {
        assertThat(machine.errno(
                        new Operation.Rename(parent, Machine.name(name), newParent, Machine.name(newName), flags)))
                .isNull();
    }

    private void unlink(long parent, String name) {
        Inode gone = machine.inode(new Operation.Unlink(parent, Machine.name(name)));
        machine.run(new Operation.ReleaseUnlinked(Set.of(gone.ino())));
    }

    @Test
    void aFileIsTheObjectOfItsPath() {
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        Inode file = machine.write(d.ino(), "f", 10);
        assertThat(upload(file)).isEqualTo("d/f");
        assertThat(content(file).object()).isEqualTo(new ObjectRef("d/f", etag("d/f")));
        settle();
        assertThat(bucket.keySet()).containsExactly("d/f");
    }

    @Test
    void anEmptyDirectoryHasAMarkerWhileItIsThere() {
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        settle();
        assertThat(bucket.keySet()).containsExactly("d/");
        machine.create(d.ino(), "sub", FileType.DIRECTORY);
        machine.run(new Operation.RemoveDirectory(d.ino(), Machine.name("sub")));
        machine.run(new Operation.RemoveDirectory(Inode.ROOT, Machine.name("d")));
        settle();
        assertThat(bucket).isEmpty();
    }

    @Test
    void aDirectoryWhoseLastFileGoesGetsAMarker() {
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        upload(machine.write(d.ino(), "f", 10));
        settle();
        unlink(d.ino(), "f");
        settle();
        assertThat(bucket.keySet()).containsExactly("d/");
    }

    @Test
    void aRemovedFileTakesItsObjectAlongOnceNobodyHoldsIt() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        upload(file);
        machine.run(new Operation.Unlink(Inode.ROOT, Machine.name("f")));
        settle();
        assertThat(bucket).hasSize(1);
        machine.run(new Operation.ReleaseUnlinked(Set.of(file.ino())));
        settle();
        assertThat(bucket).isEmpty();
    }

    @Test
    void aFileThatReplacesARemovedOneOverwritesItsObject() {
        upload(machine.write(Inode.ROOT, "f", 10));
        unlink(Inode.ROOT, "f");
        Inode next = machine.write(Inode.ROOT, "f", 20);
        assertThat(upload(next)).isEqualTo("f");
        settle();
        assertThat(bucket).containsOnly(Map.entry("f", next.ino() + ".1"));
    }

    @Test
    void whoeverWritesOrFreesAKeyHearsWhatOfOursIsThere() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        assertThat(over(file)).isEqualTo(Expected.NOTHING);
        finish(file, "f");
        machine.run(new Operation.BeginWrite(file.ino(), Duration.ZERO));
        Inode second = machine.commit(file, 20);
        assertThat(over(second)).isEqualTo(new Expected(file.ino() + ".1", false));
        machine.run(new Operation.AbandonUpload(file.ino()));
        assertThat(over(second)).as("an upload that was given up").isEqualTo(new Expected(file.ino() + ".1", true));
        finish(second, "f");
        unlink(Inode.ROOT, "f");
        Inode next = machine.write(Inode.ROOT, "f", 30);
        assertThat(over(next)).as("in place of a removed one").isEqualTo(new Expected(file.ino() + ".2", false));
        finish(next, "f");
        unlink(Inode.ROOT, "f");
        machine.nowMillis += 5_000;
        assertThat(take())
                .singleElement()
                .isInstanceOfSatisfying(
                        CloudWork.Delete.class,
                        delete -> assertThat(delete.object()).isEqualTo(new Expected(next.ino() + ".1", false)));
    }

    private Expected over(Inode inode) {
        return ((Answer.Ticket) begin(inode)).ticket().over();
    }

    @Test
    void aKeyThatIsBeingDeletedIsNotWritten() {
        upload(machine.write(Inode.ROOT, "f", 10));
        unlink(Inode.ROOT, "f");
        machine.nowMillis += 5_000;
        List<CloudWork> taken = take();
        assertThat(taken).singleElement().isInstanceOf(CloudWork.Delete.class);
        Inode next = machine.write(Inode.ROOT, "f", 20);
        assertThat(begin(next)).isInstanceOf(Answer.Nothing.class);
        taken.forEach(this::perform);
        assertThat(upload(next)).isEqualTo("f");
    }

    @Test
    void theObjectFollowsARename() {
        Inode file = machine.write(Inode.ROOT, "a", 10);
        upload(file);
        rename(Inode.ROOT, "a", Inode.ROOT, "b", 0);
        rename(Inode.ROOT, "b", Inode.ROOT, "c", 0);
        assertThat(content(file).object()).isEqualTo(new ObjectRef("a", etag("a")));
        settle();
        assertThat(bucket.keySet()).containsExactly("c");
        assertThat(Objects.requireNonNull(content(file).object()).key()).isEqualTo("c");
    }

    @Test
    void theObjectsOfATreeFollowItsRename() {
        Inode a = machine.create(Inode.ROOT, "a", FileType.DIRECTORY);
        Inode sub = machine.create(a.ino(), "sub", FileType.DIRECTORY);
        machine.create(a.ino(), "empty", FileType.DIRECTORY);
        for (int i = 0; i < 600; i++) {
            upload(machine.write(i % 2 == 0 ? a.ino() : sub.ino(), "f" + i, i));
        }
        settle();
        assertThat(bucket).containsKey("a/empty/").hasSize(601);
        rename(Inode.ROOT, "a", Inode.ROOT, "b", 0);
        settle();
        assertThat(bucket.keySet()).allMatch(key -> key.startsWith("b/")).hasSize(601);
        assertThat(bucket).containsKeys("b/f0", "b/sub/f599", "b/empty/");
    }

    @Test
    void filesThatChangePlacesChangeObjects() {
        Inode a = machine.write(Inode.ROOT, "a", 1);
        Inode b = machine.write(Inode.ROOT, "b", 2);
        upload(a);
        upload(b);
        rename(Inode.ROOT, "a", Inode.ROOT, "b", 2);
        settle();
        assertThat(bucket).containsOnly(Map.entry("a", b.ino() + ".1"), Map.entry("b", a.ino() + ".1"));
    }

    @Test
    void aFileMovesIntoTheDirectoryThatHasItsOldName() {
        Inode file = machine.write(Inode.ROOT, "a", 10);
        upload(file);
        rename(Inode.ROOT, "a", Inode.ROOT, "b", 0);
        Inode directory = machine.create(Inode.ROOT, "a", FileType.DIRECTORY);
        rename(Inode.ROOT, "b", directory.ino(), "d", 0);
        Inode other = machine.write(directory.ino(), "other", 10);
        assertThat(begin(other)).as("while an object is in its way").isInstanceOf(Answer.Nothing.class);
        settle();
        assertThat(bucket).containsOnly(Map.entry("a/d", file.ino() + ".1"));
        assertThat(upload(other)).isEqualTo("a/other");
    }

    @Test
    void aNewVersionOfAFileThatMovedIntoTheDirectoryOfItsOldNameIsUploaded() {
        Inode file = machine.write(Inode.ROOT, "a", 10);
        upload(file);
        rename(Inode.ROOT, "a", Inode.ROOT, "b", 0);
        Inode directory = machine.create(Inode.ROOT, "a", FileType.DIRECTORY);
        rename(Inode.ROOT, "b", directory.ino(), "d", 0);
        machine.run(new Operation.BeginWrite(file.ino(), Duration.ZERO));
        Inode second = machine.commit(file, 20);
        assertThat(begin(second)).as("while its own object is in its way").isInstanceOf(Answer.Nothing.class);
        settle();
        upload(second);
        settle();
        assertThat(bucket).containsOnly(Map.entry("a/d", file.ino() + ".2"));
    }

    @Test
    void aGivenUpUploadIsNotInTheWayOfTheFileThatMovedBelowIt() {
        Inode file = machine.write(Inode.ROOT, "a", 10);
        assertThat(begin(file)).isInstanceOf(Answer.Ticket.class);
        machine.run(new Operation.AbandonUpload(file.ino()));
        rename(Inode.ROOT, "a", Inode.ROOT, "b", 0);
        Inode directory = machine.create(Inode.ROOT, "a", FileType.DIRECTORY);
        rename(Inode.ROOT, "b", directory.ino(), "d", 0);
        assertThat(begin(file)).isInstanceOf(Answer.Nothing.class);
        settle();
        assertThat(upload(file)).isEqualTo("a/d");
        settle();
        assertThat(bucket).containsOnly(Map.entry("a/d", file.ino() + ".1"));
    }

    @Test
    void aGivenUpUploadOfAFileThatMovedOnTakesNothingFromTheNextOfItsName() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        upload(file);
        machine.run(new Operation.BeginWrite(file.ino(), Duration.ZERO));
        Inode second = machine.commit(file, 20);
        assertThat(begin(second)).isInstanceOf(Answer.Ticket.class);
        machine.run(new Operation.AbandonUpload(file.ino()));
        rename(Inode.ROOT, "f", Inode.ROOT, "g", 0);
        settle();
        Inode next = machine.write(Inode.ROOT, "f", 30);
        upload(next);
        upload(second);
        settle();
        assertThat(bucket).containsOnly(Map.entry("f", next.ino() + ".1"), Map.entry("g", file.ino() + ".2"));
        unlink(Inode.ROOT, "g");
        settle();
        assertThat(bucket).containsOnly(Map.entry("f", next.ino() + ".1"));
    }

    @Test
    void whatAGivenUpUploadPutOverAnObjectGoesWhenItsFileHasMovedOn() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        upload(file);
        machine.run(new Operation.BeginWrite(file.ino(), Duration.ZERO));
        Inode second = machine.commit(file, 20);
        assertThat(begin(second)).isInstanceOf(Answer.Ticket.class);
        bucket.put("f", "torn");
        machine.run(new Operation.AbandonUpload(file.ino()));
        rename(Inode.ROOT, "f", Inode.ROOT, "g", 0);
        machine.nowMillis += 5_000;
        assertThat(take()).as("while an upload may make it needless").isEmpty();
        machine.nowMillis += 31_000;
        CloudWork.Move move = (CloudWork.Move) take().getFirst();
        machine.run(new Operation.FinishWork(move.id()));
        settle();
        assertThat(bucket).isEmpty();
        upload(second);
        assertThat(bucket).containsOnly(Map.entry("g", file.ino() + ".2"));
    }

    @Test
    void aGivenUpUploadOfAFileThatNeverComesAgainIsNotInTheWayOfTheNextOfItsName() {
        Inode file = machine.write(Inode.ROOT, "log", 10);
        assertThat(begin(file)).isInstanceOf(Answer.Ticket.class);
        machine.run(new Operation.AbandonUpload(file.ino()));
        rename(Inode.ROOT, "log", Inode.ROOT, "log.1", 0);
        Inode next = machine.write(Inode.ROOT, "log", 20);
        assertThat(begin(next)).isInstanceOf(Answer.Nothing.class);
        settle();
        assertThat(upload(next)).isEqualTo("log");
    }

    @Test
    void aDirectoryWithAMarkerIsNotInTheWayOfTheMarkerAboveIt() {
        Inode above = machine.create(Inode.ROOT, "a", FileType.DIRECTORY);
        for (int i = 0; i < 20; i++) {
            machine.create(above.ino(), "link" + i, FileType.SYMLINK);
        }
        machine.create(above.ino(), "z", FileType.DIRECTORY);
        settle();
        assertThat(bucket.keySet()).contains("a/z/");
        assertThat(take()).isEmpty();
        settle();
        assertThat(bucket.keySet()).containsExactlyInAnyOrder("a/", "a/z/");
    }

    @Test
    void twoFilesMoveIntoTheDirectoriesThatHaveEachOthersOldNames() {
        Inode a = machine.write(Inode.ROOT, "a", 10);
        Inode b = machine.write(Inode.ROOT, "b", 10);
        upload(a);
        upload(b);
        rename(Inode.ROOT, "a", Inode.ROOT, "x", 0);
        rename(Inode.ROOT, "b", Inode.ROOT, "y", 0);
        Inode atA = machine.create(Inode.ROOT, "a", FileType.DIRECTORY);
        Inode atB = machine.create(Inode.ROOT, "b", FileType.DIRECTORY);
        rename(Inode.ROOT, "x", atB.ino(), "f", 0);
        rename(Inode.ROOT, "y", atA.ino(), "f", 0);
        settle();
        assertThat(bucket).containsOnly(Map.entry("b/f", a.ino() + ".1"), Map.entry("a/f", b.ino() + ".1"));
    }

    @Test
    void aFileTakesTheNameOfADirectoryWhoseObjectsAreToGo() {
        Inode directory = machine.create(Inode.ROOT, "a", FileType.DIRECTORY);
        upload(machine.write(directory.ino(), "f", 10));
        unlink(directory.ino(), "f");
        machine.run(new Operation.RemoveDirectory(Inode.ROOT, Machine.name("a")));
        Inode file = machine.write(Inode.ROOT, "a", 10);
        assertThat(begin(file)).isInstanceOf(Answer.Nothing.class);
        settle();
        assertThat(upload(file)).isEqualTo("a");
        assertThat(bucket).containsOnly(Map.entry("a", file.ino() + ".1"));
    }

    @Test
    void aFileTakesTheNameOfADirectoryWhoseMarkerIsToGo() {
        machine.create(Inode.ROOT, "a", FileType.DIRECTORY);
        settle();
        assertThat(bucket.keySet()).containsExactly("a/");
        machine.run(new Operation.RemoveDirectory(Inode.ROOT, Machine.name("a")));
        Inode file = machine.write(Inode.ROOT, "a", 10);
        assertThat(begin(file)).isInstanceOf(Answer.Nothing.class);
        settle();
        upload(file);
        assertThat(bucket).containsOnly(Map.entry("a", file.ino() + ".1"));
    }

    @Test
    void aSafeSaveLeavesOneObject() {
        upload(machine.write(Inode.ROOT, "doc", 10));
        Inode draft = machine.write(Inode.ROOT, ".doc.tmp", 20);
        upload(draft);
        Inode old = machine.inode(
                new Operation.Rename(Inode.ROOT, Machine.name(".doc.tmp"), Inode.ROOT, Machine.name("doc"), 0));
        machine.run(new Operation.ReleaseUnlinked(Set.of(old.ino())));
        settle();
        assertThat(bucket).containsOnly(Map.entry("doc", draft.ino() + ".1"));
    }

    @Test
    void aFileRemovedWhileItUploadsLeavesNothing() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        assertThat(begin(file)).isInstanceOf(Answer.Ticket.class);
        unlink(Inode.ROOT, "f");
        Inode next = machine.write(Inode.ROOT, "f", 20);
        assertThat(begin(next)).as("while the old upload may still land").isInstanceOf(Answer.Nothing.class);
        finish(file, "f");
        settle();
        assertThat(bucket).isEmpty();
        assertThat(upload(next)).isEqualTo("f");
    }

    @Test
    void anUploadThatIsGivenUpAfterItsFileWasRemovedHoldsNothingUp() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        assertThat(begin(file)).isInstanceOf(Answer.Ticket.class);
        unlink(Inode.ROOT, "f");
        Inode next = machine.write(Inode.ROOT, "f", 20);
        machine.run(new Operation.AbandonUpload(file.ino()));
        assertThat(upload(next)).isEqualTo("f");
        settle();
        assertThat(bucket).containsOnly(Map.entry("f", next.ino() + ".1"));
    }

    @Test
    void whatANodeWasUploadingWhenItWasKilledHoldsNothingUpOnceItIsBack() {
        Inode removed = machine.write(Inode.ROOT, "f", 10);
        assertThat(begin(removed)).isInstanceOf(Answer.Ticket.class);
        unlink(Inode.ROOT, "f");
        Inode overtaken = machine.write(Inode.ROOT, "g", 10);
        assertThat(begin(overtaken)).isInstanceOf(Answer.Ticket.class);
        NodeId other = new NodeId("other");
        machine.openSession(Machine.NODE);
        Inode next = machine.write(Inode.ROOT, "f", 20);
        assertThat(upload(next)).isEqualTo("f");
        Operation again = new Operation.BeginUpload(overtaken.ino(), 1);
        assertThat(machine.run(again, other, 8).result()).isInstanceOf(Answer.Ticket.class);
    }

    @Test
    void whatANodeHadTakenWhenItWasKilledIsGivenAgainAtOnce() {
        upload(machine.write(Inode.ROOT, "f", 10));
        unlink(Inode.ROOT, "f");
        machine.nowMillis += 5_000;
        List<CloudWork> first = take();
        assertThat(first).hasSize(1);
        assertThat(take()).isEmpty();
        machine.openSession(new NodeId("other"));
        assertThat(take()).isEmpty();
        machine.openSession(Machine.NODE);
        assertThat(take()).isEqualTo(first);
        perform(first.getFirst());
        assertThat(bucket).isEmpty();
    }

    @Test
    void aFileRenamedWhileItUploadsIsMovedAfterwards() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        assertThat(begin(file)).isInstanceOf(Answer.Ticket.class);
        rename(Inode.ROOT, "f", Inode.ROOT, "g", 0);
        finish(file, "f");
        settle();
        assertThat(bucket.keySet()).containsExactly("g");
    }

    @Test
    void oneNodeUploadsAtATimeUnlessItIsGone() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        assertThat(begin(file)).isInstanceOf(Answer.Ticket.class);
        Operation again = new Operation.BeginUpload(file.ino(), 1);
        assertThat(machine.run(again, new NodeId("other"), 8).result()).isInstanceOf(Answer.Nothing.class);
        machine.nowMillis += 700_000;
        assertThat(machine.run(again, new NodeId("other"), 8).result()).isInstanceOf(Answer.Ticket.class);
    }

    @Test
    void anOvertakenVersionIsRecordedAndPutAgain() {
        Inode first = machine.write(Inode.ROOT, "f", 10);
        assertThat(begin(first)).isInstanceOf(Answer.Ticket.class);
        machine.run(new Operation.BeginWrite(first.ino(), Duration.ZERO));
        Inode second = machine.commit(first, 20);
        finish(first, "f");
        assertThat(content(first).persisted()).isFalse();
        upload(second);
        assertThat(content(first).persisted()).isTrue();
        assertThat(bucket).containsOnly(Map.entry("f", first.ino() + ".2"));
    }

    @Test
    void workWhoseLeaseRanOutIsGivenAgainAndOnlyItsLesseeEndsIt() {
        upload(machine.write(Inode.ROOT, "f", 10));
        unlink(Inode.ROOT, "f");
        machine.nowMillis += 5_000;
        CloudWork first = take().getFirst();
        assertThat(take()).isEmpty();
        machine.nowMillis += LEASE.toMillis();
        NodeId other = new NodeId("other");
        Answer again = machine.run(new Operation.TakeWork(10, LEASE), other, 8);
        assertThat(((Answer.Work) again.result()).work()).containsExactly(first);
        perform(first);
        Inode next = machine.write(Inode.ROOT, "f", 1);
        assertThat(begin(next)).as("the other node is still at it").isInstanceOf(Answer.Nothing.class);
        machine.run(new Operation.FinishWork(first.id()), other, 8);
        assertThat(begin(next)).isInstanceOf(Answer.Ticket.class);
    }

    @Test
    void workThatIsRenewedStaysItsLesseesAndWhoLostItIsTold() {
        upload(machine.write(Inode.ROOT, "f", 10));
        unlink(Inode.ROOT, "f");
        machine.nowMillis += 5_000;
        CloudWork work = take().getFirst();
        NodeId other = new NodeId("other");
        for (int i = 0; i < 5; i++) {
            machine.nowMillis += LEASE.toMillis() - 1;
            assertThat(renewed(work, Machine.NODE)).isTrue();
            assertThat(renewed(work, other)).isFalse();
            assertThat(takenBy(other)).isEmpty();
        }
        machine.nowMillis += LEASE.toMillis();
        assertThat(renewed(work, Machine.NODE)).as("nobody has taken it since").isTrue();
        machine.nowMillis += LEASE.toMillis();
        assertThat(takenBy(other)).containsExactly(work);
        assertThat(renewed(work, Machine.NODE)).isFalse();
        assertThat(renewed(work, other)).isTrue();
    }

    private List<CloudWork> takenBy(NodeId node) {
        Answer taken = machine.run(new Operation.TakeWork(10, LEASE), node, 8);
        return ((Answer.Work) taken.result()).work();
    }

    private boolean renewed(CloudWork work, NodeId by) {
        return truth(new Operation.RenewWork(work.id(), LEASE), by);
    }

    private boolean truth(Operation.Mutation operation, NodeId by) {
        Answer answer = machine.run(operation, by, by.equals(Machine.NODE) ? Machine.SESSION : 8);
        return ((Answer.Truth) answer.result()).value();
    }

    /** Nobody may hear of the node, and it may be at it all the same. */
    @Test
    void anUploadIsItsNodesUntilItsTicketEndsAndWhoLostItIsTold() {
        Inode file = machine.write(Inode.ROOT, "f", 10);
        NodeId other = new NodeId("other");
        Operation.BeginUpload begin = new Operation.BeginUpload(file.ino(), 1);
        assertThat(machine.run(begin, other, 8).result()).isInstanceOf(Answer.Ticket.class);
        machine.nowMillis += UploadTicket.VALID.toMillis() - 10;
        assertThat(begin(file)).isInstanceOf(Answer.Nothing.class);
        assertThat(truth(new Operation.RenewUpload(file.ino()), other)).isTrue();
        assertThat(truth(new Operation.RenewUpload(file.ino()), Machine.NODE)).isFalse();
        machine.nowMillis += UploadTicket.VALID.toMillis() - 10;
        assertThat(begin(file)).isInstanceOf(Answer.Nothing.class);
        machine.nowMillis += 10;
        assertThat(begin(file)).isInstanceOf(Answer.Ticket.class);
        assertThat(truth(new Operation.RenewUpload(file.ino()), other)).isFalse();
        ObjectRef late = new ObjectRef("f", "late");
        assertThat(truth(new Operation.FinishUpload(file.ino(), 1, late), other))
                .isFalse();
        assertThat(content(file).persisted()).isFalse();
        ObjectRef object = new ObjectRef("f", "right");
        assertThat(truth(new Operation.FinishUpload(file.ino(), 1, object), Machine.NODE))
                .isTrue();
        assertThat(content(file).object()).isEqualTo(object);
    }

    @Test
    void pathsThatNoKeySpellsHaveOneOfTheirOwn() throws Exception {
        FileName latin = FileName.of(new byte[] {'c', 'a', 'f', (byte) 0xe9});
        Inode file = machine.inode(new Operation.Create(Inode.ROOT, latin, Machine.made(FileType.REGULAR)));
        machine.run(new Operation.BeginWrite(file.ino(), Duration.ZERO));
        String key = upload(machine.commit(file, 1));
        assertThat(key).isEqualTo(".fusecache/objects/" + Long.toHexString(file.ino()));
        assertThat(machine.errno(new Operation.Rename(Inode.ROOT, latin, Inode.ROOT, Machine.name("cafe"), 0)))
                .isNull();
        settle();
        assertThat(bucket.keySet()).containsExactly("cafe");
    }

    @Test
    void aHardLinkKeepsTheObjectWhenTheFirstNameGoes() {
        Inode file = machine.write(Inode.ROOT, "first", 10);
        upload(file);
        machine.inode(new Operation.Link(file.ino(), Inode.ROOT, Machine.name("second")));
        unlink(Inode.ROOT, "first");
        settle();
        assertThat(bucket.keySet()).containsExactly("second");
    }
}
