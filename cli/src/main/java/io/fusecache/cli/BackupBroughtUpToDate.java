package io.fusecache.cli;

import io.fusecache.client.backup.VolumeBucket;
import io.fusecache.client.backup.VolumeBucket.Stored;
import io.fusecache.coordinator.dump.DumpLine;
import io.fusecache.coordinator.dump.DumpLine.Content;
import io.fusecache.coordinator.dump.DumpLine.InodeLine;
import io.fusecache.coordinator.dump.DumpLine.StoredAt;
import io.fusecache.coordinator.dump.DumpText;
import io.fusecache.coordinator.dump.LineReader;
import io.fusecache.coordinator.dump.LineWriter;
import io.fusecache.metadata.ObjectAttributes;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * A backup as the bucket is now, where no listing would show the difference. What was at its name's key is compared by listings
 * when nodes use it. The others are asked for here: a file whose object was on its way to another key, or had not been put
 * yet, and those in our own folder of the bucket.
 */
final class BackupBroughtUpToDate {
    private static final int MOST_NAMED = 100;

    private final VolumeBucket bucket;
    private final String ours;
    private final Map<String, String> inTransit;
    private final Report report = new Report(new ArrayList<>(), new ArrayList<>());

    /** @param inTransit the ETags of objects that were to be moved, by the keys where they were */
    private BackupBroughtUpToDate(VolumeBucket bucket, Map<String, String> inTransit) {
        this.bucket = bucket;
        this.inTransit = inTransit;
        this.ours = bucket.prefix() + ".fusecache/";
    }

    /**
     * What is not as it was.
     *
     * @param older files of which the bucket has other bytes than those that were written last, by the keys of their names
     * @param lost files of which it has none
     */
    record Report(List<String> older, List<String> lost) {
        void print(PrintStream out) {
            print(
                    out,
                    older,
                    "of %d files the bucket has other bytes than were written last when the backup was made:");
            print(out, lost, "of %d files the bucket has no bytes; nodes may have them in their caches, under lost:");
        }

        private static void print(PrintStream out, List<String> keys, String text) {
            if (!keys.isEmpty()) {
                out.println(text.formatted(keys.size()));
                keys.stream().limit(MOST_NAMED).forEach(key -> out.println("  " + key));
            }
        }
    }

    static Report write(Path from, Path to, VolumeBucket bucket) throws IOException {
        BackupBroughtUpToDate it = new BackupBroughtUpToDate(bucket, inTransit(from));
        try (InputStream in = new GZIPInputStream(Files.newInputStream(from), 1 << 16);
                OutputStream out = new BufferedOutputStream(new GZIPOutputStream(Files.newOutputStream(to)), 1 << 16)) {
            LineReader lines = new LineReader(in);
            LineWriter written = new LineWriter(out);
            written.write(lines.header());
            for (DumpLine line = lines.next(); line != null; line = lines.next()) {
                written.write(line instanceof InodeLine inode ? it.now(inode) : line);
            }
            written.end();
        }
        return it.report;
    }

    private static Map<String, String> inTransit(Path backup) throws IOException {
        Map<String, String> etags = new HashMap<>();
        try (InputStream in = new GZIPInputStream(Files.newInputStream(backup), 1 << 16)) {
            LineReader lines = new LineReader(in);
            lines.header();
            for (DumpLine line = lines.next(); line != null; line = lines.next()) {
                if (line instanceof InodeLine inode) {
                    Content content = inode.content();
                    StoredAt object = content == null ? null : content.object();
                    String place = inode.place();
                    if (object != null && place != null && !object.key().equals(place)) {
                        etags.put(object.key(), object.etag());
                    }
                }
            }
        }
        return etags;
    }

    private InodeLine now(InodeLine line) throws IOException {
        Content content = line.content();
        if (content == null || content.version() == 0) {
            return line;
        }
        StoredAt known = content.object();
        boolean ownFolder = known != null && known.key().startsWith(ours);
        if (line.place() == null && !ownFolder) {
            return line;
        }
        Optional<Stored> there = known == null ? Optional.empty() : bucket.head(known.key());
        if (known != null
                && known.version() == content.version()
                && there.isPresent()
                && there.get().object().etag().equals(known.etag())) {
            return line;
        }
        String place = line.place() == null ? String.valueOf(known == null ? null : known.key()) : line.place();
        Optional<Stored> moved =
                bucket.head(place).filter(at -> !at.object().etag().equals(inTransit.get(place)));
        Optional<Stored> found = moved;
        if (moved.isEmpty() && known != null && there.isPresent()) {
            found = ownFolder || isOf(line, known, there.get()) ? there : Optional.empty();
        }
        if (found.isEmpty()) {
            if (content.size() > 0) {
                report.lost().add(place);
            }
            return line;
        }
        Stored object = found.get();
        boolean ofOlderVersion = known != null
                && known.version() < content.version()
                && object.object().etag().equals(known.etag());
        if (ofOlderVersion || object.size() != content.size()) {
            report.older().add(place);
        }
        Content adopted = new Content(
                content.version(),
                object.size(),
                content.blockBytes(),
                object.size() == 0 ? "" : null,
                content.history(),
                new StoredAt(object.object().key(), object.object().etag(), content.version()),
                null);
        String modified = ObjectAttributes.parse(object.attributes())
                .map(attributes -> DumpText.time(attributes.modified()))
                .orElse(line.modified());
        String left = object.object().key().equals(line.place()) ? null : line.place();
        return line.with(adopted, object.size(), modified, left);
    }

    /** Whether what is where the file's object was is the file's still: another file may have been put there since. */
    private static boolean isOf(InodeLine line, StoredAt known, Stored at) {
        return at.object().etag().equals(known.etag())
                || ObjectAttributes.parse(at.attributes())
                        .filter(attributes -> DumpText.time(attributes.born()).equals(line.born()))
                        .isPresent();
    }
}
