package io.fusecache.testkit.posix;

import io.fusecache.testkit.posix.rules.Chapters;
import io.fusecache.testkit.posix.scene.Report;
import io.fusecache.testkit.posix.scene.Rule;
import io.fusecache.testkit.posix.scene.Runner;
import io.fusecache.testkit.posix.scene.Runner.Leftovers;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/** The suite as a program: checks a mounted directory, prints every broken rule, and ends with 1 where there is one. */
public final class PosixSuite {
    private static final String USAGE = """
            usage: java --enable-native-access=ALL-UNNAMED -cp fusecache-testkit.jar \
            io.fusecache.testkit.posix.PosixSuite [--only REGEX] [--slow] [--threads N] [--keep] [--list] DIRECTORY
              --only     rules whose name has a match of this
              --slow     those too that take a minute each
              --threads  how many rules at once (2)
              --keep     leave what the rules make, which takes half the time where removing is dear
              --list     print the names of the rules, and try none
            Root must run it: it makes calls as several users.""";

    private static final int DEFAULT_THREADS = 2;

    private PosixSuite() {}

    /** All rules but the slow ones, by chapters. */
    public static List<Rule> rules() {
        return Chapters.all().stream().filter(rule -> !rule.slow()).toList();
    }

    /**
     * Every so-manieth rule: all shares together are all rules, and each has some of every table.
     *
     * @param which from 0
     */
    public static List<Rule> share(int which, int of) {
        List<Rule> rules = rules();
        return IntStream.range(0, rules.size())
                .filter(i -> i % of == which)
                .mapToObj(rules::get)
                .toList();
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        Pattern only = Pattern.compile("");
        int threads = DEFAULT_THREADS;
        boolean list = false;
        boolean slow = false;
        Leftovers leftovers = Leftovers.REMOVED;
        Path directory = null;
        Queue<String> words = new ArrayDeque<>(List.of(arguments));
        for (String word = words.poll(); word != null; word = words.poll()) {
            switch (word) {
                case "--only" -> only = Pattern.compile(value(words));
                case "--threads" -> threads = Integer.parseInt(value(words));
                case "--slow" -> slow = true;
                case "--keep" -> leftovers = Leftovers.KEPT;
                case "--list" -> list = true;
                default -> directory = Path.of(word);
            }
        }
        Pattern wanted = only;
        List<Rule> rules = (slow ? Chapters.all() : rules())
                .stream().filter(rule -> wanted.matcher(rule.name()).find()).toList();
        if (list) {
            rules.forEach(rule -> System.out.println(rule.name()));
        } else if (directory == null) {
            System.err.println(USAGE);
            System.exit(2);
        } else {
            System.exit(run(rules, directory, threads, leftovers) ? 0 : 1);
        }
    }

    private static boolean run(List<Rule> rules, Path directory, int threads, Leftovers leftovers)
            throws IOException, InterruptedException {
        long start = System.nanoTime();
        Report report = Runner.run(rules, directory, threads, leftovers);
        for (Report.Inapplicable untried : report.inapplicable()) {
            System.out.println("NOT APPLICABLE " + untried.rule().name() + "\n       " + untried.why());
        }
        for (Report.Failed failed : report.failed()) {
            System.out.println("FAILED " + failed.rule().name() + "\n       " + failed.why());
        }
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        System.out.printf("%s, in %.1f s%n", report.summary(), took.toMillis() / 1000.0);
        return report.failed().isEmpty();
    }

    private static String value(Queue<String> words) {
        String value = words.poll();
        if (value == null) {
            System.err.println(USAGE);
            System.exit(2);
            throw new AssertionError("exited");
        }
        return value;
    }
}
