package io.fusecache.tiers.cloud;

import io.fusecache.cache.CloudTier.Over;
import io.fusecache.cache.CloudTier.Permit;
import io.fusecache.cache.CloudTier.RangeReader;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.tiers.cloud.ObjectStore.Part;
import io.fusecache.tiers.cloud.ObjectStore.Upload;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts objects that are too large for one request, as parts, several at once.
 *
 * <p>An upload of bytes that have a name (see {@link RangeReader#version}) is noted, and what ends it (a bucket that is away, a permit, a
 * crash) leaves it where it is: the next put of the same bytes to that key, of this process or a later one, sends the parts that are not
 * there yet. A part counts as there where the store's checksum of it is that of the bytes. Everything else drops it: other
 * bytes for its key, a refusal, and {@link #KEPT} without use.
 */
final class PartedPut {
    private static final Logger LOG = LoggerFactory.getLogger(PartedPut.class);

    /** Who comes back later begins anew: parts cost as much as objects do. */
    static final Duration KEPT = Duration.ofDays(1);

    private final ObjectStore store;
    private final BucketOptions options;
    private final Attempts attempts;
    private final PutSlots slots;
    private final Executor workers;
    private final @Nullable UploadNotes notes;

    /** Keys whose notes somebody is at. */
    private final Set<String> busy = ConcurrentHashMap.newKeySet();

    /** @param notes null: every upload ends with the call that began it */
    PartedPut(
            ObjectStore store,
            BucketOptions options,
            Attempts attempts,
            PutSlots slots,
            Executor workers,
            @Nullable UploadNotes notes) {
        this.store = store;
        this.options = options;
        this.attempts = attempts;
        this.slots = slots;
        this.workers = workers;
        this.notes = notes;
    }

    /** @param there parts that arrived before, by number */
    private record Begun(Upload upload, Map<Integer, List<Part>> there, boolean noted) {}

    ObjectRef put(String key, long size, Map<String, String> attributes, RangeReader content, Over over, Permit permit)
            throws IOException {
        if (notes == null || !busy.add(key)) {
            return put(begin(key, size, attributes, permit), content, over, permit);
        }
        try {
            Begun begun = beginOrGoOn(notes, key, size, attributes, content.version(), permit);
            return put(begun, content, over, permit);
        } finally {
            busy.remove(key);
        }
    }

    private Begun begin(String key, long size, Map<String, String> attributes, Permit permit) throws IOException {
        long partBytes = store.limits().parts().of(key, size, options.partBytes());
        Upload upload = attempts.run(
                "starting the upload of '" + key + "'",
                permit,
                () -> store.startUpload(key, size, partBytes, attributes));
        return new Begun(upload, Map.of(), false);
    }

    private Begun beginOrGoOn(
            UploadNotes notes,
            String key,
            long size,
            Map<String, String> attributes,
            Optional<String> version,
            Permit permit)
            throws IOException {
        Optional<UploadNotes.Note> left = notes.find(key);
        if (left.isPresent()) {
            Upload upload = left.get().upload();
            boolean same = left.get().bucket().equals(store.name())
                    && version.equals(Optional.of(left.get().version()))
                    && upload.size() == size
                    && upload.attributes().equals(attributes);
            Optional<List<Part>> there = same ? partsOf(upload) : Optional.empty();
            if (there.isPresent()) {
                notes.write(left.get().bucket(), left.get().version(), upload);
                return new Begun(upload, there.get().stream().collect(Collectors.groupingBy(Part::number)), true);
            }
            drop(notes, left.get());
        }
        Begun begun = begin(key, size, attributes, permit);
        if (version.isEmpty()) {
            return begun;
        }
        try {
            notes.write(store.name(), version.get(), begun.upload());
            return new Begun(begun.upload(), Map.of(), true);
        } catch (IOException unwritten) {
            LOG.warn("the upload of '{}' cannot be noted, and ends when it fails: {}", key, unwritten.toString());
            return begun;
        }
    }

    /** Empty where nothing is left of it. */
    private Optional<List<Part>> partsOf(Upload upload) throws IOException {
        try {
            return attempts.run("listing the parts of '" + upload.key() + "'", () -> store.parts(upload));
        } catch (RefusedException refused) {
            LOG.warn("the upload of '{}' is begun anew: {}", upload.key(), refused.getMessage());
            return Optional.empty();
        }
    }

    private ObjectRef put(Begun begun, RangeReader content, Over over, Permit permit) throws IOException {
        Upload upload = begun.upload();
        boolean complete = false;
        boolean kept = false;
        try {
            List<Part> parts = putParts(begun, content, permit);
            ObjectRef object = attempts.run(
                    "completing the upload of '" + upload.key() + "'",
                    permit,
                    () -> store.completeUpload(upload, parts, over));
            complete = true;
            return object;
        } catch (RefusedException refused) {
            throw refused;
        } catch (IOException mayPass) {
            kept = begun.noted();
            throw mayPass;
        } finally {
            if (!complete && !kept) {
                boolean ignored = abort(upload);
            }
            if (!kept && begun.noted() && notes != null) {
                notes.remove(upload.key());
            }
        }
    }

    private List<Part> putParts(Begun begun, RangeReader content, Permit permit) throws IOException {
        Upload upload = begun.upload();
        @Nullable Part[] parts = new Part[upload.parts()];
        AtomicInteger found = new AtomicInteger();
        Crew.workOff(parts.length, options.puts(), workers, index -> {
            parts[index] = putPart(begun, index + 1, content, permit, found);
        });
        if (!begun.there().isEmpty()) {
            LOG.info("of the {} parts of '{}', {} were there already", parts.length, upload.key(), found);
        }
        List<Part> all = new ArrayList<>(parts.length);
        for (Part part : parts) {
            if (part == null) {
                throw new AssertionError("a part of '" + upload.key() + "' was not put");
            }
            all.add(part);
        }
        return all;
    }

    private Part putPart(Begun begun, int number, RangeReader content, Permit permit, AtomicInteger found)
            throws IOException {
        Upload upload = begun.upload();
        long bytes = upload.bytesInPart(number);
        Duration timeout = options.timeoutOf(bytes);
        return slots.withBuffer(upload.key(), Math.min(bytes, options.partBytes()), window -> {
            PartBody body = new PartBody(content, upload.offsetOf(number), bytes, window);
            body.begin();
            for (Part there : begun.there().getOrDefault(number, List.of())) {
                Optional<Part> same = store.same(upload, there, body);
                if (same.isPresent()) {
                    found.incrementAndGet();
                    return same.get();
                }
            }
            return attempts.run(
                    "putting part %d of %d of '%s'".formatted(number, upload.parts(), upload.key()),
                    permit,
                    timeout,
                    () -> send(upload, number, body, timeout));
        });
    }

    /** A failure of the file that is being put, and not of the bucket, is not tried again. */
    private Part send(Upload upload, int number, PartBody body, Duration timeout) throws IOException {
        try {
            return store.putPart(upload, number, body, timeout);
        } catch (IOException failed) {
            body.requireSource();
            throw failed;
        }
    }

    /** Drops what was left for a key that has got something else meanwhile. */
    void overtake(String key) {
        dropUsedBefore(key, Instant.MAX);
    }

    private void dropUsedBefore(String key, Instant limit) {
        if (notes == null || notes.find(key).isEmpty() || !busy.add(key)) {
            return;
        }
        try {
            notes.find(key).filter(note -> note.used().isBefore(limit)).ifPresent(note -> drop(notes, note));
        } finally {
            busy.remove(key);
        }
    }

    /** Drops what was left and nobody came back for. */
    void sweep() {
        if (notes != null) {
            Instant limit = notes.now().minus(KEPT);
            notes.all().forEach(note -> dropUsedBefore(note.upload().key(), limit));
        }
    }

    /** The note stays where the bucket could not be told. */
    private void drop(UploadNotes notes, UploadNotes.Note note) {
        // What is in another bucket is not to be reached through this one.
        LOG.info(
                "the upload of '{}' that was begun at {} is dropped",
                note.upload().key(),
                note.used());
        if (!note.bucket().equals(store.name()) || abort(note.upload())) {
            notes.remove(note.upload().key());
        }
    }

    /** On the way out of a failure, which is the one to report. False where the parts stay. */
    boolean abort(Upload upload) {
        boolean interrupted = Thread.interrupted();
        try {
            return attempts.run("dropping the upload of '" + upload.key() + "'", () -> {
                store.abortUpload(upload);
                return true;
            });
        } catch (IOException left) {
            LOG.warn("parts of '{}' stay in {}: {}", upload.key(), store.name(), left.getMessage());
            return false;
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
