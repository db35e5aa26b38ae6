package io.fusecache.coordinator.namespace;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.CloudWork;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Random commands against {@link TreeModel}: the same errors, the same tree, and what must always hold of the state. A
 * failure names the seed; {@code -Dfusecache.seed=N} runs that one.
 */
final class NamespaceModelTest {
    private static final int SEEDS = 40;
    private static final int COMMANDS = 400;
    private static final Duration KEPT = Duration.ofDays(1);
    private static final List<String> NAMES = List.of("a", "b", "c", "d", "e");

    @Test
    void theNamespaceIsTheModel() {
        Long only = Long.getLong("fusecache.seed");
        for (long seed = only == null ? 1 : only; seed <= (only == null ? SEEDS : only); seed++) {
            try {
                new Run(new Random(seed)).run();
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            }
        }
    }

    static final class Run {
        private final Random random;
        final Machine machine = new Machine();
        private final TreeModel model = new TreeModel();
        private final List<Long> inodes = new ArrayList<>(List.of(Inode.ROOT));

        Run(Random random) {
            this.random = random;
        }

        void run() {
            for (int i = 0; i < COMMANDS; i++) {
                machine.nowMillis += random.nextInt(2_000);
                step();
                machine.checkInvariants();
            }
            compare(Inode.ROOT);
            model.files.values().forEach(this::compareAttributes);
        }

        private String anyName() {
            return NAMES.get(random.nextInt(NAMES.size()));
        }

        private long anyInode() {
            return inodes.get(random.nextInt(inodes.size()));
        }

        /** Mostly directories that are there. */
        private long anyDirectory() {
            List<Long> directories = model.files.values().stream()
                    .filter(file -> file.directory() && file.links > 0)
                    .map(file -> file.ino)
                    .sorted()
                    .toList();
            return random.nextInt(10) == 0 ? anyInode() : directories.get(random.nextInt(directories.size()));
        }

        private void step() {
            long directory = anyDirectory();
            String name = anyName();
            switch (random.nextInt(18)) {
                case 0, 1, 2 -> create(directory, name, FileType.REGULAR);
                case 3, 4 -> create(directory, name, FileType.DIRECTORY);
                case 5 -> create(directory, name, FileType.SYMLINK);
                case 6 -> {
                    long ino = anyInode();
                    expect(model.link(ino, directory, name), new Operation.Link(ino, directory, Machine.name(name)));
                }
                case 7 ->
                    expect(model.remove(directory, name, false), new Operation.Unlink(directory, Machine.name(name)));
                case 8 ->
                    expect(
                            model.remove(directory, name, true),
                            new Operation.RemoveDirectory(directory, Machine.name(name)));
                case 9, 10 -> {
                    long to = anyDirectory();
                    String newName = anyName();
                    int flags = random.nextInt(3);
                    expect(
                            model.rename(directory, name, to, newName, flags),
                            new Operation.Rename(directory, Machine.name(name), to, Machine.name(newName), flags));
                }
                case 11 -> {
                    Set<Long> some = Set.of(anyInode());
                    model.release(some);
                    expect(null, new Operation.ReleaseUnlinked(some));
                }
                case 12 -> upload();
                case 13 -> {
                    long ino = anyInode();
                    assertThat(machine.change((context, view) ->
                                    Trash.restore(ino, directory, Machine.name(name), context, view)))
                            .isEqualTo(model.restore(ino, directory, name));
                }
                case 14 -> changeTrash();
                case 15, 16 -> changeAttribute();
                default -> work();
            }
        }

        private void changeAttribute() {
            long ino = anyInode();
            String name = "user." + anyName();
            if (random.nextInt(3) == 0) {
                expect(model.removeAttribute(ino, name), new Operation.RemoveAttribute(ino, Machine.name(name)));
                return;
            }
            String value = "v" + random.nextInt(1_000);
            int flags = random.nextInt(3);
            expect(
                    model.setAttribute(ino, name, value, flags),
                    new Operation.SetAttribute(ino, Machine.name(name), value.getBytes(StandardCharsets.UTF_8), flags));
        }

