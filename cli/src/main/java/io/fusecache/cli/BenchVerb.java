package io.fusecache.cli;

import io.fusecache.bench.BucketSideBySide;
import io.fusecache.bench.Report;
import io.fusecache.bench.SideBySide;
import io.fusecache.bench.Sizes;
import io.fusecache.client.StartupException;
import io.fusecache.client.settings.GoDuration;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * {@code fusecache bench}: a mount and the disk below it, side by side.
 *
 * <p>Without {@code --mount} it starts a coordinator and a client of its own on that disk, and stops them. With {@code --bucket} these use
 * a bucket, and beside them is a program that uses it by its SDK alone. The table goes to
 * {@code out}, what is being measured to standard error. With {@code --check} a missed bar is a failure.
 */
final class BenchVerb {
    static final String USAGE =
            "[--disk DIR] [--mount DIR | --bucket S3-BUCKET [--connections N]] [--repeats ODD] [--size-mib N] [--files N] [--span TIME] [--check]";

    private static final VerbLine.Form FORM = new VerbLine.Form(
            "bench",
            USAGE,
            List.of("check"),
            List.of("disk", "mount", "bucket", "connections", "repeats", "size-mib", "files", "span"),
            0,
            0);
    /** Set by bin/fusecache: where the programs of this installation are. */
    private static final String HOME = "fusecache.home";

    private static final int CONNECTIONS = 8;

    private BenchVerb() {}

    static int run(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        VerbLine line = FORM.parse(words);
        SideBySide bench = new SideBySide(sizes(line), System.err::println);
        Path disk = folder(line, "disk").orElse(Path.of("/var/tmp"));
        Optional<Path> mount = folder(line, "mount");
        Optional<String> bucket = line.option("bucket");
        if (mount.isPresent() && bucket.isPresent()) {
            throw new UsageException("bench: --mount and --bucket are two kinds of bench: give one of them");
        }
        Report report;
        if (bucket.isPresent()) {
            int connections = number(line, "connections", CONNECTIONS);
            report = new BucketSideBySide(bucket.get(), sizes(line), connections, System.err::println)
                    .run(programs(), disk);
        } else if (mount.isPresent()) {
            if (mount.get().toRealPath().equals(disk.toRealPath())) {
                throw new UsageException("bench: --mount and --disk are both " + disk + ": name two folders");
            }
            report = bench.ofMount(mount.get(), disk);
        } else {
            report = bench.ofTrialCluster(programs(), disk);
        }
        out.print(report.markdown());
        return line.has("check") && !report.reached() ? ExitStatus.FAILURE : ExitStatus.DONE;
    }

    private static Sizes sizes(VerbLine line) throws UsageException {
        Sizes standard = Sizes.standard();
        int repeats = number(line, "repeats", standard.repeats());
        int mebibytes = number(line, "size-mib", standard.largeFileMebibytes());
        int files = number(line, "files", standard.smallFiles());
        try {
            return new Sizes(repeats, mebibytes, files, span(line, standard.span()));
        } catch (IllegalArgumentException wrong) {
            throw new UsageException("bench: " + wrong.getMessage());
        }
    }

    private static Duration span(VerbLine line, Duration absent) throws UsageException {
        Optional<String> text = line.option("span");
        try {
            return text.map(GoDuration::parse).orElse(absent);
        } catch (IllegalArgumentException wrong) {
            throw new UsageException("bench: --span: '" + text.orElse("") + "': " + wrong.getMessage());
        }
    }

    private static int number(VerbLine line, String option, int absent) throws UsageException {
        Optional<String> text = line.option(option);
        if (text.isEmpty()) {
            return absent;
        }
        if (!text.get().matches("[1-9]\\d{0,5}")) {
            throw new UsageException(
                    "bench: --" + option + ": '" + text.get() + "': expected a number from 1 to 999999");
        }
        return Integer.parseInt(text.get());
    }

    private static Optional<Path> folder(VerbLine line, String option) throws UsageException {
        Optional<Path> folder = line.option(option).map(Path::of);
        if (folder.isPresent() && !(Files.isDirectory(folder.get()) && Files.isWritable(folder.get()))) {
            throw new UsageException(
                    "bench: --" + option + ": " + folder.get() + ": expected a folder that exists and is writable");
        }
        return folder;
    }

    private static Path programs() throws StartupException {
        String home = System.getProperty(HOME);
        if (home == null) {
            throw new StartupException("-D" + HOME + " is not set: start it as bin/fusecache, or give --mount");
        }
        return Path.of(home, "bin");
    }
}
