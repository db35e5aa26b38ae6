package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Directory trees compared by ordinary tools. */
final class Trees {
    private Trees() {}

    /**
     * Names, types, bytes, permissions, owners, times to the nanosecond, link targets, and that each file has as many links as names in the
     * expected tree: it may have others elsewhere, which no copy has.
     */
    static void assertSame(Path expected, Path actual) throws IOException, InterruptedException {
        Shell.Outcome difference =
                Shell.run(Path.of("/"), "diff", "-r", "--no-dereference", expected.toString(), actual.toString());
        assertThat(difference.output()).as("diff -r %s %s", expected, actual).isEmpty();
        assertThat(listing(actual, "%n")).as("attributes of %s", actual).isEqualTo(withNamesCounted(expected));
    }

    private static List<String> withNamesCounted(Path tree) throws IOException, InterruptedException {
        Map<String, Long> names = Shell.run(tree, "find", ".", "-printf", "%i\\n")
                .orFail()
                .lines()
                .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
        return listing(tree, "%i").stream()
                .map(line -> {
                    int links = line.lastIndexOf('|') + 1;
                    Long count = names.get(line.substring(links));
                    return count == null ? line : line.substring(0, links) + count;
                })
                .toList();
    }

    /** Sorted; {@code links}: what find prints at the end of the line of a file. */
    private static List<String> listing(Path tree, String links) throws IOException, InterruptedException {
        String format = "%P|%y|%m|%U:%G|%T@|%l|%s|" + links + "\\n";
        return Shell.run(tree, "find", ".", "-printf", format)
                .orFail()
                .lines()
                // A directory's size and link count are each file system's own affair.
                .map(line -> line.contains("|d|") ? line.replaceFirst("\\|\\d+\\|\\d+$", "") : line)
                .sorted()
                .toList();
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
