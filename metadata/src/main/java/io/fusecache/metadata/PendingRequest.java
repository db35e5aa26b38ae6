package io.fusecache.metadata;

import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.util.concurrent.CompletableFuture;

/** A request of the session without an answer. */
final class PendingRequest {
    final long order;
    final int slot;
    final long sequence;
    final Operation operation;
    final CompletableFuture<Answer> answer = new CompletableFuture<>();
    volatile boolean sent;

    PendingRequest(long order, int slot, long sequence, Operation operation) {
        this.order = order;
        this.slot = slot;
        this.sequence = sequence;
        this.operation = operation;
    }
}
