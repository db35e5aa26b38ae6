package io.fusecache.testkit.random;

import io.fusecache.testkit.random.TreeOperation.*;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/** The operations of a seed on a tree. There are few names, so that operations meet. */
final class TreeOperations {
    static final int MAX_BYTES = 3 << 20;
    /** Files that a node may hold open. */
    static final int SLOTS = 4;

    private static final String[] NAMES = {"a", "b", "c", "d", "e"};
    private static final String[] ATTRIBUTES = {"user.one", "user.two", "user.three"};
    private static final int COMPARE_EVERY = 50;

    private final RandomGenerator random;
    private final int nodes;

    private TreeOperations(long seed, int nodes) {
        this.random = new SplittableRandom(seed);
        this.nodes = nodes;
    }

    static List<TreeOperation> of(long seed, int count, int nodes, Surroundings surroundings) {
        return new TreeOperations(seed, nodes).list(count, surroundings);
    }

    private List<TreeOperation> list(int count, Surroundings surroundings) {
        List<TreeOperation> all = new ArrayList<>(count);
        for (int i = 1; i <= count; i++) {
            all.add(i % COMPARE_EVERY == 0 ? new Compare(node()) : next(i));
        }
        for (Surroundings.Incident incident : surroundings.incidents()) {
            all.set(random.nextInt(count), new Happen(incident.name(), incident.closed()));
        }
        return all;
    }

    private TreeOperation next(int fill) {
        int node = node();
        String path = path();
        return switch (random.nextInt(50)) {
            case 0, 1, 2 -> new Create(node, path, mode());
            case 3, 4, 5, 6 -> new Mkdir(node, path, mode() | 0700);
            case 7 -> new Mkfifo(node, path, mode());
            case 8, 9 -> new Symlink(node, target(), path);
            case 10, 11, 12 -> new Link(node, path, path());
            case 13 -> new LinkTemporary(node, path, path(), length(), fill);
            case 14, 15, 16, 17, 18 -> new Write(node, path, length(), fill);
            case 19, 20, 21 -> new Append(node, path, length() / 4, fill);
            case 22, 23 -> new Update(node, path, length() / 2, length() / 4, fill);
            case 24 -> new Truncate(node, path, length());
            case 25, 26 -> new Read(node, path);
            case 27, 28 -> new Status(node, path);
            case 29, 30 -> new Names(node, path);
            case 31, 32, 33, 34, 35 -> {
                RenameFlag[] flags = RenameFlag.values();
                yield new Rename(
                        node, path, path(), random.nextInt(3) > 0 ? RenameFlag.NONE : flags[random.nextInt(3)]);
            }
            case 36, 37 -> new Unlink(node, path);
            case 38, 39 -> new Rmdir(node, path);
            case 40 -> new Chmod(node, path, mode());
            case 41 -> new Chown(node, path, random.nextInt(1000), random.nextInt(1000));
            case 42 -> new Touch(node, path, random.nextInt(), random.nextInt(1_000_000_000));
            case 43 -> new SetAttribute(node, path, attribute(), 1 + random.nextInt(200), fill);
            case 44 -> new RemoveAttribute(node, path, attribute());
            case 45, 46 -> new Hold(node, random.nextInt(SLOTS), path);
            case 47, 48 -> new ReadHeld(node, random.nextInt(SLOTS));
            default -> new Release(node, random.nextInt(SLOTS));
        };
    }

    private int node() {
        return random.nextInt(nodes);
    }

    private String name() {
        return NAMES[random.nextInt(NAMES.length)];
    }

    /** One to three names deep. */
    private String path() {
        StringBuilder path = new StringBuilder(name());
        for (int more = random.nextInt(6); more >= 3; more -= 2) {
            path.append('/').append(name());
        }
        return path.toString();
    }

    private String target() {
        return random.nextInt(3) > 0 ? name() : name() + "/" + name();
    }

    private String attribute() {
        return ATTRIBUTES[random.nextInt(ATTRIBUTES.length)];
    }

    private int mode() {
        return random.nextInt(01000);
    }

    /** Mostly some bytes, seldom more than a block. */
    private int length() {
        return switch (random.nextInt(20)) {
            case 0 -> 0;
            case 1 -> random.nextInt(MAX_BYTES / 2);
            case 2, 3 -> random.nextInt(100_000);
            default -> random.nextInt(5000);
        };
    }
}
