package io.fusecache.testkit.random;

import static io.fusecache.testkit.posix.scene.Flags.*;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Stat;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Violation;
import io.fusecache.testkit.random.FileOperation.*;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;

/**
 * One file, and the model that it is compared with at each operation: what an operation read or changed at once, all of it
 * now and then. Confined to the thread that made it. The first difference ends it with a {@link Violation}.
 */
final class FileRun implements Experiment.Run<FileOperation> {
    private static final int MODE = 0644;
    private static final int WHOLE_EVERY = 500;
    private static final int POSIX_FADV_DONTNEED = 4;
    private static final long PAGE_MASK = -FileOperations.PAGE_BYTES;
    /** Of what was changed: so much is read back at either end, and so much around it. */
    private static final int EDGE_BYTES = 8192;

    private static final int AROUND_BYTES = 100;

    private final Arena arena = Arena.ofConfined();
    private final Caller caller = Caller.ofThread(arena);
    private final FileModel model;
    private final Surroundings surroundings;
    private final String[] names;
    private final Map<Handle, Integer> open = new EnumMap<>(Handle.class);
    private final MemorySegment buffer;
    private final Pool pool = new Pool(arena);
    private int applied;
    private int name;

    /** Makes the file, which must not be there. */
    FileRun(Path file, int maxBytes, Surroundings surroundings) {
        this.model = new FileModel(maxBytes);
        this.surroundings = surroundings;
        this.names = new String[] {file.toString(), file + "-renamed"};
        this.buffer = arena.allocate(maxBytes, FileOperations.PAGE_BYTES);
        open.put(
                Handle.PLAIN,
                caller.open(path(), O_RDWR | O_CREAT | O_EXCL, MODE).okInt());
    }

    Path file() {
        return Path.of(path());
    }

    byte[] content() {
        return model.content();
    }

    private String path() {
        return names[name];
    }

    @Override
    public void apply(FileOperation operation) throws Exception {
        change(operation);
        if (++applied % WHOLE_EVERY == 0) {
            readAll();
        }
    }

