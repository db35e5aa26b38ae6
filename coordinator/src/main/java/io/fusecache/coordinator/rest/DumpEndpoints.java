package io.fusecache.coordinator.rest;

import io.fusecache.coordinator.Coordinator;
import io.fusecache.coordinator.StateLoad;
import io.fusecache.coordinator.dump.DumpException;
import io.fusecache.coordinator.dump.Load;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.Semaphore;

/** The namespace as lines of JSON, and back. */
final class DumpEndpoints {
    private static final String LINES = "application/jsonl";

    private static final long MOST_DRAINED = 1L << 30;

    /** Each holds a snapshot of the database, which keeps all that changes meanwhile. */
    private static final int DUMPS_AT_ONCE = 2;

    private static final int RETRY_SECONDS = 30;

    /** That of whoever reads one. */
    static final PacedOutput.Pace PACE = new PacedOutput.Pace(128 << 10, Duration.ofSeconds(30));

    private final Coordinator coordinator;
    private final PacedOutput.Pace pace;
    private final Semaphore dumps = new Semaphore(DUMPS_AT_ONCE);

    /** What was loaded. */
    record Loaded(String namespace, long inodes, long usedBytes) {}

    DumpEndpoints(Coordinator coordinator, PacedOutput.Pace pace) {
        this.coordinator = coordinator;
        this.pace = pace;
    }

    /** What breaks off has no end line. */
    void dump(Exchange exchange) throws RestFailure, IOException {
        if (coordinator.loading()) {
            throw new RestFailure(503, "loading", "a dump is being loaded, or awaited");
        }
        if (!dumps.tryAcquire()) {
            exchange.replyHeader("Retry-After", Integer.toString(RETRY_SECONDS));
            throw new RestFailure(503, "busy", DUMPS_AT_ONCE + " dumps are under way: try again later");
        }
        try {
            exchange.reply(LINES, pace, coordinator::dump);
        } finally {
            dumps.release();
        }
    }

    void load(Exchange exchange) throws RestFailure, IOException {
        InputStream body = exchange.stream();
        try {
            Load.Loaded loaded = coordinator.load(body);
            exchange.reply(200, new Loaded(loaded.namespace(), loaded.inodes(), loaded.usedBytes()));
        } catch (StateLoad.NotEmptyException refused) {
            drain(body);
            throw new RestFailure(409, "not_empty", String.valueOf(refused.getMessage()));
        } catch (DumpException wrong) {
            drain(body);
            throw new RestFailure(400, "invalid_dump", String.valueOf(wrong.getMessage()));
        }
    }

    /** Whoever is still sending would find the connection broken, and not what was wrong. */
    private static void drain(InputStream body) throws IOException {
        byte[] part = new byte[64 << 10];
        long left = MOST_DRAINED;
        for (int read = body.read(part); read >= 0 && left > 0; read = body.read(part)) {
            left -= read;
        }
    }
}