        /** Of files without a name as well. */
        private void compareAttributes(TreeModel.File file) {
            List<FileName> names = machine.ask(Answer.AttributeNames.class, new Operation.ReadAttributeNames(file.ino))
                    .names();
            Map<String, String> found = new TreeMap<>();
            for (FileName name : names) {
                byte[] value = machine.ask(Answer.Value.class, new Operation.ReadAttribute(file.ino, name))
                        .bytes();
                found.put(name.toString(), new String(value, StandardCharsets.UTF_8));
            }
            assertThat(found).isEqualTo(file.attributes);
            assertThat(file.attributes.isEmpty()
                            || machine.inode(new Operation.ReadInode(file.ino)).extended())
                    .isTrue();
        }

        private void changeTrash() {
            switch (random.nextInt(4)) {
                case 0 -> {
                    machine.nowMillis += KEPT.toMillis() + 1;
                    assertThat(machine.change(Trash::expire)).isNull();
                    model.emptyTrash();
                }
                case 1 -> {
                    model.trash = false;
                    assertThat(machine.change((context, view) -> Trash.keep(Duration.ZERO, context, view)))
                            .isNull();
                }
                default -> {
                    model.trash = true;
                    assertThat(machine.change((context, view) -> Trash.keep(KEPT, context, view)))
                            .isNull();
                }
            }
        }

        private void create(long directory, String name, FileType type) {
            Answer answer = machine.run(new Operation.Create(directory, Machine.name(name), Machine.made(type)));
            long ino =
                    answer.result() instanceof Answer.OneInode one ? one.inode().ino() : -1;
            Errno expected = model.create(directory, name, type, ino);
            assertThat(answer.failure() == null ? null : answer.failure().errno())
                    .isEqualTo(expected);
            if (expected == null) {
                assertThat(inodes).doesNotContain(ino);
                inodes.add(ino);
            }
        }

        private void expect(@Nullable Errno errno, Operation operation) {
            assertThat(machine.errno(operation)).as("%s", operation).isEqualTo(errno);
        }

        /** The bucket goes on beside, and changes no name. */
        private void upload() {
            long ino = anyInode();
            TreeModel.File file = model.files.get(ino);
            if (file == null || file.type != FileType.REGULAR) {
                return;
            }
            machine.run(new Operation.BeginWrite(ino, Duration.ZERO));
            Inode inode = machine.commit(machine.inode(new Operation.ReadInode(ino)), random.nextInt(1000));
            Answer answer = machine.run(new Operation.BeginUpload(ino, inode.version()));
            if (answer.result() instanceof Answer.Ticket ticket && random.nextInt(4) != 0) {
                ObjectRef object = new ObjectRef(ticket.ticket().key(), "e" + ino + "." + inode.version());
                expect(null, new Operation.FinishUpload(ino, inode.version(), object));
            }
        }

        private void work() {
            var taken = machine.ask(Answer.Work.class, new Operation.TakeWork(8, Duration.ofSeconds(5)));
            for (CloudWork work : taken.work()) {
                if (random.nextInt(5) == 0) {
                    continue;
                }
                switch (work) {
                    case CloudWork.Move move ->
                        machine.run(new Operation.FinishMove(
                                move.id(),
                                new ObjectRef(move.toKey(), move.from().etag())));
                    case CloudWork.Delete delete -> machine.run(new Operation.FinishWork(delete.id()));
                    case CloudWork.PutMarker put -> machine.run(new Operation.FinishWork(put.id()));
                    case CloudWork.DeleteMarker delete -> machine.run(new Operation.FinishWork(delete.id()));
                }
            }
        }

        private void compare(long directory) {
            Map<String, TreeModel.File> expected = model.file(directory).entries;
            Map<String, Long> found = new TreeMap<>();
            long cookie = 0;
            while (true) {
                List<DirectoryEntry> page = machine.ask(
                                Answer.Entries.class, new Operation.ListEntries(directory, cookie, 2))
                        .entries();
                if (page.isEmpty()) {
                    break;
                }
                for (DirectoryEntry entry : page) {
                    assertThat(entry.cookie()).isGreaterThan(Math.max(cookie, 2));
                    cookie = entry.cookie();
                    found.put(entry.name().toString(), entry.inode().ino());
                    assertThat(entry.inode().links())
                            .isEqualTo(model.file(entry.inode().ino()).links);
                }
            }
            assertThat(found.keySet()).isEqualTo(expected.keySet());
            expected.forEach((name, file) -> {
                assertThat(found).containsEntry(name, file.ino);
                if (file.directory()) {
                    compare(file.ino);
                }
            });
        }
    }
}