    private void change(FileOperation operation) throws Exception {
        switch (operation) {
            case Read(int offset, int length) -> read(Handle.PLAIN, offset, length);
            case DirectRead(int offset, int length) -> read(Handle.DIRECT, offset, length);
            case Write(int offset, int length, int fill) ->
                write(Handle.PLAIN, offset, length, pool.pick(fill, length));
            case DirectWrite(int offset, int length, int fill) -> {
                MemorySegment.copy(pool.pick(fill, length), 0, buffer, 0, length);
                write(Handle.DIRECT, offset, length, buffer);
            }
            case Append(int length, int fill) -> append(Math.min(length, model.maxBytes() - model.size()), fill);
            case MapRead(int offset, int length, boolean shared) -> mapRead(offset, model.clip(offset, length), shared);
            case MapWrite(int offset, int length, int fill, Sync sync) ->
                mapWrite(offset, model.clip(offset, length), fill, sync);
            case Truncate(int size, boolean byPath) -> truncate(size, byPath);
            case Punch(int offset, int length) -> {
                allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length);
                model.zero(offset, length);
                readBack(offset, length);
            }
            case Zero(int offset, int length, boolean keepSize) -> {
                allocate(FALLOC_FL_ZERO_RANGE | (keepSize ? FALLOC_FL_KEEP_SIZE : 0), offset, length);
                model.zero(offset, length);
                model.grow(keepSize ? 0 : offset + length);
                readBack(offset, length);
            }
            case Allocate(int offset, int length, boolean keepSize) -> {
                allocate(keepSize ? FALLOC_FL_KEEP_SIZE : 0, offset, length);
                model.grow(keepSize ? 0 : offset + length);
                readBack(offset, length);
            }
            case Copy(int from, int to, int length) -> copy(from, to, length);
            case Fsync(Handle handle, boolean onlyBytes) ->
                caller.call(onlyBytes ? Syscall.FDATASYNC : Syscall.FSYNC, handle(handle))
                        .is(0);
            case DropPages() -> {
                caller.call(Syscall.FDATASYNC, handle(Handle.PLAIN)).is(0);
                caller.call(Syscall.FADVISE64, handle(Handle.PLAIN), 0, 0, POSIX_FADV_DONTNEED)
                        .is(0);
            }
            case Status() -> status();
            case Holes() -> holes();
            case ReadAll() -> readAll();
            case Close(Handle handle) -> close(handle);
            case CloseAll() -> closeAll();
            case OpenTruncated() -> {
                int fd = caller.open(path(), O_WRONLY | O_TRUNC).okInt();
                model.truncate(0);
                caller.close(fd).is(0);
                status();
            }
            case Rename() -> {
                caller.rename(path(), names[1 - name]).is(0);
                name = 1 - name;
            }
            case Happen(String what, boolean closed) -> {
                if (closed) {
                    closeAll();
                }
                surroundings.happen(what);
            }
        }
    }

    private int handle(Handle handle) {
        Integer known = open.get(handle);
        if (known != null) {
            return known;
        }
        int flags = switch (handle) {
            case PLAIN -> O_RDWR;
            case APPEND -> O_WRONLY | O_APPEND;
            case DIRECT -> O_RDWR | O_DIRECT;
        };
        int fd = caller.open(path(), flags).okInt();
        open.put(handle, fd);
        return fd;
    }

    private void close(Handle handle) {
        Integer fd = open.remove(handle);
        if (fd != null) {
            caller.close(fd).is(0);
        }
    }

    private void closeAll() {
        for (Handle handle : Handle.values()) {
            close(handle);
        }
    }

    // Reading

    private void read(Handle handle, int offset, int length) {
        int expected = model.clip(offset, length);
        caller.call(Syscall.PREAD64, handle(handle), buffer, length, offset).is(expected);
        same(handle == Handle.DIRECT ? "read directly" : "read", offset, buffer, expected);
    }

    private void readAll() {
        read(Handle.PLAIN, 0, model.maxBytes());
    }

    private void readBack(int offset, int length) {
        int from = Math.max(0, offset - AROUND_BYTES);
        int to = Math.min(model.maxBytes(), offset + length + AROUND_BYTES);
        read(Handle.PLAIN, from, Math.min(to - from, EDGE_BYTES));
        if (to - from > EDGE_BYTES) {
            read(Handle.PLAIN, to - EDGE_BYTES, EDGE_BYTES);
        }
    }

    private void same(String how, int offset, MemorySegment found, int length) {
        long at = model.mismatch(offset, found, length);
        if (at >= 0) {
            long end = at;
            while (end < offset + length && model.at(end) != byteOf(found, end - offset)) {
                end++;
            }
            throw new Violation("byte %d was %s as %d, and should be %d (so are the %d bytes from there; size %d)"
                    .formatted(at, how, byteOf(found, at - offset), model.at(at), end - at, model.size()));
        }
    }

    private static byte byteOf(MemorySegment segment, long at) {
        return segment.get(JAVA_BYTE, at);
    }

    private void status() {
        int size = model.size();
        expectSize("fstat", caller.statx(handle(Handle.PLAIN), "", AT_EMPTY_PATH, STATX_BASIC_STATS), size);
        expectSize("stat", caller.statx(AT_FDCWD, path(), 0, STATX_BASIC_STATS), size);
        caller.lseek(handle(Handle.PLAIN), 0, SEEK_END).is(size);
    }

    private void expectSize(String how, Outcome outcome, int size) {
        outcome.ok();
        Stat stat = caller.answeredStat();
        if (stat.size() != size) {
            throw new Violation("the size is %d by %s, and should be %d".formatted(stat.size(), how, size));
        }
    }

    /** What is said to be a hole must be zeros; pieces of data and holes must take turns, and end at the end. */
    private void holes() {
        int fd = handle(Handle.PLAIN);
        long at = 0;
        while (at < model.size()) {
            Outcome found = caller.lseek(fd, at, SEEK_DATA);
            if (found.failed(Errno.ENXIO)) {
                zeros(at, model.size());
                break;
            }
            long start = found.ok();
            ordered("SEEK_DATA", at, start, model.size() - 1L);
            zeros(at, start);
            long end = caller.lseek(fd, start, SEEK_HOLE).ok();
            ordered("SEEK_HOLE", start + 1, end, model.size());
            at = end;
        }
        caller.lseek(fd, model.size(), SEEK_DATA).fails(Errno.ENXIO);
        caller.lseek(fd, model.size(), SEEK_HOLE).fails(Errno.ENXIO);
    }

    private void zeros(long from, long to) {
        long wrong = model.firstNonZero(from, to);
        if (wrong >= 0) {
            throw new Violation(
                    "%d..%d is a hole by lseek, but byte %d is %d".formatted(from, to, wrong, model.at(wrong)));
        }
    }

    private static void ordered(String seek, long least, long found, long most) {
        if (found < least || found > most) {
            throw new Violation(seek + " gave " + found + ", which is not in " + least + ".." + most);
        }
    }

    // Writing

    private void write(Handle handle, int offset, int length, MemorySegment bytes) {
        caller.call(Syscall.PWRITE64, handle(handle), bytes, length, offset).is(length);
        model.write(offset, bytes, length);
        readBack(offset, length);
    }

    private void append(int length, int fill) {
        MemorySegment bytes = pool.pick(fill, length);
        int end = model.size();
        caller.call(Syscall.WRITE, handle(Handle.APPEND), bytes, length).is(length);
        model.write(end, bytes, length);
        readBack(end, length);
    }

    private void truncate(int size, boolean byPath) {
        (byPath ? caller.truncate(path(), size) : caller.ftruncate(handle(Handle.PLAIN), size)).is(0);
        int before = model.size();
        model.truncate(size);
        status();
        readBack(Math.min(before, size), Math.abs(before - size));
    }

    private void allocate(int mode, int offset, int length) {
        caller.fallocate(handle(Handle.PLAIN), mode, offset, length).is(0);
    }

    private void copy(int from, int to, int length) {
        int fd = handle(Handle.PLAIN);
        int expected = Math.min(length, Math.max(0, model.size() - from));
        if (expected > 0 && from < to + expected && to < from + expected) {
            // The kernel shortens the length by the end of the file first.
            caller.copyFileRange(fd, from, fd, to, length, 0).fails(Errno.EINVAL);
            return;
        }
        int copied = 0;
        while (copied < expected) {
            int piece = caller.copyFileRange(fd, from + copied, fd, to + copied, expected - copied, 0)
                    .okInt();
            if (piece == 0) {
                throw new Violation("copy_file_range ended after " + copied + " bytes of " + expected);
            }
            copied += piece;
        }
        model.copy(from, to, expected);
        readBack(to, expected);
    }

    // Mappings

    private void mapRead(int offset, int length, boolean shared) {
        if (length == 0) {
            return;
        }
        long base = offset & PAGE_MASK;
        long bytes = offset + (long) length - base;
        long address = map(base, bytes, PROT_READ, shared ? MAP_SHARED : MAP_PRIVATE);
        try {
            MemorySegment mapped = memory(address, bytes);
            same("mapped", offset, mapped.asSlice(offset - base), length);
        } finally {
            unmap(address, bytes);
        }
    }

    private void mapWrite(int offset, int length, int fill, Sync sync) {
        if (length == 0) {
            return;
        }
        long base = offset & PAGE_MASK;
        long bytes = offset + (long) length - base;
        long address = map(base, bytes, PROT_READ | PROT_WRITE, MAP_SHARED);
        try {
            MemorySegment source = pool.pick(fill, length);
            MemorySegment.copy(source, 0, memory(address, bytes), offset - base, length);
            model.write(offset, source, length);
            switch (sync) {
                case NONE -> {}
                case ASYNC ->
                    caller.call(Syscall.MSYNC, address, bytes, MS_ASYNC).is(0);
                case SYNC -> caller.call(Syscall.MSYNC, address, bytes, MS_SYNC).is(0);
            }
        } finally {
            unmap(address, bytes);
        }
        readBack(offset, length);
    }

    /** The size is looked at first: a page behind the end of the file would be a signal. */
    private long map(long base, long bytes, int protection, int flags) {
        status();
        return caller.call(Syscall.MMAP, 0, bytes, protection, flags, handle(Handle.PLAIN), base)
                .ok();
    }

    @SuppressWarnings("restricted") // memory that mmap just gave
    private static MemorySegment memory(long address, long bytes) {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    private void unmap(long address, long bytes) {
        caller.call(Syscall.MUNMAP, address, bytes).is(0);
    }

    @Override
    public void end() {
        readAll();
        closeAll();
        readAll();
        closeAll();
    }

    @Override
    public void remove() {
        open.values().forEach(caller::close);
        open.clear();
        caller.unlink(path());
    }

    @Override
    public void close() {
        arena.close();
    }
}
