package io.fusecache.testkit.posix;

import io.fusecache.testkit.posix.scene.Report;
import io.fusecache.testkit.posix.scene.Rule;
import io.fusecache.testkit.posix.scene.Runner;
import io.fusecache.testkit.posix.scene.Runner.Leftovers;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.DynamicTest;

/** The suite for JUnit: one test for each man page, which names the rules that are broken. */
public final class PosixContract {
    private PosixContract() {}

    /**
     * What a file system is excused from. Each is a pattern that is found in names of rules, and the reason.
     *
     * @param broken a pattern none of whose rules is broken any more, of those run, fails too, so that the list only shrinks
     * @param inapplicable finds all rules that cannot be tried, of those run, and no others: a feature that is lost makes
     *     more rules inapplicable, and must not go unseen
     */
    public record Excuses(Map<String, String> broken, Map<String, String> inapplicable) {
        public Excuses {
            broken = Map.copyOf(broken);
            inapplicable = Map.copyOf(inapplicable);
        }
    }

    /** Runs rules at once, and answers their outcome as tests. */
    public static Stream<DynamicTest> of(
            List<Rule> rules, Path directory, int threads, Leftovers leftovers, Excuses excuses)
            throws IOException, InterruptedException {
        Report report = Runner.run(rules, directory, threads, leftovers);
        System.out.println(report.summary());
        Map<String, List<String>> pages = new LinkedHashMap<>();
        for (Rule rule : rules) {
            pages.computeIfAbsent(rule.page(), _ -> new ArrayList<>());
        }
        Set<String> unused = excuses.broken().keySet().stream()
                .filter(pattern -> !found(pattern, rules).isEmpty())
                .collect(Collectors.toCollection(TreeSet::new));
        for (Report.Failed failed : report.failed()) {
            String name = failed.rule().name();
            List<String> reasons = excuses.broken().keySet().stream()
                    .filter(pattern -> Pattern.compile(pattern).matcher(name).find())
                    .toList();
            reasons.forEach(unused::remove);
            if (reasons.isEmpty()) {
                pages.computeIfAbsent(failed.rule().page(), _ -> new ArrayList<>())
                        .add(name + "\n    " + failed.why());
            }
        }
        Stream<DynamicTest> tests = pages.entrySet().stream()
                .map(page -> DynamicTest.dynamicTest(page.getKey(), () -> {
                    if (!page.getValue().isEmpty()) {
                        Assertions.fail("broken rules:\n" + String.join("\n", page.getValue()));
                    }
                }));
        return Stream.concat(
                tests,
                Stream.of(
                        DynamicTest.dynamicTest(
                                "rules known as broken are broken",
                                () -> Assertions.assertEquals(Set.of(), unused, "hold now: take them off the list")),
                        DynamicTest.dynamicTest(
                                "rules known as not applicable, and no others, were not tried",
                                () -> inapplicable(rules, report, excuses))));
    }

    private static void inapplicable(List<Rule> rules, Report report, Excuses excuses) {
        Set<String> listed = excuses.inapplicable().keySet().stream()
                .flatMap(pattern -> found(pattern, rules).stream())
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> untried = report.inapplicable().stream()
                .map(result -> result.rule().name())
                .collect(Collectors.toCollection(TreeSet::new));
        Set<String> tried = new TreeSet<>(listed);
        tried.removeAll(untried);
        Assertions.assertEquals(Set.of(), tried, "were tried, or are broken: take them off the list");
        List<String> unlisted = report.inapplicable().stream()
                .filter(result -> !listed.contains(result.rule().name()))
                .map(result -> result.rule().name() + "\n    " + result.why())
                .toList();
        if (!unlisted.isEmpty()) {
            Assertions.fail("were not tried, and are not on the list:\n" + String.join("\n", unlisted));
        }
    }

    private static List<String> found(String pattern, List<Rule> rules) {
        Pattern compiled = Pattern.compile(pattern);
        return rules.stream()
                .map(Rule::name)
                .filter(name -> compiled.matcher(name).find())
                .toList();
    }
}
