package io.fusecache.testkit;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Whether what several programs did at once, each one call after another, can be told as one order of whole calls: in which a call that
 * had ended before another began comes first, and every answer is right (Herlihy and Wing, 1990).
 *
 * <p>The search goes call by call (Wing and Gong, 1993): next may come the next call of any program, unless another program's next had
 * ended before it began. What was tried already, so many calls of each program with the same state after them, is not tried again
 * (Lowe, 2017), which keeps the search short where the state says little about the way to it. Histories of objects that have nothing to do
 * with each other are best looked at one by one: all together are right where each is.
 */
public final class Linearizability {
    private Linearizability() {}

    /** The object that is called, as a state that is equal to another where no call could tell them apart. */
    public interface Model<S, C> {
        S initial();

        /** The state after a call, which holds its answer; null where that answer would be wrong. */
        @Nullable S after(S state, C call);
    }

    /** One call of one program, by a clock that all programs share. */
    public record Step<C>(int program, long begun, long ended, C call) {}

    private record Reached<S>(List<Integer> done, S state) {}

    /**
     * Empty where there is such an order. Otherwise what to tell a person: how far any order comes, and what comes next then.
     *
     * @param mostStates an AssertionError where more had to be looked at
     */
    public static <S, C> Optional<String> unexplained(Model<S, C> model, List<Step<C>> history, int mostStates) {
        List<List<Step<C>>> programs = programs(history);
        ArrayDeque<Reached<S>> open = new ArrayDeque<>();
        Set<Reached<S>> seen = new HashSet<>();
        Reached<S> furthest = new Reached<>(Collections.nCopies(programs.size(), 0), model.initial());
        open.push(furthest);
        while (!open.isEmpty()) {
            Reached<S> here = open.pop();
            if (calls(here) > calls(furthest)) {
                furthest = here;
            }
            if (calls(here) == history.size()) {
                return Optional.empty();
            }
            for (Step<C> step : candidates(programs, here.done())) {
                S after = model.after(here.state(), step.call());
                if (after != null) {
                    Reached<S> next = new Reached<>(oneMore(programs, here.done(), step), after);
                    if (seen.add(next)) {
                        open.push(next);
                    }
                }
            }
            if (seen.size() > mostStates) {
                throw new AssertionError("undecided after " + mostStates + " states");
            }
        }
        return Optional.of(describe(programs, furthest));
    }

    private static int calls(Reached<?> reached) {
        return reached.done().stream().mapToInt(Integer::intValue).sum();
    }

    private static <C> List<List<Step<C>>> programs(List<Step<C>> history) {
        Map<Integer, List<Step<C>>> programs = new TreeMap<>();
        for (Step<C> step : history) {
            programs.computeIfAbsent(step.program(), none -> new ArrayList<>()).add(step);
        }
        for (List<Step<C>> steps : programs.values()) {
            steps.sort(Comparator.comparingLong(Step::begun));
            for (int i = 1; i < steps.size(); i++) {
                if (steps.get(i).begun() < steps.get(i - 1).ended()) {
                    throw new IllegalArgumentException("two calls of one program at once: " + steps.get(i));
                }
            }
        }
        return List.copyOf(programs.values());
    }

    private static <C> List<Step<C>> candidates(List<List<Step<C>>> programs, List<Integer> done) {
        List<Step<C>> next = new ArrayList<>();
        long firstEnd = Long.MAX_VALUE;
        for (int i = 0; i < programs.size(); i++) {
            if (done.get(i) < programs.get(i).size()) {
                Step<C> step = programs.get(i).get(done.get(i));
                next.add(step);
                firstEnd = Math.min(firstEnd, step.ended());
            }
        }
        long end = firstEnd;
        next.removeIf(step -> step.begun() > end);
        return next;
    }

    private static <C> List<Integer> oneMore(List<List<Step<C>>> programs, List<Integer> done, Step<C> step) {
        List<Integer> more = new ArrayList<>(done);
        for (int i = 0; i < more.size(); i++) {
            int count = more.get(i);
            if (programs.get(i).getFirst().program() == step.program()) {
                more.set(i, count + 1);
            }
        }
        return List.copyOf(more);
    }

    private static <S, C> String describe(List<List<Step<C>>> programs, Reached<S> furthest) {
        StringBuilder text = new StringBuilder(
                "no order comes further than " + furthest.done() + " calls, to " + furthest.state() + "; then come");
        for (int i = 0; i < programs.size(); i++) {
            List<Step<C>> steps = programs.get(i);
            int from = Math.max(0, furthest.done().get(i) - 2);
            int to = Math.min(steps.size(), furthest.done().get(i) + 2);
            for (int at = from; at < to; at++) {
                text.append(at < furthest.done().get(i) ? "\n  done " : "\n  next ")
                        .append(steps.get(at));
            }
        }
        return text.toString();
    }
}
