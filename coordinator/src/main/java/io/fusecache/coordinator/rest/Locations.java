package io.fusecache.coordinator.rest;

import io.fusecache.coordinator.rest.FileLocation.Chunk;
import io.fusecache.coordinator.session.Sessions;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Holder;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.nio.charset.StandardCharsets;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Where files are: those of the namespace by their holders and their object, others as peers without a session told it. Told
 * locations are bounded, the oldest are forgotten first; guarded by this.
 */
final class Locations {
    private static final int MOST_TOLD = 100_000;
    private static final int ENTRIES_AT_ONCE = 1000;
    /** A listing looks at so many inodes at most, whatever it is asked for. */
    private static final int MOST_VISITED = 200_000;

    /** Nor tells more holders of blocks than this, of all its files together. */
    private static final int MOST_CHUNKS_LISTED = 100_000;

    private static final Set<String> TIERS = Set.of("nvme", "peer", "cloud");

    private final Sessions sessions;
    private final Map<FilePath, FileLocation> told = new LinkedHashMap<>();

    Locations(Sessions sessions) {
        this.sessions = sessions;
    }

    /** Some of the locations that were asked for; {@code truncated} where there may be more. */
    record Page(List<FileLocation> locations, boolean truncated) {}

    FileLocation find(FilePath path) throws RestFailure {
        Optional<Inode> inode = resolve(path);
        if (inode.isPresent() && inode.get().regular()) {
            Optional<FileLocation> location = location(path, inode.get());
            if (location.isPresent()) {
                return location.get();
            }
        }
        FileLocation other = told(path);
        if (other == null) {
            String why =
                    inode.isPresent() && !inode.get().regular() ? " is no regular file" : ": there is no such file";
            throw new RestFailure(404, "no_such_file", path + why);
        }
        return other;
    }

    private synchronized @Nullable FileLocation told(FilePath path) {
        return told.get(path);
    }

    void tell(FileLocation location) throws RestFailure {
        FilePath path = FilePath.of(Demand.given(location.filePath(), "file_path"));
        if (path.root()) {
            throw new RestFailure(400, "invalid_path", "file_path: the path of a file is expected");
        }
        FileLocation checked = new FileLocation(
                path.toString(),
                Demand.nodeId(location.peerId(), "peer_id").value(),
                Demand.oneOf(location.storageTier(), "storage_tier", TIERS),
                Demand.text(location.storagePath(), "storage_path"),
                Demand.bytes(location.fileSize(), "file_size"),
                Demand.time(location.lastAccessed(), "last_accessed"),
                location.isChunked() != null && location.isChunked(),
                chunks(location.chunks()));
        if (resolve(path).isPresent()) {
            throw new RestFailure(409, "in_namespace", path + " is a file of the volume: its nodes tell where it is");
        }
        synchronized (this) {
            told.remove(path);
            told.put(path, checked);
            if (told.size() > MOST_TOLD) {
                told.remove(told.keySet().iterator().next());
            }
        }
    }

    private static List<Chunk> chunks(@Nullable List<Chunk> chunks) throws RestFailure {
        List<Chunk> checked = new ArrayList<>();
        for (Chunk chunk : chunks == null ? List.<Chunk>of() : chunks) {
            Chunk given = Demand.given(chunk, "chunks");
            if (Demand.given(given.index(), "chunks.index") < 0) {
                throw Demand.invalid("chunks.index", "expected 0 or more");
            }
            checked.add(new Chunk(
                    given.index(),
                    Demand.nodeId(given.peerId(), "chunks.peer_id").value(),
                    Demand.text(given.chunkId(), "chunks.chunk_id")));
        }
        if (checked.size() > FileLocation.MOST_CHUNKS) {
            throw Demand.invalid("chunks", "expected at most " + FileLocation.MOST_CHUNKS);
        }
        return checked;
    }

    /** Files whose path begins with {@code prefix}: in the order of the tree, then those that were told. */
    Page list(byte[] prefix, int limit) throws RestFailure {
        List<FileLocation> found = new ArrayList<>();
        boolean truncated = walk(prefix, limit, found);
        String start = slashed(new String(prefix, StandardCharsets.UTF_8));
        synchronized (this) {
            for (FileLocation location : told.values()) {
                if (String.valueOf(location.filePath()).startsWith(start)) {
                    if (found.size() >= limit) {
                        return new Page(found, true);
                    }
                    found.add(location);
                }
            }
        }
        return new Page(found, truncated);
    }

    private static String slashed(String path) {
        return path.startsWith("/") ? path : "/" + path;
    }

    private record Directory(FilePath path, long ino) {}

