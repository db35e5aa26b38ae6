package io.fusecache.tiers.cloud;

import io.fusecache.cache.CloudTier.Over;
import io.fusecache.cache.CloudTier.Permit;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.tiers.cloud.ObjectStore.Copy;
import io.fusecache.tiers.cloud.ObjectStore.Part;
import io.fusecache.tiers.cloud.ObjectStore.Upload;
import java.io.IOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Copies on the store's side, of any size: in one request; or in as many as there are parts, where the store will not do it in one;
 * or asking after it until it is done, where the store goes on by itself.
 */
final class Copies {
    /** A store that copies 10 MB in a second does it within a minute. */
    private static final long PART_BYTES = 128 << 20;

    private static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(8);

    private final ObjectStore store;
    private final MoveSlots slots;
    private final PartedPut uploads;
    private final Executor workers;
    private final Attempts.Sleeper sleeper;

    Copies(ObjectStore store, MoveSlots slots, PartedPut uploads, Executor workers, Attempts.Sleeper sleeper) {
        this.store = store;
        this.slots = slots;
        this.uploads = uploads;
        this.workers = workers;
        this.sleeper = sleeper;
    }

    /** Empty where the source has not that ETag. */
    Optional<ObjectRef> copy(ObjectRef from, String toKey, Over over, Permit permit) throws IOException {
        String what = "copying '%s' to '%s'".formatted(from.key(), toKey);
        Copy copy = slots.run(what, permit, () -> store.copy(from, toKey, over));
        Duration pause = FIRST_PAUSE;
        while (copy instanceof Copy.GoesOn begun) {
            sleep(what, pause);
            copy = slots.run(what, permit, () -> store.followCopy(from, toKey, begun));
            pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) > 0 ? LONGEST_PAUSE : pause.multipliedBy(2);
        }
        return switch (copy) {
            case Copy.Done(ObjectRef made) -> Optional.of(made);
            case Copy.NoSource() -> Optional.empty();
            case Copy.TooLarge(long size) -> inParts(what, from, toKey, size, over, permit);
            case Copy.GoesOn(String id) -> throw new AssertionError(id + " was followed to its end");
        };
    }

    private void sleep(String what, Duration pause) throws IOException {
        try {
            sleeper.sleep(pause);
        } catch (InterruptedException e) {
            throw Attempts.interrupted(what);
        }
    }

    private Optional<ObjectRef> inParts(String what, ObjectRef from, String toKey, long size, Over over, Permit permit)
            throws IOException {
        ObjectStore.Limits limits = store.limits();
        long partBytes = limits.parts().of(toKey, size, Math.min(PART_BYTES, limits.largestCopy()));
        Optional<Upload> begun = slots.run(what, permit, () -> store.startCopy(from, toKey, size, partBytes));
        if (begun.isEmpty()) {
            return Optional.empty();
        }
        Upload upload = begun.get();
        boolean complete = false;
        try {
            Optional<List<Part>> parts = copyParts(what, from, upload, permit);
            if (parts.isEmpty()) {
                return Optional.empty();
            }
            ObjectRef made = slots.run(what, permit, () -> store.completeUpload(upload, parts.get(), over));
            complete = true;
            return Optional.of(made);
        } finally {
            if (!complete) {
                boolean ignored = uploads.abort(upload);
            }
        }
    }

    /** Empty where the source has not that ETag any more. */
    private Optional<List<Part>> copyParts(String what, ObjectRef from, Upload upload, Permit permit)
            throws IOException {
        @Nullable Part[] parts = new Part[upload.parts()];
        AtomicBoolean missed = new AtomicBoolean();
        Crew.workOff(parts.length, slots.count(), workers, index -> {
            if (missed.get()) {
                return;
            }
            Optional<Part> part = slots.run(
                    what + ", part %d of %d".formatted(index + 1, parts.length),
                    permit,
                    () -> store.copyPart(upload, index + 1, from));
            if (part.isPresent()) {
                parts[index] = part.get();
            } else {
                missed.set(true);
            }
        });
        return missed.get()
                ? Optional.empty()
                : Optional.of(Arrays.stream(parts).map(Copies::copied).toList());
    }

    private static Part copied(@Nullable Part part) {
        if (part == null) {
            throw new AssertionError("a part was not copied");
        }
        return part;
    }
}
