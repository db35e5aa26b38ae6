package io.fusecache.testkit.posix.scene;

import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/** The directory of what checks share because it is dear to make: each thing is made once in a run, by who asks first. */
final class Shared {
    private static final String NAME = "shared";

    private final Path home;
    private final Caller root;
    private final ReentrantLock filling = new ReentrantLock();
    private final Set<String> filled = new HashSet<>();

    /** Called by the thread that ends it, too. The directory is made. */
    Shared(Arena arena, Path parent) {
        this.home = parent.resolve(NAME);
        this.root = new Caller(Actor.ROOT, new Kernel(arena), new Memory(arena), new Descriptors());
        root.mkdir(home.toString(), 0755).ok();
    }

    /** A directory of that name, filled when this returns; its path from a directory that a worker checks in. */
    String directory(Caller caller, String name, Consumer<String> fill) {
        String path = "../../" + NAME + "/" + name;
        filling.lock();
        try {
            if (!filled.contains(name)) {
                caller.mkdir(path, 0755).ok();
                fill.accept(path);
                filled.add(name);
            }
        } finally {
            filling.unlock();
        }
        return path;
    }

    void end() {
        Tree.remove(root, home.toString());
    }
}
