package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Directory trees compared by ordinary tools. */
final class Trees {
    private Trees() {}

    /** Names, types, bytes, permissions, owners, times to the nanosecond, link targets, link counts of files. */
    static void assertSame(Path expected, Path actual) throws IOException, InterruptedException {
        Shell.Outcome difference =
                Shell.run(Path.of("/"), "diff", "-r", "--no-dereference", expected.toString(), actual.toString());
        assertThat(difference.output()).as("diff -r %s %s", expected, actual).isEmpty();
        assertThat(listing(actual)).as("attributes of %s", actual).isEqualTo(listing(expected));
    }

    private static List<String> listing(Path tree) throws IOException, InterruptedException {
        String format = "%P|%y|%m|%U:%G|%T@|%l|%n|%s\\n";
        List<String> lines = new ArrayList<>(Shell.run(tree, "find", ".", "-printf", format)
                .orFail()
                .lines()
                // A directory's size and link count are each file system's own affair.
                .map(line -> line.contains("|d|") ? line.replaceFirst("\\|\\d+\\|\\d+$", "") : line)
                .toList());
        lines.sort(null);
        return lines;
    }

    /** The regular files of a tree: path, size and checksum, by cksum. What we keep beside the objects is left out. */
    static List<String> sums(Path tree) throws IOException, InterruptedException {
        return Shell.sh(
                        tree,
                        "find . -name .fusecache -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 -r cksum")
                .lines()
                .toList();
    }

    static long bytes(Path tree) throws IOException, InterruptedException {
        String sum = Shell.sh(tree, "find . -type f -printf '%s\\n' | awk '{ s += $1 } END { printf \"%d\", s }'");
        return Long.parseLong(sum.strip());
    }
}
