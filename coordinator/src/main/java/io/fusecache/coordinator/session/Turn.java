package io.fusecache.coordinator.session;

import io.fusecache.coordinator.namespace.Context;
import io.fusecache.coordinator.namespace.Outcome;
import io.fusecache.coordinator.state.View;
import io.fusecache.metadata.FileName;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One command on its way: executed, maybe several times, until nothing stands in its way, then applied once. */
final class Turn {
    /** The pure part. */
    @FunctionalInterface
    interface Command {
        Outcome execute(Context context, View view);
    }

    /** What becomes of the outcome that was applied. Called under the sequencer's lock. */
    @FunctionalInterface
    interface Completion {
        void complete(Outcome outcome);
    }

    /** Of what others wait for its session to give up, what this may come before. */
    enum Overtaking {
        NOTHING,
        DIRECTORIES,
        ALL
    }

    final @Nullable Session session;
    final Overtaking overtakes;
    final Command command;
    final Completion completion;
    final boolean mutation;
    final int slot;
    final long sequence;

    /** When a wait for a write lease ends. */
    final long deadlineNanos;

    /** What recalled sessions said is open with them. */
    final Map<Long, Set<Long>> inUse = new HashMap<>();

    /** Inodes on which nobody gets a lease until this is done, and of which everyone who had one was asked. */
    Set<Long> blocked = Set.of();

    /** Those of them of which was asked who has them open, because they lose their last name. */
    final Set<Long> unlinked = new HashSet<>();

    /** What was asked for of names in them. */
    final Map<Long, Set<FileName>> renamed = new HashMap<>();

    /** One of the same session that has to be done first, whatever comes before which otherwise. */
    @Nullable Turn after;

    boolean done;

    /** Recalls that are out. */
    int awaiting;

    /** Turns that come after this one. */
    final List<Turn> behind = new ArrayList<>();

    /** Counts its stops, so that a timer of an earlier one does nothing. */
    int stops;

    Turn(
            @Nullable Session session,
            Overtaking overtakes,
            int slot,
            long sequence,
            boolean mutation,
            long deadlineNanos,
            Command command,
            Completion completion) {
        this.session = session;
        this.overtakes = overtakes;
        this.slot = slot;
        this.sequence = sequence;
        this.mutation = mutation;
        this.deadlineNanos = deadlineNanos;
        this.command = command;
        this.completion = completion;
    }

    /** On behalf of nobody; waits for no writer. */
    static Turn ofNobody(Command command, Completion completion) {
        return new Turn(null, Overtaking.NOTHING, 0, 0, true, 0, command, completion);
    }

    /**
     * Of inodes that this turn holds already everyone was asked, and nobody has a lease since. But what overtook it may have
     * made another change of them: one that takes their last name, or one of further names, of which others are to be asked as well.
     */
    Set<Long> asked(Outcome outcome) {
        Set<Long> asked = new HashSet<>(blocked);
        outcome.unlinked().stream().filter(unlinked::add).forEach(asked::remove);
        outcome.renamed().forEach((directory, names) -> {
            if (renamed.computeIfAbsent(directory, none -> new HashSet<>()).addAll(names)) {
                asked.remove(directory);
            }
        });
        return asked;
    }
}
