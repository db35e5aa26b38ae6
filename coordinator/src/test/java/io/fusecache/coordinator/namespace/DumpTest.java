package io.fusecache.coordinator.namespace;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.coordinator.dump.Dump;
import io.fusecache.coordinator.dump.DumpException;
import io.fusecache.coordinator.dump.DumpLine;
import io.fusecache.coordinator.dump.LineReader;
import io.fusecache.coordinator.dump.Load;
import io.fusecache.coordinator.dump.LoadTarget;
import io.fusecache.coordinator.state.Changes;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.View;
import io.fusecache.coordinator.state.VolumeRecord;
import io.fusecache.metadata.AccessControlList;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.session.Operation;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A namespace as lines, and back; {@code -Dfusecache.seed=N} runs that one only. */
final class DumpTest {
    private static final int SEEDS = 12;

    @Test
    void whatIsLoadedIsWhatWasDumped() throws Exception {
        Long only = Long.getLong("fusecache.seed");
        for (long seed = only == null ? 1 : only; seed <= (only == null ? SEEDS : only); seed++) {
            try {
                roundTrip(new Random(seed));
            } catch (IOException | RuntimeException | AssertionError e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            }
        }
    }

    private static void roundTrip(Random random) throws Exception {
        NamespaceModelTest.Run run = new NamespaceModelTest.Run(random);
        run.run();
        Machine machine = run.machine;
        allKinds(machine, random);
        machine.checkInvariants();
        byte[] dump = dump(machine);
        Machine loaded = new Machine();
        load(dump, loaded, "fresh");
        loaded.checkInvariants();
        assertThat(VolumeRecord.in(loaded).namespace()).isEqualTo("fresh");
        assertThat(loaded.get(Keys.loading())).isNull();
        assertThat(tree(dump(loaded))).isEqualTo(tree(dump));
        // It works: what has a name still has it, and new ones can be made.
        loaded.create(Inode.ROOT, "made since", FileType.REGULAR);
        loaded.run(new Operation.TakeWork(100, java.time.Duration.ofSeconds(5)));
        loaded.checkInvariants();
    }

    /** What the random commands make none of. */
    private static void allKinds(Machine machine, Random random) throws ErrnoException {
        Inode directory = machine.create(Inode.ROOT, "kinds", FileType.DIRECTORY);
        for (FileType type : FileType.values()) {
            machine.create(directory.ino(), "a " + type, type);
        }
        byte[] noText = {'x', (byte) 0xff, '\n', (byte) random.nextInt(1, 47)};
        machine.inode(new Operation.Create(directory.ino(), FileName.of(noText), Machine.made(FileType.REGULAR)));
        machine.create(directory.ino(), "base64:eA==", FileType.REGULAR);
        machine.create(directory.ino(), "\u00e4\ud83d\ude00\"\\\u0001", FileType.DIRECTORY);
        NewInode device = new NewInode(FileType.BLOCK_DEVICE, 0600, -1, 5, 0x1234_5678L, null, false);
        machine.inode(new Operation.Create(directory.ino(), Machine.name("device"), device));
        NewInode link = new NewInode(FileType.SYMLINK, 0777, 1, 2, 0, new byte[] {(byte) 0xfe, 'x'}, false);
        machine.inode(new Operation.Create(directory.ino(), Machine.name("odd link"), link));
        Inode file = machine.write(directory.ino(), "with attributes", 12_345);
        set(machine, file, FileName.ofAttribute("user.colour".getBytes(StandardCharsets.UTF_8)), bytes(random, 100));
        set(machine, file, FileName.ofAttribute(new byte[] {'u', 's', 'e', 'r', '.', (byte) 0x80}), new byte[0]);
        byte[] list = AccessControlListBytes.ofUser(1000);
        set(machine, directory, AccessControlList.DEFAULT, list);
        set(machine, file, AccessControlList.ACCESS, list);
        assertThat(machine.change((context, view) -> Quotas.limit(directory.ino(), 1 << 30, 1_000, context, view)))
                .isNull();
        // Open, and written to.
        Inode open = machine.create(directory.ino(), "open", FileType.REGULAR);
        machine.run(new Operation.BeginWrite(open.ino(), java.time.Duration.ZERO));
        // Unlinked, and held by the session: this is of the session.
        machine.write(Inode.ROOT, "gone", 77);
        machine.run(new Operation.Unlink(Inode.ROOT, Machine.name("gone")));
    }

    private static void set(Machine machine, Inode inode, FileName name, byte[] value) {
        assertThat(machine.errno(new Operation.SetAttribute(inode.ino(), name, value, 0)))
                .isNull();
    }

    private static byte[] bytes(Random random, int count) {
        byte[] bytes = new byte[count];
        random.nextBytes(bytes);
        return bytes;
    }

