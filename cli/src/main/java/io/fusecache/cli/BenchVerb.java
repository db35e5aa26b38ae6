package io.fusecache.cli;

import io.fusecache.bench.Report;
import io.fusecache.bench.SideBySide;
import io.fusecache.bench.Sizes;
import io.fusecache.client.StartupException;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** {@code fusecache bench}: a mount beside the disk below it, row by row; docs/PERFORMANCE.md says what each row does. */
final class BenchVerb {
    private static final VerbLine.Form FORM = new VerbLine.Form(
            "bench",
            "[--disk DIR [--mount DIR]] [--repeats ODD] [--size-mib N] [--files N]",
            List.of(),
            List.of("disk", "mount", "repeats", "size-mib", "files"),
            0,
            0);

    private BenchVerb() {}

    static int run(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        VerbLine line = FORM.parse(words);
        Sizes standard = Sizes.standard();
        Sizes sizes;
        try {
            sizes = new Sizes(
                    number(line, "repeats", standard.repeats()),
                    number(line, "size-mib", standard.largeFileMebibytes()),
                    number(line, "files", standard.smallFiles()),
                    standard.span());
        } catch (IllegalArgumentException wrong) {
            throw new UsageException("bench: " + wrong.getMessage());
        }
        SideBySide bench = new SideBySide(sizes, System.err::println);
        Path disk = Path.of(line.option("disk").orElse("."));
        Optional<Path> mount = line.option("mount").map(Path::of);
        Report report = mount.isPresent() ? bench.ofMount(mount.get(), disk) : bench.ofTrialCluster(programs(), disk);
        out.print(report.markdown());
        return report.reached() ? ExitStatus.DONE : ExitStatus.FAILURE;
    }

    private static int number(VerbLine line, String name, int absent) throws UsageException {
        Optional<String> text = line.option(name);
        if (text.isEmpty()) {
            return absent;
        }
        if (!text.get().matches("\\d{1,8}")) {
            throw new UsageException("bench: --" + name + ": '" + text.get() + "': expected a number");
        }
        return Integer.parseInt(text.get());
    }

    /** The folder of bin/client, as the launcher says. */
    private static Path programs() throws StartupException {
        String home = System.getProperty("fusecache.home");
        if (home == null) {
            throw new StartupException("bench starts bin/client and bin/coordinator: run it as bin/fusecache bench");
        }
        return Path.of(home, "bin");
    }
}
