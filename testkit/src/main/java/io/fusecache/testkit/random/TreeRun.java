package io.fusecache.testkit.random;

import static io.fusecache.testkit.posix.scene.Flags.*;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Violation;
import io.fusecache.testkit.random.TreeModel.File;
import io.fusecache.testkit.random.TreeModel.Node;
import io.fusecache.testkit.random.TreeModel.Refused;
import io.fusecache.testkit.random.TreeOperation.*;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * One tree, reached through several mounts, and the model of it. Every operation must do what the model does, or fail with the
 * error that the model names. Confined to the thread that made it.
 */
final class TreeRun implements Experiment.Run<TreeOperation> {
    private static final int DIRECTORY_MODE = 0755;
    private static final int FILE_MODE = 0644;
    private static final long NANOS = 1_000_000_000L;

    private final Arena arena = Arena.ofConfined();
    private final Caller caller = Caller.ofThread(arena);
    private final Pool pool = new Pool(arena);
    private final MemorySegment buffer = arena.allocate(TreeOperations.MAX_BYTES + 1L);
    private final TreeModel model = new TreeModel();
    private final TreeView view = new TreeView(caller, buffer);
    private final Surroundings surroundings;
    /** The root, as each node has it. */
    private final List<String> roots;
    /** That the thread had: what it starts afterwards would inherit the run's. */
    private final long umask;

    private final Map<Integer, Held> held = new HashMap<>();

    private record Held(int node, int fd, File file, int version) {}

    /** A change of the model. */
    @FunctionalInterface
    private interface Change {
        void make() throws Refused;
    }

    /** Makes the root, which must not be there yet. */
    TreeRun(List<String> roots, Surroundings surroundings) {
        this.roots = List.copyOf(roots);
        this.surroundings = surroundings;
        this.umask = caller.call(Syscall.UMASK, 0).ok();
        caller.mkdir(roots.getFirst(), DIRECTORY_MODE).is(0);
    }

    TreeModel model() {
        return model;
    }

    @Override
    public void apply(TreeOperation operation) throws Exception {
        switch (operation) {
            case Create(int node, String path, int mode) -> {
                Outcome opened = caller.open(at(node, path), O_WRONLY | O_CREAT | O_EXCL, mode);
                agree(opened, () -> model.create(path, mode));
                closeIfOpen(opened);
            }
            case Mkdir(int node, String path, int mode) ->
                agree(caller.mkdir(at(node, path), mode), () -> model.mkdir(path, mode));
            case Mkfifo(int node, String path, int mode) ->
                agree(caller.mknod(at(node, path), FileType.FIFO.bits() | mode, 0), () -> model.mkfifo(path, mode));
            case Symlink(int node, String target, String path) ->
                agree(caller.symlink(target, at(node, path)), () -> model.symlink(target, path));
            case Link(int node, String from, String to) ->
                agree(caller.link(at(node, from), at(node, to)), () -> model.link(from, to));
            case LinkTemporary(int node, String directory, String to, int length, int fill) ->
                linkTemporary(node, directory, to, length, fill);
            case Write(int node, String path, int length, int fill) -> write(node, path, length, fill);
            case Append(int node, String path, int length, int fill) -> update(node, path, -1, length, fill);
            case Update(int node, String path, int offset, int length, int fill) ->
                update(node, path, offset, length, fill);
            case Truncate(int node, String path, int size) -> {
                if (!model.leadsToFifo(path)) {
                    agree(caller.truncate(at(node, path), size), () -> model.truncate(path, size));
                }
            }
            case Read(int node, String path) -> read(node, path);
            case Status(int node, String path) -> status(node, path);
            case Names(int node, String path) -> names(node, path);
            case Rename(int node, String from, String to, RenameFlag flag) ->
                agree(caller.rename(at(node, from), at(node, to), flag.bits()), () -> model.rename(from, to, flag));
            case Unlink(int node, String path) -> agree(caller.unlink(at(node, path)), () -> model.unlink(path));
            case Rmdir(int node, String path) -> agree(caller.rmdir(at(node, path)), () -> model.rmdir(path));
            case Chmod(int node, String path, int mode) ->
                agree(caller.chmod(at(node, path), mode), () -> model.chmod(path, mode));
            case Chown(int node, String path, int uid, int gid) ->
                agree(caller.chown(at(node, path), uid, gid), () -> model.chown(path, uid, gid));
            case Touch(int node, String path, int seconds, int nanos) ->
                agree(
                        caller.utimens(at(node, path), Caller.times(seconds, nanos, seconds, nanos), 0),
                        () -> model.touch(path, seconds * NANOS + nanos));
            case SetAttribute(int node, String path, String name, int length, int fill) -> {
                byte[] value = pool.copy(fill, length);
                agree(caller.setxattr(at(node, path), name, value, 0), () -> model.setAttribute(path, name, value));
            }
            case RemoveAttribute(int node, String path, String name) ->
                agree(caller.removexattr(at(node, path), name), () -> model.removeAttribute(path, name));
            case Hold(int node, int slot, String path) -> hold(node, slot, path);
            case ReadHeld(int node, int slot) -> readHeld(slot(node, slot));
            case Release(int node, int slot) -> release(slot(node, slot));
            case Compare(int node) -> compare(node);
            case Happen(String what, boolean closed) -> {
                if (closed) {
                    List.copyOf(held.keySet()).forEach(this::release);
                }
                surroundings.happen(what);
            }
        }
    }

