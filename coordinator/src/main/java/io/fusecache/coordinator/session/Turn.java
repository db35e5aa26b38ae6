package io.fusecache.coordinator.session;

import io.fusecache.coordinator.namespace.Context;
import io.fusecache.coordinator.namespace.Outcome;
import io.fusecache.coordinator.state.View;
import java.util.ArrayList;
import java.util.HashMap;
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

    final @Nullable Session session;
    final Command command;
    final Completion completion;
    final boolean mutation;
    final int slot;
    final long sequence;

    /** When a wait for a write lease ends. */
    final long deadlineNanos;

    /** What recalled sessions said is open with them. */
    final Map<Long, Set<Long>> inUse = new HashMap<>();

    /** Inodes on which nobody gets a lease until this is done. */
    Set<Long> blocked = Set.of();

    /** Recalls that are out. */
    int awaiting;

    /** Turns that come after this one. */
    final List<Turn> behind = new ArrayList<>();

    /** Counts its stops, so that a timer of an earlier one does nothing. */
    int stops;

    Turn(
            @Nullable Session session,
            int slot,
            long sequence,
            boolean mutation,
            long deadlineNanos,
            Command command,
            Completion completion) {
        this.session = session;
        this.slot = slot;
        this.sequence = sequence;
        this.mutation = mutation;
        this.deadlineNanos = deadlineNanos;
        this.command = command;
        this.completion = completion;
    }
}
