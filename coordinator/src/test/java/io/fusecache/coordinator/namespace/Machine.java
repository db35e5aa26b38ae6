package io.fusecache.coordinator.namespace;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.coordinator.state.Changes;
import io.fusecache.coordinator.state.ContentRecord;
import io.fusecache.coordinator.state.CookieRecord;
import io.fusecache.coordinator.state.Counters;
import io.fusecache.coordinator.state.Entry;
import io.fusecache.coordinator.state.KeyRecord;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.coordinator.state.SessionRecord;
import io.fusecache.coordinator.state.TrashRecord;
import io.fusecache.coordinator.state.View;
import io.fusecache.coordinator.state.WorkRecord;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** The namespace over a map in memory, with a clock that goes as told: what commands do, without a server. */
final class Machine implements View {
    static final NodeId NODE = new NodeId("n");
    static final long SESSION = 7;

    private final TreeMap<byte[], byte[]> state = new TreeMap<>(Arrays::compareUnsigned);
    final Map<Long, Set<Long>> inUse = new HashMap<>();
    long nowMillis = 1_000_000_000_000L;

    @Nullable Outcome last;

    Machine() {
        apply(Namespace.format(this, now()));
    }

    @Override
    public byte @Nullable [] get(byte[] key) {
        return state.get(key);
    }

    @Override
    public void scan(byte[] from, byte[] to, Visitor visitor) {
        for (var entry : new TreeMap<>(state.subMap(from, to)).entrySet()) {
            if (!visitor.visit(entry.getKey(), entry.getValue())) {
                return;
            }
        }
    }

    void apply(Changes changes) {
        for (var change : changes.entries()) {
            byte[] value = change.getValue();
            if (value == null) {
                state.remove(change.getKey());
            } else {
                state.put(change.getKey(), value);
            }
        }
    }

    Timestamp now() {
        return new Timestamp(Math.floorDiv(nowMillis, 1000), (int) (nowMillis % 1000) * 1_000_000);
    }

    Answer run(Operation operation) {
        return run(operation, NODE, SESSION);
    }

    Answer run(Operation operation, NodeId node, long session) {
        nowMillis++;
        Context context = new Context(now(), session, node, inUse, new HashSet<>(List.of(NODE, node)));
        Outcome outcome = switch (operation) {
            case Operation.Query query -> Namespace.query(query, context, this);
            case Operation.Mutation mutation -> Namespace.execute(mutation, context, this);
            case Operation.Registry registry -> throw new AssertionError("not the namespace's: " + registry);
            case Operation.Locking locking -> throw new AssertionError("not the namespace's: " + locking);
        };
        last = outcome;
        apply(outcome.changes());
        return outcome.answer();
    }

    /** What the coordinator itself does; why not, or null. */
    @Nullable Errno change(BiFunction<Context, View, Outcome> command) {
        nowMillis++;
        Outcome outcome = command.apply(new Context(now(), 0, null, Map.of(), Set.of()), this);
        apply(outcome.changes());
        Answer.Failure failure = outcome.answer().failure();
        return failure == null ? null : failure.errno();
    }

    /** The node comes with a new process. */
    void openSession(NodeId node) {
        assertThat(change((context, view) -> Namespace.openSession(new SessionRecord(node, 1), true, context, view)))
                .isNull();
    }

    void endSession(long session, boolean leasesToo) {
        Context context = new Context(now(), 0, null, Map.of(), Set.of());
        apply(Namespace.endSession(session, NODE, leasesToo, context, this).changes());
    }

    @Nullable Errno errno(Operation operation) {
        Answer.Failure failure = run(operation).failure();
        return failure == null ? null : failure.errno();
    }

    <R extends Answer.Result> R ask(Class<R> kind, Operation operation) {
        Answer answer = run(operation);
        assertThat(answer.failure()).as("%s", operation).isNull();
        return kind.cast(answer.result());
    }

    Inode inode(Operation operation) {
        return ask(Answer.OneInode.class, operation).inode();
    }

    static FileName name(String text) {
        try {
            return FileName.of(text);
        } catch (ErrnoException e) {
            throw new AssertionError(e);
        }
    }

    static NewInode made(FileType type) {
        byte[] target = type == FileType.SYMLINK ? "target".getBytes(StandardCharsets.UTF_8) : null;
        return new NewInode(type, 0755, 1, 2, 0, target, false);
    }

    Inode create(long parent, String name, FileType type) {
        return inode(new Operation.Create(parent, name(name), made(type)));
    }

    /** Makes a file and commits {@code size} bytes to it. */
    Inode write(long parent, String name, long size) {
        Inode inode = create(parent, name, FileType.REGULAR);
        ask(Answer.Content.class, new Operation.BeginWrite(inode.ino(), java.time.Duration.ZERO));
        return commit(inode, size);
    }

    Inode commit(Inode inode, long size) {
        long version = inode(new Operation.ReadInode(inode.ino())).version() + 1;
        FileVersion next = new FileVersion(inode.ino(), version, size, 1 << 20, null, null);
        Inode committed = inode(new Operation.Commit(next, now(), now(), size));
        run(new Operation.EndWrite(inode.ino()));
        return committed;
    }

    // what must hold whatever happened

