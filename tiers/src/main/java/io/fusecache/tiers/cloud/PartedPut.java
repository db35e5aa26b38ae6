package io.fusecache.tiers.cloud;

import io.fusecache.cache.CloudTier.Permit;
import io.fusecache.cache.CloudTier.RangeReader;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.tiers.cloud.ObjectStore.Part;
import io.fusecache.tiers.cloud.ObjectStore.Upload;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts objects that are too large for one request, as parts, several at once. */
final class PartedPut {
    private static final Logger LOG = LoggerFactory.getLogger(PartedPut.class);

    private final ObjectStore store;
    private final BucketOptions options;
    private final Attempts attempts;
    private final PutSlots slots;
    private final Executor workers;

    PartedPut(ObjectStore store, BucketOptions options, Attempts attempts, PutSlots slots, Executor workers) {
        this.store = store;
        this.options = options;
        this.attempts = attempts;
        this.slots = slots;
        this.workers = workers;
    }

    ObjectRef put(String key, long size, Map<String, String> attributes, RangeReader content, Permit permit)
            throws IOException {
        long partBytes = store.limits().parts().of(key, size, options.partBytes());
        Upload upload = attempts.run(
                "starting the upload of '" + key + "'",
                permit,
                () -> store.startUpload(key, size, partBytes, attributes));
        boolean complete = false;
        try {
            List<Part> parts = putParts(upload, content, permit);
            ObjectRef object = attempts.run(
                    "completing the upload of '" + key + "'", permit, () -> store.completeUpload(upload, parts));
            complete = true;
            return object;
        } finally {
            if (!complete) {
                abort(upload);
            }
        }
    }

    private List<Part> putParts(Upload upload, RangeReader content, Permit permit) throws IOException {
        @Nullable Part[] parts = new Part[upload.parts()];
        Crew.workOff(
                parts.length,
                options.puts(),
                workers,
                index -> parts[index] = putPart(upload, index + 1, content, permit));
        List<Part> all = new ArrayList<>(parts.length);
        for (Part part : parts) {
            if (part == null) {
                throw new AssertionError("a part of '" + upload.key() + "' was not put");
            }
            all.add(part);
        }
        return all;
    }

    private Part putPart(Upload upload, int number, RangeReader content, Permit permit) throws IOException {
        long bytes = upload.bytesInPart(number);
        Duration timeout = options.timeoutOf(bytes);
        return slots.withBuffer(upload.key(), Math.min(bytes, options.partBytes()), window -> {
            PartBody body = new PartBody(content, upload.offsetOf(number), bytes, window);
            body.begin();
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

    /** On the way out of a failure, which is the one to report; the store drops what stays behind in time. */
    void abort(Upload upload) {
        boolean interrupted = Thread.interrupted();
        try {
            attempts.run("dropping the upload of '" + upload.key() + "'", () -> {
                store.abortUpload(upload);
                return true;
            });
        } catch (IOException left) {
            LOG.warn("parts of '{}' stay in {}: {}", upload.key(), store.name(), left.getMessage());
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
