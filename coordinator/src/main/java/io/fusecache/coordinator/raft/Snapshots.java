package io.fusecache.coordinator.raft;

import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.FileInfo;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.SnapshotInfo;
import org.apache.ratis.statemachine.SnapshotRetentionPolicy;
import org.apache.ratis.statemachine.StateMachineStorage;
import org.apache.ratis.statemachine.impl.FileListSnapshotInfo;
import org.jspecify.annotations.Nullable;

/**
 * The snapshots of a replica: each a folder with a copy of the database, named for the term and index up to which it has the log.
 * Those that came from another replica replace all others, as Ratis has it.
 */
final class Snapshots implements StateMachineStorage {
    /** One may be on its way to another replica while the next is made. */
    private static final int KEPT = 2;

    private static final Pattern NAME = Pattern.compile("snapshot\\.(\\d+)_(\\d+)");
    /** What Ratis lays beside each file that it received. */
    private static final String CHECKSUM = ".md5";

    private @Nullable Path folder;
    private @Nullable SnapshotInfo latest;

    /** A folder, and up to where it has the log. */
    record Snapshot(Path folder, TermIndex upTo) {}

    @Override
    public synchronized void init(RaftStorage storage) throws IOException {
        folder = storage.getStorageDir().getStateMachineDir().toPath();
        Files.createDirectories(folder);
        refresh();
    }

    /** Looks again: a snapshot was made or installed. */
    synchronized void refresh() throws IOException {
        Optional<Snapshot> newest = newest();
        if (newest.isEmpty()) {
            latest = null;
            return;
        }
        List<FileInfo> files = new ArrayList<>();
        for (Path file : files(newest.get().folder())) {
            files.add(new FileInfo(file, null));
        }
        latest = new FileListSnapshotInfo(files, newest.get().upTo());
    }

    Path folderOf(TermIndex upTo) {
        return here().resolve("snapshot." + upTo.getTerm() + "_" + upTo.getIndex());
    }

    private synchronized Path here() {
        if (folder == null) {
            throw new AssertionError("before the start");
        }
        return folder;
    }

    Optional<Snapshot> newest() throws IOException {
        return all().stream().findFirst();
    }

    /** From the newest on. */
    private List<Snapshot> all() throws IOException {
        List<Snapshot> all = new ArrayList<>();
        try (Stream<Path> entries = Files.list(here())) {
            for (Path entry : entries.toList()) {
                Matcher name = NAME.matcher(String.valueOf(entry.getFileName()));
                if (name.matches()) {
                    long term = Long.parseLong(name.group(1));
                    long index = Long.parseLong(name.group(2));
                    all.add(new Snapshot(entry, TermIndex.valueOf(term, index)));
                }
            }
        }
        all.sort(Comparator.comparing(Snapshot::upTo).reversed());
        return all;
    }

    /** Of the database, without what was laid beside them. */
    private static List<Path> files(Path snapshot) throws IOException {
        try (Stream<Path> entries = Files.list(snapshot)) {
            return entries.filter(Files::isRegularFile)
                    .filter(file -> !file.toString().endsWith(CHECKSUM))
                    .sorted()
                    .toList();
        }
    }

    private static Path next(Path live) {
        return live.resolveSibling(live.getFileName() + ".next");
    }

    private static Path old(Path live) {
        return live.resolveSibling(live.getFileName() + ".old");
    }

    /** After whatever a {@link #restore} that was cut short has left. */
    static void tidy(Path live) throws IOException {
        if (!Files.exists(live) && Files.exists(old(live))) {
            Files.move(old(live), live);
        }
        delete(old(live));
        delete(next(live));
    }

    /** Makes {@code live} what the snapshot is, whole or not at all; durable when it returns. */
    static void restore(Path snapshot, Path live) throws IOException {
        tidy(live);
        Path next = next(live);
        Files.createDirectories(next);
        for (Path file : files(snapshot)) {
            Path copy = next.resolve(file.getFileName());
            if (file.toString().endsWith(".sst")) {
                // Never changed, only removed. Whoever wrote it need not have forced it.
                sync(file);
                Files.createLink(copy, file);
            } else {
                Files.copy(file, copy);
                sync(copy);
            }
        }
        sync(next);
        // In one step: a database of which some files are gone is none, and cannot be told from a damaged one.
        if (Files.exists(live)) {
            Files.move(live, old(live));
        }
        Files.move(next, live);
        sync(live.toAbsolutePath().getParent());
        delete(old(live));
    }

    /** A file, or which files there are in a folder. */
    static void sync(@Nullable Path path) throws IOException {
        if (path != null) {
            try (FileChannel opened = FileChannel.open(path, StandardOpenOption.READ)) {
                opened.force(true);
            }
        }
    }

    private static void delete(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> entries = Files.walk(folder)) {
            for (Path entry : entries.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(entry);
            }
        }
    }

    @Override
    public synchronized @Nullable SnapshotInfo getLatestSnapshot() {
        return latest;
    }

    @Override
    public void cleanupOldSnapshots(SnapshotRetentionPolicy policy) throws IOException {
        List<Snapshot> all = all();
        for (Snapshot old : all.subList(Math.min(KEPT, all.size()), all.size())) {
            delete(old.folder());
        }
    }

    @Override
    public void format() {
        // There are none in a new folder.
    }

    @Override
    public @Nullable File getSnapshotDir() {
        return null;
    }

    @Override
    public @Nullable File getTmpDir() {
        return null;
    }
}