    void checkInvariants() {
        Map<Long, Node> nodes = new HashMap<>();
        each('I', (key, value) -> nodes.put(Keys.number(key, 1), Node.of(value)));
        Map<Long, Integer> names = new HashMap<>();
        Map<Long, Integer> subdirectories = new HashMap<>();
        Map<Long, Integer> entries = new HashMap<>();
        each('D', (key, value) -> {
            long directory = Keys.number(key, 1);
            Entry entry = Entry.of(value);
            CookieRecord cookie = CookieRecord.of(Objects.requireNonNull(get(Keys.cookie(directory, entry.cookie()))));
            assertThat(cookie).isEqualTo(new CookieRecord(entry.ino(), Keys.name(key, 9)));
            Node node = Objects.requireNonNull(nodes.get(entry.ino()), "an entry that leads nowhere");
            names.merge(entry.ino(), 1, Integer::sum);
            entries.merge(directory, 1, Integer::sum);
            if (node.inode().directory()) {
                subdirectories.merge(directory, 1, Integer::sum);
                assertThat(node.parent()).isEqualTo(directory);
            }
        });
        int[] cookies = {0};
        each('C', (key, value) -> cookies[0]++);
        assertThat(cookies[0])
                .isEqualTo(names.values().stream().mapToInt(i -> i).sum());
        long used = 0;
        for (Node node : nodes.values()) {
            Inode inode = node.inode();
            long ino = inode.ino();
            used += inode.usedBytes();
            assertThat(node.entries())
                    .as("entries of %s", ino)
                    .isEqualTo(entries.getOrDefault(ino, 0).longValue());
            if (ino == Inode.ROOT) {
                assertThat(inode.links()).isEqualTo(2 + subdirectories.getOrDefault(ino, 0));
            } else if (inode.directory()) {
                int links = names.containsKey(ino) ? 2 + subdirectories.getOrDefault(ino, 0) : 0;
                assertThat(inode.links()).as("links of directory %s", ino).isEqualTo(links);
            } else {
                assertThat(inode.links()).as("links of %s", ino).isEqualTo(names.getOrDefault(ino, 0));
                assertThat(node.name() != null).as("first name of %s", ino).isEqualTo(names.containsKey(ino));
            }
            assertThat(get(Keys.trashed(ino)) != null)
                    .as("%s in the trash", ino)
                    .isEqualTo(inode.kept());
            if (inode.ending()) {
                assertThat(count(Keys.orphanHolders(ino)))
                        .as("holders of unlinked %s", ino)
                        .isPositive();
            }
            assertThat(inode.kept() && inode.links() > 0).isFalse();
            assertThat(get(Keys.content(ino)) != null).isEqualTo(inode.regular());
            assertThat(inode.writer() == null || get(Keys.writeLease(inode.writer(), ino)) != null)
                    .isTrue();
        }
        Counters counters = Counters.of(Objects.requireNonNull(get(Keys.counters())));
        assertThat(counters.inodes()).isEqualTo(nodes.size());
        assertThat(counters.usedBytes()).isEqualTo(used);
        each('X', (key, value) -> assertThat(nodes).as("an attribute's inode").containsKey(Keys.number(key, 1)));
        checkKeys(nodes);
        checkTrash(nodes);
    }

    private void checkTrash(Map<Long, Node> nodes) {
        int[] files = {0};
        each('H', (key, value) -> {
            long ino = Keys.number(key, 1);
            TrashRecord record = TrashRecord.of(value);
            assertThat(nodes).as("the trash keeps").containsKey(ino);
            assertThat(get(Keys.removedPath(record.pathBytes(), record.removedMillis(), ino)))
                    .isNotNull();
            assertThat(get(Keys.keptUntil(record.untilMillis(), ino))).isNotNull();
            files[0]++;
        });
        assertThat(count(new byte[] {'E'})).isEqualTo(files[0]);
        assertThat(count(new byte[] {'e'})).isEqualTo(files[0]);
    }

    private void checkKeys(Map<Long, Node> nodes) {
        Set<Long> works = new HashSet<>();
        int[] taken = {0};
        each('W', (key, value) -> {
            WorkRecord work = WorkRecord.of(value);
            works.add(work.id());
            assertThat(get(Keys.due(work.dueMillis(), work.id()))).isNotNull();
            if (work.lessee() != null) {
                assertThat(get(Keys.taken(work.lessee(), work.id()))).isNotNull();
                taken[0]++;
            }
        });
        assertThat(count(new byte[] {'y'})).isEqualTo(taken[0]);
        int[] due = {0};
        each('w', (key, value) -> due[0]++);
        assertThat(due[0]).isEqualTo(works.size());
        each('K', (key, value) -> {
            KeyRecord record = KeyRecord.of(value);
            if (record.work() != 0) {
                assertThat(works)
                        .as("work on %s", new String(key, StandardCharsets.UTF_8))
                        .contains(record.work());
            } else if (record.ino() != 0) {
                assertThat(nodes)
                        .as("owner of %s", new String(key, StandardCharsets.UTF_8))
                        .containsKey(record.ino());
            }
        });
        for (Node node : nodes.values()) {
            if (node.inode().regular()) {
                ContentRecord content = ContentRecord.of(Objects.requireNonNull(get(Keys.content(node.ino()))));
                if (content.uploadKey() != null) {
                    KeyRecord key = KeyRecord.of(Objects.requireNonNull(get(Keys.objectKey(content.uploadKey()))));
                    assertThat(key.ino())
                            .as("owner of the upload's %s", content.uploadKey())
                            .isEqualTo(node.ino());
                }
                if (content.object() != null) {
                    KeyRecord key = KeyRecord.of(Objects.requireNonNull(
                            get(Keys.objectKey(content.object().key()))));
                    assertThat(key.ino()).isEqualTo(node.ino());
                }
            }
        }
    }

    int count(byte[] prefix) {
        int[] found = {0};
        scan(prefix, Keys.after(prefix), (key, value) -> {
            found[0]++;
            return true;
        });
        return found[0];
    }

    private void each(char kind, java.util.function.BiConsumer<byte[], byte[]> visitor) {
        byte[] prefix = {(byte) kind};
        scan(prefix, Keys.after(prefix), (key, value) -> {
            visitor.accept(key, value);
            return true;
        });
    }
}
