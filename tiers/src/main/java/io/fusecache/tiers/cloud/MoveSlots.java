package io.fusecache.tiers.cloud;

import io.fusecache.cache.CloudTier.Permit;
import java.io.IOException;
import java.util.concurrent.Semaphore;

/** Bounds copies and deletes: a directory of large objects that moves leaves requests to those who read. */
final class MoveSlots {
    private final Attempts attempts;
    private final int count;
    private final Semaphore moves;

    MoveSlots(Attempts attempts, int count) {
        this.attempts = attempts;
        this.count = count;
        this.moves = new Semaphore(count, true);
    }

    int count() {
        return count;
    }

    <T> T run(String what, Permit permit, Attempts.Request<T> request) throws IOException {
        try {
            moves.acquire();
        } catch (InterruptedException e) {
            throw Attempts.interrupted(what);
        }
        try {
            return attempts.run(what, permit, request);
        } finally {
            moves.release();
        }
    }
}