    private String at(int node, String path) {
        return roots.get(node) + (path.isEmpty() ? "" : "/" + path);
    }

    /** The call has been made; it must have ended as the model says, which follows. */
    private static void agree(Outcome outcome, Change change) {
        try {
            change.make();
        } catch (Refused refused) {
            outcome.fails(refused.errno());
            return;
        }
        outcome.ok();
    }

    private void closeIfOpen(Outcome opened) {
        if (opened.succeeded()) {
            caller.close(opened.okInt()).is(0);
        }
    }

    // Bytes

    private void linkTemporary(int node, String directory, String to, int length, int fill) {
        Outcome opened = caller.open(at(node, directory), O_WRONLY | O_TMPFILE, FILE_MODE);
        try {
            model.list(directory);
        } catch (Refused refused) {
            opened.fails(refused.errno());
            return;
        }
        int fd = opened.okInt();
        caller.call(Syscall.WRITE, fd, pool.pick(fill, length), length).is(length);
        agree(
                caller.linkAt(fd, "", at(node, to), AT_EMPTY_PATH),
                () -> model.linkTemporary(directory, to, FILE_MODE, pool.copy(fill, length)));
        caller.close(fd).is(0);
    }

    private void write(int node, String path, int length, int fill) {
        if (model.leadsToFifo(path)) {
            return;
        }
        Outcome opened = caller.open(at(node, path), O_WRONLY | O_CREAT | O_TRUNC, FILE_MODE);
        agree(opened, () -> model.write(path, FILE_MODE, pool.copy(fill, length)));
        if (opened.succeeded()) {
            int fd = opened.okInt();
            caller.call(Syscall.WRITE, fd, pool.pick(fill, length), length).is(length);
            caller.close(fd).is(0);
        }
    }

    /** @param offset or -1: at the end */
    private void update(int node, String path, int offset, int length, int fill) {
        if (model.leadsToFifo(path)) {
            return;
        }
        Outcome opened = caller.open(at(node, path), offset < 0 ? O_WRONLY | O_APPEND : O_RDWR);
        agree(opened, () -> model.update(path, offset, pool.copy(fill, length)));
        if (opened.succeeded()) {
            int fd = opened.okInt();
            MemorySegment bytes = pool.pick(fill, length);
            Outcome written = offset < 0
                    ? caller.call(Syscall.WRITE, fd, bytes, length)
                    : caller.call(Syscall.PWRITE64, fd, bytes, length, offset);
            written.is(length);
            caller.close(fd).is(0);
        }
    }

