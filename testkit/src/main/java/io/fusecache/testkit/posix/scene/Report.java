package io.fusecache.testkit.posix.scene;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** How every rule fared, in the order of the suite. */
public record Report(List<Result> results) {
    public Report {
        results = List.copyOf(results);
    }

    /** How one rule fared. */
    public sealed interface Result {
        Rule rule();
    }

    /** The rule holds. */
    public record Passed(Rule rule) implements Result {}

    /** The rule is broken, or could not be tried for a reason that is no excuse. */
    public record Failed(Rule rule, String why) implements Result {}

    /** The rule cannot be tried here. */
    public record Inapplicable(Rule rule, String why) implements Result {}

    public List<Failed> failed() {
        return those(Failed.class);
    }

    public List<Inapplicable> inapplicable() {
        return those(Inapplicable.class);
    }

    private <R extends Result> List<R> those(Class<R> fate) {
        return results.stream().filter(fate::isInstance).map(fate::cast).toList();
    }

    /** 'N passed, N failed, N not applicable (why: how many)'. */
    public String summary() {
        int passed = 0;
        int failed = 0;
        int inapplicable = 0;
        Map<String, Integer> reasons = new TreeMap<>();
        for (Result result : results) {
            switch (result) {
                case Passed _ -> passed++;
                case Failed _ -> failed++;
                case Inapplicable(Rule _, String why) -> {
                    inapplicable++;
                    reasons.merge(why, 1, Integer::sum);
                }
            }
        }
        List<String> whys = new ArrayList<>();
        reasons.forEach((why, count) -> whys.add(why + ": " + count));
        return passed + " passed, " + failed + " failed, " + inapplicable + " not applicable"
                + (whys.isEmpty() ? "" : " (" + String.join("; ", whys) + ")");
    }
}
