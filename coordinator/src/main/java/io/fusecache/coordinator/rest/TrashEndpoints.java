package io.fusecache.coordinator.rest;

import io.fusecache.coordinator.namespace.Trash;
import io.fusecache.coordinator.session.Sessions;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** The trash: how long removed files are kept, which are there, given back, ended before their time. */
final class TrashEndpoints {
    private static final int DEFAULT_FILES = 1_000;
    private static final int MOST_FILES = 1_000;

    private final Sessions sessions;

    /** How long files are kept that are removed from now on; 0 for not at all. */
    record Keeping(@Nullable Long keepSeconds) {}

    /** A removed file; {@code removedBy} is the node, or "" where it is not known. */
    record Removed(
            long id, String path, String type, long size, String removedBy, String removedAt, String keptUntil) {}

    /** Which file, by its id or by the path that it had, and where it goes: its old path where that is not said. */
    record Wanted(
            @Nullable Long id,
            @Nullable String path,
            @Nullable String to) {}

    TrashEndpoints(Sessions sessions) {
        this.sessions = sessions;
    }

    void keeping(Exchange exchange) throws IOException {
        long millis = sessions.read((context, view) -> Trash.rule(view)).keepMillis();
        exchange.reply(200, new Keeping(millis / 1_000));
    }

    void keep(Exchange exchange) throws RestFailure, IOException {
        Long seconds = Demand.given(exchange.body(Keeping.class).keepSeconds(), "keep_seconds");
        Duration time = Duration.ofSeconds(seconds);
        Answer.Failure failure = Change.make(sessions, (context, view) -> Trash.keep(time, context, view))
                .failure();
        if (failure != null) {
            throw Demand.invalid("keep_seconds", failure.message());
        }
        exchange.reply(200, Map.of("success", true));
    }

    void list(Exchange exchange) throws RestFailure, IOException {
        List<FileName> path =
                FilePath.of(exchange.queryBytes("path").orElse(new byte[0])).names();
        int limit = Math.max(1, exchange.queryNumber("limit", DEFAULT_FILES, MOST_FILES));
        byte[] after = token(exchange.query("after").orElse(""));
        Trash.Page page = sessions.read((context, view) -> Trash.page(path, after, limit, view));
        byte[] next = page.next();
        exchange.replyHeader("X-Truncated", Boolean.toString(next != null));
        if (next != null) {
            exchange.replyHeader(
                    "X-Next", Base64.getUrlEncoder().withoutPadding().encodeToString(next));
        }
        exchange.reply(200, page.files().stream().map(TrashEndpoints::removed).toList());
    }

    private static byte @Nullable [] token(String text) throws RestFailure {
        try {
            return text.isEmpty() ? null : Base64.getUrlDecoder().decode(text);
        } catch (IllegalArgumentException wrong) {
            throw new RestFailure(400, "invalid_query", "after: expected what X-Next of the page before said");
        }
    }

    private static Removed removed(Trash.Kept kept) {
        Inode inode = kept.inode();
        return new Removed(
                inode.ino(),
                new FilePath(kept.record().path()).toString(),
                inode.regular() ? "file" : "symlink",
                inode.size(),
                kept.record().by() == null ? "" : kept.record().by().value(),
                Instant.ofEpochMilli(kept.record().removedMillis()).toString(),
                Instant.ofEpochMilli(kept.record().untilMillis()).toString());
    }

    void restore(Exchange exchange) throws RestFailure, IOException {
        Wanted wanted = exchange.body(Wanted.class);
        long ino = find(wanted);
        List<FileName> before = sessions.read((context, view) -> new Before(Trash.pathOf(ino, view)))
                .path();
        if (before == null) {
            throw new RestFailure(404, "not_in_trash", ino + " is not in the trash: it lists what is");
        }
        FilePath to = wanted.to() == null ? new FilePath(before) : FilePath.of(wanted.to());
        if (to.root()) {
            throw Demand.invalid("to", "the path of a file is expected");
        }
        FileName name = to.names().getLast();
        long parent = directory(new FilePath(to.names().subList(0, to.names().size() - 1)), to);
        Answer.Failure failure = Change.make(
                        sessions, (context, view) -> Trash.restore(ino, parent, name, context, view))
                .failure();
        if (failure != null && failure.errno() == Errno.EEXIST) {
            throw new RestFailure(409, "exists", to + " exists: restore it to another path");
        }
        if (failure != null && failure.errno() == Errno.ENOENT) {
            throw new RestFailure(404, "not_in_trash", failure.message());
        }
        if (failure != null) {
            throw new RestFailure(409, "refused", to + ": " + failure.message());
        }
        exchange.reply(200, Map.of("path", to.toString()));
    }

    private record Before(@Nullable List<FileName> path) {}

    private long find(Wanted wanted) throws RestFailure {
        if ((wanted.id() == null) == (wanted.path() == null)) {
            throw new RestFailure(400, "missing_field", "id or path: expected one of them");
        }
        if (wanted.id() != null) {
            return wanted.id();
        }
        FilePath path = FilePath.of(Demand.given(wanted.path(), "path"));
        OptionalLong last = sessions.read((context, view) -> Trash.lastRemoved(path.names(), view));
        return last.orElseThrow(
                () -> new RestFailure(404, "not_in_trash", "no file of the trash had the path " + path));
    }

    private long directory(FilePath path, FilePath file) throws RestFailure {
        Answer answer = sessions.ask(new Operation.ReadInode(Inode.ROOT));
        for (FileName name : path.names()) {
            if (answer.result() instanceof Answer.OneInode(Inode parent)) {
                answer = sessions.ask(new Operation.Lookup(parent.ino(), name));
            }
        }
        if (answer.result() instanceof Answer.OneInode(Inode directory) && directory.directory()) {
            return directory.ino();
        }
        throw new RestFailure(
                409,
                "no_directory",
                "the directory " + path + " of " + file + " is gone: make it, or restore to another path");
    }

    /** In batches, so that nothing else waits long; what is removed meanwhile stays. */
    void empty(Exchange exchange) throws RestFailure, IOException {
        int age = exchange.queryNumber("older_than_seconds", 0, 999_999_999);
        long last = sessions.read((context, view) -> context.now().toInstant().toEpochMilli()) - 1_000L * age;
        long ended = 0;
        byte[] after = null;
        do {
            byte[] from = after;
            Trash.Page page = sessions.read((context, view) -> Trash.page(List.of(), from, Trash.MOST_AT_ONCE, view));
            List<Long> inodes =
                    page.files().stream().map(kept -> kept.inode().ino()).toList();
            Answer answer = Change.make(sessions, (context, view) -> Trash.drop(inodes, last, context, view));
            if (!(answer.result() instanceof Answer.Count(int count))) {
                throw new RestFailure(503, "refused", String.valueOf(answer.failure()));
            }
            ended += count;
            after = page.next();
        } while (after != null);
        exchange.reply(200, Map.of("removed", ended));
    }
}