    private void read(int node, String path) {
        if (model.leadsToFifo(path)) {
            return;
        }
        Outcome opened = caller.open(at(node, path), O_RDONLY);
        Outcome outcome = opened.succeeded()
                ? caller.call(Syscall.PREAD64, opened.okInt(), buffer, buffer.byteSize(), 0)
                : opened;
        agree(outcome, () -> {
            File file = model.read(path);
            if (outcome.succeeded()) {
                view.sameContent(at(node, path), file.content(), outcome.ok());
            }
        });
        closeIfOpen(opened);
    }

    // Looking

    private void status(int node, String path) {
        Outcome outcome = caller.statx(AT_FDCWD, at(node, path), AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME);
        agree(outcome, () -> {
            Node expected = model.node(path);
            if (outcome.succeeded()) {
                view.sameStatus(at(node, path), expected, caller.answeredStat());
            }
        });
    }

    private void names(int node, String path) {
        Outcome opened = caller.open(at(node, path), O_RDONLY | O_DIRECTORY);
        agree(opened, () -> {
            TreeModel.Directory expected = model.list(path);
            if (opened.succeeded()) {
                view.sameNames(at(node, path), expected, opened.okInt());
            }
        });
        closeIfOpen(opened);
    }

    private void compare(int first) {
        Map<String, Node> all = model.all();
        Map<String, TreeView.Seen> before = null;
        for (int i = 0; i < roots.size(); i++) {
            int node = (first + i) % roots.size();
            Map<String, TreeView.Seen> seen = view.look(roots.get(node), all);
            if (before != null && !before.equals(seen)) {
                throw new Violation("nodes differ: " + TreeView.difference(before, seen));
            }
            before = seen;
        }
    }

    // Held open

    /** A slot belongs to a node. */
    private int slot(int node, int slot) {
        return node * TreeOperations.SLOTS + slot;
    }

    private void hold(int node, int slot, String path) {
        if (model.leadsToFifo(path)) {
            return;
        }
        int own = slot(node, slot);
        release(own);
        Outcome opened = caller.open(at(node, path), O_RDONLY);
        try {
            if (model.target(path) instanceof File file) {
                held.put(own, new Held(node, opened.okInt(), file, file.hold()));
                // So that the node has it whole: what it lacks may be nowhere when another node has replaced it.
                readHeld(own);
            } else {
                caller.close(opened.okInt()).is(0);
            }
        } catch (Refused refused) {
            opened.fails(refused.errno());
        }
    }

    private void readHeld(int own) {
        Held holding = held.get(own);
        if (holding == null) {
            return;
        }
        long count = caller.call(Syscall.PREAD64, holding.fd, buffer, buffer.byteSize(), 0)
                .ok();
        byte[] content = buffer.asSlice(0, count).toArray(JAVA_BYTE);
        if (!holding.file.hadSince(holding.version, content)) {
            throw new Violation("what node %d has held open reads as no version of it: %d bytes, %s"
                    .formatted(holding.node, count, holding.file.nearest(holding.version, content)));
        }
    }

    private void release(int own) {
        Held holding = held.remove(own);
        if (holding != null) {
            holding.file.release();
            caller.close(holding.fd).is(0);
        }
    }

    @Override
    public void end() {
        List.copyOf(held.keySet()).forEach(this::release);
        compare(0);
    }

    /** Removes the tree, by the first node. */
    @Override
    public void remove() {
        held.values().forEach(holding -> caller.close(holding.fd));
        held.clear();
        view.remove(roots.getFirst());
    }

    @Override
    public void close() {
        caller.call(Syscall.UMASK, umask).ok();
        arena.close();
    }
}
