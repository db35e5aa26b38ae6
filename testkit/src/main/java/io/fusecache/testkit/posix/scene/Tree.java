package io.fusecache.testkit.posix.scene;

import java.util.List;

/** Removing what checks leave. */
final class Tree {
    private Tree() {}

    /** A tree of any depth; what is gone already is no matter. */
    static void remove(Caller root, String path) {
        remove(root, Flags.AT_FDCWD, path);
    }

    private static void remove(Caller root, int parent, String name) {
        if (root.call(Syscall.UNLINKAT, parent, name, Flags.AT_REMOVEDIR).succeeded()) {
            return;
        }
        Outcome opened = root.openAt(parent, name, Flags.O_RDONLY | Flags.O_DIRECTORY | Flags.O_NOFOLLOW, 0);
        if (opened.succeeded()) {
            int fd = opened.okInt();
            List<Entry> entries = root.entries(fd);
            for (Entry entry : entries) {
                if (!entry.name().equals(".")
                        && !entry.name().equals("..")
                        && !root.call(Syscall.UNLINKAT, fd, entry.name(), 0).succeeded()) {
                    remove(root, fd, entry.name());
                }
            }
            root.close(fd);
        }
        root.call(Syscall.UNLINKAT, parent, name, Flags.AT_REMOVEDIR);
    }
}
