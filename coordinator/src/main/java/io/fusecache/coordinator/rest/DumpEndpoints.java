package io.fusecache.coordinator.rest;

import io.fusecache.coordinator.Coordinator;
import io.fusecache.coordinator.StateLoad;
import io.fusecache.coordinator.dump.DumpException;
import io.fusecache.coordinator.dump.Load;
import java.io.IOException;

/** The namespace as lines of JSON, and back. */
final class DumpEndpoints {
    private static final String LINES = "application/jsonl";

    private final Coordinator coordinator;

    /** What was loaded. */
    record Loaded(String namespace, long inodes, long usedBytes) {}

    DumpEndpoints(Coordinator coordinator) {
        this.coordinator = coordinator;
    }

    /** What breaks off has no end line. */
    void dump(Exchange exchange) throws IOException {
        exchange.reply(LINES, coordinator::dump);
    }

    void load(Exchange exchange) throws RestFailure, IOException {
        try {
            Load.Loaded loaded = coordinator.load(exchange.stream());
            exchange.reply(200, new Loaded(loaded.namespace(), loaded.inodes(), loaded.usedBytes()));
        } catch (StateLoad.NotEmptyException refused) {
            throw new RestFailure(409, "not_empty", String.valueOf(refused.getMessage()));
        } catch (DumpException wrong) {
            throw new RestFailure(400, "invalid_dump", String.valueOf(wrong.getMessage()));
        }
    }
}