    private static byte[] dump(Machine machine) throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Dump.write(machine, Instant.EPOCH, out);
        return out.toByteArray();
    }

    private static void load(byte[] dump, Machine into, String namespace) throws IOException {
        Load.run(
                new ByteArrayInputStream(dump),
                new LoadTarget() {
                    @Override
                    public View view() {
                        return into;
                    }

                    @Override
                    public void write(Changes batch) {
                        into.apply(batch);
                    }
                },
                namespace,
                into.nowMillis);
    }

    /** All lines but those that say which namespace it is of. */
    private static List<String> tree(byte[] dump) {
        List<String> lines = lines(dump);
        return lines.subList(1, lines.size() - 1);
    }

    private static List<String> lines(byte[] dump) {
        return new String(dump, StandardCharsets.UTF_8).lines().toList();
    }

    private static byte[] small() throws Exception {
        Machine machine = new Machine();
        machine.write(Inode.ROOT, "a", 5);
        machine.create(Inode.ROOT, "b", FileType.DIRECTORY);
        return dump(machine);
    }

    @Test
    void whatIsCutShortIsRefusedWhereverItIs() throws Exception {
        byte[] dump = small();
        for (int length = 0; length < dump.length; length++) {
            byte[] cut = Arrays.copyOf(dump, length);
            assertThatThrownBy(() -> load(cut, new Machine(), "n"))
                    .as("%s bytes", length)
                    .isInstanceOf(DumpException.class)
                    .hasMessageStartingWith("line ");
        }
        assertThatThrownBy(() -> load(Arrays.copyOf(dump, dump.length + 1), new Machine(), "n"))
                .isInstanceOf(DumpException.class)
                .hasMessageContaining("after the end line");
    }

    @Test
    void whatWasChangedIsRefused() throws Exception {
        byte[] dump = small();
        Random random = new Random(1);
        for (int i = 0; i < 500; i++) {
            byte[] wrong = dump.clone();
            int at = random.nextInt(wrong.length);
            wrong[at] ^= (byte) (1 << random.nextInt(8));
            assertThatThrownBy(() -> load(wrong, new Machine(), "n"))
                    .as("byte %s", at)
                    .isInstanceOf(DumpException.class);
        }
    }

    @Test
    void whatDoesNotFitIsRefusedByItsLine() throws Exception {
        List<String> lines = lines(small());
        assertThat(lines).hasSize(7);
        refused(lines, 0, "\"format\":1", "\"format\":2", "line 1: format 2, and this coordinator knows 1");
        refused(lines, 0, "fuse-cache-dump", "another-dump", "line 1: unknown kind 'another-dump'");
        refused(lines, 1, "\"inode\":1", "\"inode\":2", "line 2: inode: expected the root, 1, first");
        refused(lines, 2, "\"mode\":\"0755\"", "\"mode\":\"0789\"", "line 3: mode");
        refused(lines, 2, "\"inode\":2", "\"inode\":99", "line 3: inode: expected above 1");
        refused(lines, 2, "\"links\":1", "\"links\":1,\"unheard_of\":3", "line 3: ");
        refused(lines, 2, "\"links\":1,", "", "line 3: links: missing");
        refused(lines, 2, "\"block_bytes\":1048576,", "", "line 3: block_bytes: missing");
        refused(lines, 2, "\"type\":\"regular\"", "\"type\":\"fifo\"", "line 3: content");
        refused(lines, 4, "\"name\":\"a\"", "\"name\":\"a/b\"", "line 5: a name with '/'");
        refused(lines, 4, "\"inode\":2", "\"inode\":7", "line 5: there is no inode 7");
        refused(lines, 4, "\"cookie\":3", "\"cookie\":1", "line 5: cookie");
        refused(lines, 5, "\"name\":\"b\"", "\"name\":\"a\"", "line 6: the entries are not in the order");
        refused(lines, 6, "\"lines\":6", "\"lines\":7", "line 7: the end line counts 7 lines");
        List<String> without = new ArrayList<>(lines);
        without.remove(5);
        assertThatThrownBy(() -> load(bytes(without), new Machine(), "n"))
                .isInstanceOf(DumpException.class)
                .hasMessageStartingWith("line 6: the end line counts");
        assertThatThrownBy(() -> load("what is this\n".getBytes(StandardCharsets.UTF_8), new Machine(), "n"))
                .isInstanceOf(DumpException.class)
                .hasMessageStartingWith("line 1: no JSON");
    }

    private static void refused(List<String> lines, int line, String what, String by, String message) {
        List<String> wrong = new ArrayList<>(lines);
        assertThat(wrong.get(line)).contains(what);
        wrong.set(line, wrong.get(line).replace(what, by));
        assertThatThrownBy(() -> load(bytes(wrong), new Machine(), "n"))
                .isInstanceOf(DumpException.class)
                .hasMessageStartingWith(message);
    }

    private static byte[] bytes(List<String> lines) {
        return (String.join("\n", lines) + "\n").getBytes(StandardCharsets.UTF_8);
    }

    @Test
    void whichBytesOnlyNodesHaveIsThereToRead() throws Exception {
        LineReader reader = new LineReader(new ByteArrayInputStream(small()));
        assertThat(reader.header().nextInode()).isEqualTo(4);
        List<String> onlyOnNodes = new ArrayList<>();
        for (DumpLine line = reader.next(); line != null; line = reader.next()) {
            if (line instanceof DumpLine.InodeLine inode
                    && inode.content() != null
                    && inode.content().object() == null) {
                onlyOnNodes.add(String.valueOf(inode.place()));
            }
        }
        assertThat(onlyOnNodes).containsExactly("a");
    }

    /** An ACL as the kernel hands it over: version 2, entries of tag, permissions and id, little-endian. */
    private static final class AccessControlListBytes {
        static byte[] ofUser(int uid) {
            int[][] entries = {{0x01, 7, -1}, {0x02, 6, uid}, {0x04, 5, -1}, {0x10, 7, -1}, {0x20, 0, -1}};
            java.nio.ByteBuffer bytes = java.nio.ByteBuffer.allocate(4 + 8 * entries.length)
                    .order(java.nio.ByteOrder.LITTLE_ENDIAN)
                    .putInt(2);
            for (int[] entry : entries) {
                bytes.putShort((short) entry[0]).putShort((short) entry[1]).putInt(entry[2]);
            }
            return bytes.array();
        }
    }
}
