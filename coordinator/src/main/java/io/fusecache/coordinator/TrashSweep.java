package io.fusecache.coordinator;

import io.fusecache.coordinator.namespace.Trash;
import io.fusecache.coordinator.session.Sessions;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the files of the trash whose time is over. Each command ends a bounded number, and the next one begins when it is
 * done; to look costs one read of the state.
 */
final class TrashSweep {
    private static final Logger LOG = LoggerFactory.getLogger(TrashSweep.class);
    private static final long PERIOD_MILLIS = 1_000;

    private final Sessions sessions;
    private final ScheduledExecutorService timer;

    private TrashSweep(Sessions sessions, ScheduledExecutorService timer) {
        this.sessions = sessions;
        this.timer = timer;
    }

    static void start(Sessions sessions, ScheduledExecutorService timer) {
        new TrashSweep(sessions, timer).again(PERIOD_MILLIS);
    }

    private void again(long delayMillis) {
        later(delayMillis).execute(this::sweep);
    }

    private Executor later(long delayMillis) {
        return work -> {
            var ignored = timer.schedule(work, delayMillis, TimeUnit.MILLISECONDS);
        };
    }

    private void sweep() {
        try {
            if (!sessions.read(Trash::anyDue)) {
                again(PERIOD_MILLIS);
                return;
            }
            var ignored = sessions.change(Trash::expire).whenComplete((answer, failure) -> {
                if (failure != null || answer.failure() != null) {
                    LOG.warn("files of the trash are not ended yet: {}", failure == null ? answer.failure() : failure);
                    again(PERIOD_MILLIS);
                } else {
                    again(0);
                }
            });
        } catch (IllegalStateException | CompletionException closed) {
            LOG.debug("the trash is not swept any more", closed);
        }
    }
}