    /** True where it ended before the tree did. */
    private boolean walk(byte[] prefix, int limit, List<FileLocation> found) throws RestFailure {
        int slash = prefix.length - 1;
        while (slash >= 0 && prefix[slash] != '/') {
            slash--;
        }
        FilePath top = FilePath.of(Arrays.copyOf(prefix, Math.max(slash, 0)));
        byte[] nameStart = Arrays.copyOfRange(prefix, slash + 1, prefix.length);
        Optional<Inode> inode = resolve(top);
        if (inode.isEmpty() || !inode.get().directory()) {
            return false;
        }
        Deque<Directory> left =
                new ArrayDeque<>(List.of(new Directory(top, inode.get().ino())));
        int visited = 0;
        int chunks = 0;
        for (Directory directory = left.poll(); directory != null; directory = left.poll()) {
            List<DirectoryEntry> entries = entries(directory.ino(), 0);
            while (!entries.isEmpty()) {
                for (DirectoryEntry entry : entries) {
                    if (++visited > MOST_VISITED) {
                        return true;
                    }
                    if (directory.ino() == inode.get().ino() && !starts(entry.name(), nameStart)) {
                        continue;
                    }
                    FilePath path = directory.path().with(entry.name());
                    if (entry.inode().directory()) {
                        left.push(new Directory(path, entry.inode().ino()));
                    } else if (entry.inode().regular()) {
                        if (found.size() >= limit || chunks > MOST_CHUNKS_LISTED) {
                            return true;
                        }
                        // One that is gone meanwhile is left out.
                        Optional<FileLocation> location = location(path, entry.inode());
                        location.ifPresent(found::add);
                        chunks += location.map(FileLocation::chunks)
                                .map(List::size)
                                .orElse(0);
                    }
                }
                entries = entries(directory.ino(), entries.getLast().cookie());
            }
        }
        return false;
    }

    private static boolean starts(FileName name, byte[] start) {
        byte[] bytes = name.toBytes();
        return bytes.length >= start.length && Arrays.equals(bytes, 0, start.length, start, 0, start.length);
    }

    private List<DirectoryEntry> entries(long directory, long cookie) throws RestFailure {
        Answer answer = ask(new Operation.ListEntries(directory, cookie, ENTRIES_AT_ONCE));
        // A directory that is gone meanwhile has no entries.
        return answer.result() instanceof Answer.Entries entries ? entries.entries() : List.of();
    }

    private Optional<Inode> resolve(FilePath path) throws RestFailure {
        Inode inode = one(ask(new Operation.ReadInode(Inode.ROOT)));
        for (FileName name : path.names()) {
            inode = inode == null ? null : one(ask(new Operation.Lookup(inode.ino(), name)));
        }
        return Optional.ofNullable(inode);
    }

    private static @Nullable Inode one(Answer answer) {
        return answer.failure() == null && answer.result() instanceof Answer.OneInode one ? one.inode() : null;
    }

    private Answer ask(Operation.Query query) throws RestFailure {
        Answer answer = sessions.ask(query);
        Answer.Failure failure = answer.failure();
        if (failure != null && failure.errno() == Errno.EIO) {
            throw new RestFailure(503, "EIO", failure.message());
        }
        return answer;
    }

    private Optional<FileLocation> location(FilePath path, Inode inode) throws RestFailure {
        Answer answer = ask(new Operation.ReadContent(inode.ino()));
        if (!(answer.result() instanceof Answer.Content(FileVersion content))) {
            return Optional.empty();
        }
        List<Holder> holders = sessions.holdersOf(content.ino(), content.version());
        Optional<Holder> whole =
                holders.stream().filter(holder -> holder.blocks() == null).findFirst();
        String peer = whole.or(() -> holders.stream().findFirst())
                .map(holder -> holder.node().id().value())
                .orElse("");
        boolean cloud = peer.isEmpty() && content.object() != null;
        boolean chunked = content.blocks() > 1;
        return Optional.of(new FileLocation(
                path.toString(),
                peer,
                cloud ? "cloud" : "nvme",
                content.object() != null && cloud ? content.object().key() : path.toString(),
                content.size(),
                inode.accessed().toInstant().truncatedTo(ChronoUnit.MILLIS).toString(),
                chunked,
                chunked ? chunks(content, holders) : List.of()));
    }

    private static List<Chunk> chunks(FileVersion content, List<Holder> holders) {
        List<Chunk> chunks = new ArrayList<>();
        for (int block = 0; block < Math.min(content.blocks(), FileLocation.MOST_CHUNKS); block++) {
            int index = block;
            String peer = holders.stream()
                    .filter(holder -> holder.has(index))
                    .findFirst()
                    .map(holder -> holder.node().id().value())
                    .orElse("");
            chunks.add(new Chunk(block, peer, content.ino() + "." + content.version() + "." + block));
        }
        return chunks;
    }
}
