package io.fusecache.testkit.posix.scene;

import java.lang.foreign.Arena;
import java.nio.file.Path;

/** The thread that checks rules one after the other, each in a directory of its own, with its own umask and users. */
final class Worker {
    private final Path home;
    private final Shared shared;
    private final boolean removing;
    private final Kernel kernel;
    private final Memory memory;
    private final Descriptors descriptors = new Descriptors();
    private final Peers peers = new Peers();
    private final Caller root;
    private int checks;

    /** Called by the thread whose worker this is. The home directory is made. */
    Worker(Arena arena, Path home, Shared shared, boolean removing) {
        this.home = home;
        this.shared = shared;
        this.removing = removing;
        this.kernel = new Kernel(arena);
        this.memory = new Memory(arena);
        this.root = new Caller(Actor.ROOT, kernel, memory, descriptors);
        root.call(Syscall.UMASK, 0).ok();
        root.mkdir(home.toString(), 0755).ok();
    }

    Report.Result check(Rule rule) {
        Path directory = home.resolve(Integer.toString(++checks));
        try {
            root.mkdir(directory.toString(), Scene.DIRECTORY_MODE).ok();
            root.call(Syscall.CHDIR, directory.toString()).ok();
            rule.body().check(new Scene(kernel, memory, descriptors, peers, shared, directory));
            return new Report.Passed(rule);
        } catch (NotApplicable why) {
            return new Report.Inapplicable(rule, String.valueOf(why.getMessage()));
        } catch (Violation broken) {
            return new Report.Failed(rule, String.valueOf(broken.getMessage()));
        } catch (RuntimeException | AssertionError broken) {
            return new Report.Failed(rule, broken + " at " + broken.getStackTrace()[0]);
        } finally {
            peers.endAll();
            descriptors.closeAll(root);
            root.call(Syscall.UMASK, 0);
            root.call(Syscall.CHDIR, "/");
            remove(directory);
        }
    }

    void end() {
        remove(home);
    }

    private void remove(Path path) {
        if (removing) {
            Tree.remove(root, path.toString());
        }
    }
}
