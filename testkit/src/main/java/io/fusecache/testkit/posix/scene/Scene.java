package io.fusecache.testkit.posix.scene;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/**
 * One check's place: an empty directory, which is the working directory, and users who call. Belongs to one thread.
 *
 * <p>The directory is root's, and everybody may write there; the umask is 0. What a check leaves is removed.
 */
public final class Scene {
    /** The permissions of the directory a check starts in. */
    public static final int DIRECTORY_MODE = 0777;

    private static final int MAJOR = 1;
    /** The device numbers of what {@link #make} makes: /dev/null for characters. */
    private static final long NULL_DEVICE = device(MAJOR, 3);
    /** The first RAM disk, which need not be there: nodes exist without their devices. */
    private static final long BLOCK_DEVICE = device(MAJOR, 0);

    private final Map<Actor, Caller> callers = new EnumMap<>(Actor.class);
    private final Caller root;
    private final Peers peers;
    private final Shared shared;
    private final Path path;

    Scene(Kernel kernel, Memory memory, Descriptors descriptors, Peers peers, Shared shared, Path path) {
        for (Actor actor : Actor.values()) {
            callers.put(actor, new Caller(actor, kernel, memory, descriptors));
        }
        this.root = Objects.requireNonNull(callers.get(Actor.ROOT));
        this.peers = peers;
        this.shared = shared;
        this.path = path;
    }

    /** dev_t as system calls take it. */
    public static long device(int major, int minor) {
        return ((long) (major & 0xfff) << 8) | (minor & 0xff) | ((long) (minor & ~0xff) << 12);
    }

    public Caller root() {
        return root;
    }

    public Caller as(Actor actor) {
        return Objects.requireNonNull(callers.get(actor));
    }

    /** Another process, which ends with the check. */
    public Peer peer() {
        return peers.start();
    }

    /** Where the check is, for what is done by path elsewhere. */
    public Path path() {
        return path;
    }

    // What there is before the call

    /** Makes one by root, with usual permissions. A symbolic link leads nowhere. */
    public Scene make(FileType type, String path) {
        return make(type, path, type == FileType.DIRECTORY ? 0755 : 0644);
    }

    public Scene make(FileType type, String path, int mode) {
        switch (type) {
            case DIRECTORY -> root.mkdir(path, mode).ok();
            case SYMLINK -> root.symlink("nowhere", path).ok();
            case CHARACTER -> root.mknod(path, type.bits() | mode, NULL_DEVICE).ok();
            case BLOCK -> root.mknod(path, type.bits() | mode, BLOCK_DEVICE).ok();
            case REGULAR, FIFO, SOCKET ->
                root.mknod(path, type.bits() | mode, 0).ok();
        }
        if (type != FileType.SYMLINK && (mode & 07000) != 0) {
            root.chmod(path, mode).ok();
        }
        return this;
    }

    /** Makes one that {@link Actor#OWNER} and its group own. */
    public Scene makeOwned(FileType type, String path, int mode) {
        make(type, path, mode);
        return owned(path, Actor.OWNER, mode, type);
    }

    /** Makes one that this user owns. */
    public Scene makeOwned(FileType type, String path, int mode, Actor owner) {
        make(type, path, mode);
        return owned(path, owner, mode, type);
    }

    private Scene owned(String path, Actor owner, int mode, FileType type) {
        root.lchown(path, owner.uid(), owner.gid()).ok();
        // chown takes set-id bits away.
        if (type != FileType.SYMLINK && (mode & 06000) != 0) {
            root.chmod(path, mode).ok();
        }
        return this;
    }

    /** A regular file with these bytes, by root. */
    public Scene file(String path, String content) {
        int fd = root.open(path, Flags.O_CREAT | Flags.O_EXCL | Flags.O_WRONLY, 0644)
                .okInt();
        root.write(fd, content).is(content.length());
        root.close(fd).ok();
        return this;
    }

    /** Gives the check's directory these permissions and owner. */
    public Scene here(int mode, Actor owner) {
        root.chown(".", owner.uid(), owner.gid()).ok();
        root.chmod(".", mode).ok();
        return this;
    }

    /**
     * What many checks share, because it is dear to make: a directory elsewhere, filled when it is first asked for. Other
     * checks use it at the same time, so that what they change in it must not matter.
     *
     * @param fill is given the directory's path
     * @return its path, relative to the check's directory
     */
    public String shared(String name, Consumer<String> fill) {
        return shared.directory(root, name, fill);
    }

    public void umask(int mask) {
        root.call(Syscall.UMASK, mask).ok();
    }

    // What there is after it

    /** The file itself, a symbolic link not followed. */
    public Stat stat(String path) {
        root.statx(Flags.AT_FDCWD, path, Flags.AT_SYMLINK_NOFOLLOW, Flags.STATX_BASIC_STATS)
                .ok();
        return root.answeredStat();
    }

    public Stat stat(int fd) {
        root.statx(fd, "", Flags.AT_EMPTY_PATH, Flags.STATX_BASIC_STATS).ok();
        return root.answeredStat();
    }

    Stat statOf(Object target) {
        return switch (target) {
            case String path -> stat(path);
            case Integer fd -> stat(fd);
            default -> throw new IllegalArgumentException(target + " is neither path nor descriptor");
        };
    }

    public Times times(Object... targets) {
        return new Times(this, targets);
    }

    public boolean exists(String path) {
        return root.lstat(path).succeeded();
    }

    public void absent(String path) {
        root.lstat(path).fails(Errno.ENOENT);
    }

    /** The bytes of a regular file, up to the size of the buffer. */
    public String content(String path) {
        int fd = root.open(path, Flags.O_RDONLY).okInt();
        String content = content(fd);
        root.close(fd).ok();
        return content;
    }

    public String content(int fd) {
        long count = root.pread(fd, Memory.BUFFER_BYTES, 0).ok();
        return new String(root.buffered(count), StandardCharsets.ISO_8859_1);
    }

    /** The names in a directory, sorted, without the dots. */
    public List<String> names(String directory) {
        int fd = root.open(directory, Flags.O_RDONLY | Flags.O_DIRECTORY).okInt();
        List<String> names = root.entries(fd).stream()
                .map(Entry::name)
                .filter(name -> !name.equals(".") && !name.equals(".."))
                .sorted()
                .toList();
        root.close(fd).ok();
        return names;
    }

    public void type(FileType expected, String path) {
        equal("type of " + path, octal(expected.bits()), octal(stat(path).typeBits()));
    }

    public void permissions(int expected, String path) {
        equal("permissions of " + path, octal(expected), octal(stat(path).permissions()));
    }

    public void links(int expected, String path) {
        equal("links of " + path, expected, stat(path).links());
    }

    private static String octal(int mode) {
        return "0" + Integer.toOctalString(mode);
    }

    public void equal(String what, Object expected, Object actual) {
        if (!expected.equals(actual)) {
            throw new Violation(what + " is " + actual + ", not " + expected);
        }
    }

    public void expect(String what, boolean holds) {
        if (!holds) {
            throw new Violation("not so: " + what);
        }
    }

    /** Ends the check where this does not hold. */
    public void needs(String what, BooleanSupplier holds) {
        if (!holds.getAsBoolean()) {
            throw new NotApplicable(what);
        }
    }

    /** A number under /proc/sys. */
    public int sysctl(String name) {
        try {
            return Integer.parseInt(Files.readString(Path.of("/proc/sys", name)).strip());
        } catch (IOException failed) {
            throw new UncheckedIOException("/proc/sys/" + name, failed);
        }
    }
}
