package io.fusecache.coordinator.rest;

import io.fusecache.coordinator.namespace.Context;
import io.fusecache.coordinator.namespace.Outcome;
import io.fusecache.coordinator.namespace.Quotas;
import io.fusecache.coordinator.session.Sessions;
import io.fusecache.coordinator.state.View;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.session.Answer;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** Quotas of directory trees: shown, set, removed. */
final class QuotaEndpoints {
    private final Sessions sessions;

    /** What a tree may take: a limit of 0, or none, is no limit. */
    record NewQuota(
            @Nullable String path,
            @Nullable Long limitBytes,
            @Nullable Long limitInodes) {}

    /** A limited tree. */
    record Quota(String path, long limitBytes, long limitInodes, long usedBytes, long usedInodes) {}

    QuotaEndpoints(Sessions sessions) {
        this.sessions = sessions;
    }

    void list(Exchange exchange) throws IOException {
        List<Quota> all = sessions.read((context, view) -> Quotas.all(view)).stream()
                .map(limited -> new Quota(
                        new FilePath(limited.path()).toString(),
                        limited.quota().mostBytes(),
                        limited.quota().mostInodes(),
                        limited.quota().usedBytes(),
                        limited.quota().usedInodes()))
                .toList();
        exchange.reply(200, all);
    }

    void set(Exchange exchange) throws RestFailure, IOException {
        NewQuota wanted = exchange.body(NewQuota.class);
        FilePath path = FilePath.of(Demand.given(wanted.path(), "path"));
        long bytes = Demand.bytes(wanted.limitBytes(), "limit_bytes");
        long inodes = Demand.bytes(wanted.limitInodes(), "limit_inodes");
        if (bytes == 0 && inodes == 0) {
            throw new RestFailure(400, "missing_field", "limit_bytes or limit_inodes: expected above 0");
        }
        long directory = Paths.find(sessions, path).ino();
        change((context, view) -> Quotas.limit(directory, bytes, inodes, context, view), path);
        exchange.reply(200, Map.of("success", true));
    }

    void remove(Exchange exchange) throws RestFailure, IOException {
        FilePath path = FilePath.of(exchange.queryBytes("path")
                .orElseThrow(() -> new RestFailure(400, "missing_query", "path: missing: ?path=/a/directory")));
        long directory = Paths.find(sessions, path).ino();
        change((context, view) -> Quotas.lift(directory, context, view), path);
        exchange.reply(200, Map.of("success", true));
    }

    private void change(BiFunction<Context, View, Outcome> command, FilePath path) throws RestFailure, IOException {
        Answer.Failure failure = Change.make(sessions, command).failure();
        if (failure != null && failure.errno() == Errno.ENODATA) {
            throw new RestFailure(404, "no_quota", path + " has no quota");
        }
        if (failure != null) {
            throw new RestFailure(409, "refused", path + ": " + failure.message());
        }
    }
}
