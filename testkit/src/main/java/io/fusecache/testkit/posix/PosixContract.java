package io.fusecache.testkit.posix;

import io.fusecache.testkit.posix.scene.Report;
import io.fusecache.testkit.posix.scene.Rule;
import io.fusecache.testkit.posix.scene.Runner;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.DynamicTest;

/** The suite for JUnit: one test for each man page, which names the rules that are broken. */
public final class PosixContract {
    private PosixContract() {}

    /** All rules, as {@link #of(List, Path, int, Map)} runs them. */
    public static Stream<DynamicTest> of(Path directory, int threads, Map<String, String> known)
            throws IOException, InterruptedException {
        return of(PosixSuite.rules(), directory, threads, known);
    }

    /**
     * Runs rules at once, and answers their outcome as tests.
     *
     * @param known rules that are broken for a reason: a pattern that is found in their names, and the reason. A pattern
     *     none of whose rules is broken any more, of those run, fails too, so that the list only shrinks
     */
    public static Stream<DynamicTest> of(List<Rule> rules, Path directory, int threads, Map<String, String> known)
            throws IOException, InterruptedException {
        Report report = Runner.run(rules, directory, threads);
        System.out.println(report.summary());
        Map<String, List<String>> pages = new LinkedHashMap<>();
        for (Rule rule : rules) {
            pages.computeIfAbsent(rule.page(), _ -> new ArrayList<>());
        }
        List<String> unused = known.keySet().stream()
                .filter(pattern -> {
                    Pattern excused = Pattern.compile(pattern);
                    return rules.stream()
                            .anyMatch(rule -> excused.matcher(rule.name()).find());
                })
                .collect(Collectors.toCollection(ArrayList::new));
        for (Report.Failed failed : report.failed()) {
            String name = failed.rule().name();
            List<String> excuses = known.keySet().stream()
                    .filter(pattern -> Pattern.compile(pattern).matcher(name).find())
                    .toList();
            unused.removeAll(excuses);
            if (excuses.isEmpty()) {
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
                Stream.of(DynamicTest.dynamicTest(
                        "rules known as broken are broken",
                        () -> Assertions.assertEquals(List.of(), unused, "hold now: take them off the list"))));
    }
}
