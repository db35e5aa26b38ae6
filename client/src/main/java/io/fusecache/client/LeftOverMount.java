package io.fusecache.client;

import io.fusecache.fuse.mount.MountTable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/** A mount whose daemon is gone: everything in it answers ENOTCONN, and only a lazy unmount is left. */
public final class LeftOverMount {
    private LeftOverMount() {}

    /** Whether something is mounted at exactly this directory; asks the table, never the mount. */
    public static boolean at(Path directory) throws IOException {
        return MountTable.find(directory).isPresent();
    }

    /** Takes it out of the tree. */
    public static void detach(Path directory) throws StartupException, IOException, InterruptedException {
        List<List<String>> ways = List.of(
                List.of("umount", "-l", directory.toString()), List.of("fusermount3", "-uz", directory.toString()));
        for (List<String> way : ways) {
            Process process = new ProcessBuilder(way)
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (process.waitFor() == 0) {
                return;
            }
        }
        throw new StartupException(directory + " could not be unmounted: umount -l " + directory + " as root");
    }
}
