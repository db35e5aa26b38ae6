package io.fusecache.coordinator.rest;

import io.fusecache.coordinator.namespace.Context;
import io.fusecache.coordinator.namespace.Outcome;
import io.fusecache.coordinator.session.Sessions;
import io.fusecache.coordinator.state.View;
import io.fusecache.metadata.session.Answer;
import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;

/** What a person changes: waits for all nodes that have to hear of it first. */
final class Change {
    private static final int ANSWER_SECONDS = 60;

    private Change() {}

    static Answer make(Sessions sessions, BiFunction<Context, View, Outcome> command) throws IOException {
        try {
            return sessions.change(command).get(ANSWER_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("no answer within " + ANSWER_SECONDS + " s", e);
        }
    }
}
