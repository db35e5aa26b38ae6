package io.fusecache.tiers.cloud;

import io.fusecache.cache.CloudTier.Over;
import io.fusecache.cache.CloudTier.StoredObject;
import io.fusecache.metadata.ObjectRef;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A store that goes wrong as it is told, call by call, counts its calls, and is otherwise the one that it wraps. */
public final class FaultyObjectStore implements ObjectStore {
    public enum Call {
        READ,
        PUT,
        START,
        PART,
        COMPLETE,
        LIST_PARTS,
        ABORT,
        COPY,
        FOLLOW,
        COPY_PART,
        DELETE,
        LIST,
        HEAD,
        CHECK
    }

    public enum Fault {
        /** Fails, and nothing was done. */
        FAIL,
        /** Does it, and the answer is lost. */
        LOSE_ANSWER,
        /** Does not answer until it is interrupted. */
        STALL,
        /** Reads half, and breaks off. */
        BREAK_OFF,
        /** Reads, with one bit wrong. */
        FLIP_BIT,
        /** As if there were no right to do it. */
        REFUSE,
        /** As if there were too many requests. */
        THROTTLE
    }

    private final ObjectStore store;
    private final Map<Call, Queue<Fault>> faults = new EnumMap<>(Call.class);
    private final Map<Call, AtomicInteger> calls = new EnumMap<>(Call.class);
    private final Queue<Page> pages = new ConcurrentLinkedQueue<>();
    private final AtomicInteger inFlight = new AtomicInteger();
    private final AtomicInteger mostInFlight = new AtomicInteger();
    private volatile @Nullable CountDownLatch gate;
    private volatile @Nullable Limits limits;
    private volatile @Nullable Runnable afterPart;
    private final AtomicInteger goOn = new AtomicInteger();

    public FaultyObjectStore(ObjectStore store) {
        this.store = store;
        for (Call call : Call.values()) {
            faults.put(call, new ArrayDeque<>());
            calls.put(call, new AtomicInteger());
        }
    }

    /** The next {@code times} calls of that kind go wrong so. */
    public void next(Call call, int times, Fault fault) {
        synchronized (faults) {
            for (int i = 0; i < times; i++) {
                queue(call).add(fault);
            }
        }
    }

    /** The next listing answers this, whatever it is asked. */
    public void nextPage(Page page) {
        pages.add(page);
    }

    /** From now on it says that these are its limits. */
    public void limit(Limits narrower) {
        limits = narrower;
    }

    /** The next copy goes on by itself, and is done when it is asked after for the {@code times}th time. */
    public void goOn(int times) {
        goOn.set(times);
    }

    /** Runs whenever a part was copied. */
    public void afterCopiedPart(Runnable action) {
        afterPart = action;
    }

    /** Holds all calls from now on, until the gate opens. */
    public void hold(CountDownLatch opening) {
        gate = opening;
    }

    public int calls(Call call) {
        AtomicInteger count = calls.get(call);
        return count == null ? 0 : count.get();
    }

    public int inFlight() {
        return inFlight.get();
    }

    public int mostInFlight() {
        return mostInFlight.get();
    }

    private Queue<Fault> queue(Call call) {
        return Objects.requireNonNull(faults.get(call));
    }

    private interface Action<T> {
        T act() throws IOException;
    }

    private <T> T run(Call call, @Nullable MemorySegment target, Action<T> action) throws IOException {
        Objects.requireNonNull(calls.get(call)).incrementAndGet();
        mostInFlight.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
        try {
            CountDownLatch closed = gate;
            if (closed != null) {
                await(closed);
            }
            Fault fault;
            synchronized (faults) {
                fault = queue(call).poll();
            }
            return fault == null ? action.act() : faulty(call, fault, target, action);
        } finally {
            inFlight.decrementAndGet();
        }
    }

    private static <T> T faulty(Call call, Fault fault, @Nullable MemorySegment target, Action<T> action)
            throws IOException {
        return switch (fault) {
            case FAIL -> throw new IOException("made to fail: " + call);
            case REFUSE -> throw new RefusedException("made to be refused: " + call);
            case THROTTLE -> throw new ThrottledException("made to be throttled: " + call, null);
            case STALL -> {
                await(new CountDownLatch(1));
                throw new AssertionError("nobody opens it");
            }
            case LOSE_ANSWER -> {
                action.act();
                throw new IOException("made to lose the answer: " + call);
            }
            case BREAK_OFF -> {
                action.act();
                if (target != null) {
                    target.asSlice(target.byteSize() / 2).fill((byte) 0xEE);
                }
                throw new IOException("made to break off: " + call);
            }
            case FLIP_BIT -> {
                T answer = action.act();
                if (target != null) {
                    long at = target.byteSize() / 2;
                    target.set(ValueLayout.JAVA_BYTE, at, (byte) (target.get(ValueLayout.JAVA_BYTE, at) ^ 4));
                }
                yield answer;
            }
        };
    }

    private static void await(CountDownLatch latch) throws InterruptedIOException {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("stalled, then interrupted");
        }
    }

    @Override
    public String name() {
        return "faulty " + store.name();
    }

    @Override
    public Limits limits() {
        Limits narrower = limits;
        return narrower == null ? store.limits() : narrower;
    }

    @Override
    public boolean read(ObjectRef object, long offset, MemorySegment target) throws IOException {
        return run(Call.READ, target, () -> store.read(object, offset, target));
    }

    @Override
    public ObjectRef put(String key, MemorySegment bytes, Map<String, String> attributes, Over over)
            throws IOException {
        return run(Call.PUT, null, () -> store.put(key, bytes, attributes, over));
    }

    @Override
    public Upload startUpload(String key, long size, long partBytes, Map<String, String> attributes)
            throws IOException {
        return run(Call.START, null, () -> store.startUpload(key, size, partBytes, attributes));
    }

    @Override
    public Part putPart(Upload upload, int number, PartBody body, Duration timeout) throws IOException {
        return run(Call.PART, null, () -> store.putPart(upload, number, body, timeout));
    }

    @Override
    public ObjectRef completeUpload(Upload upload, List<Part> parts, Over over) throws IOException {
        return run(Call.COMPLETE, null, () -> store.completeUpload(upload, parts, over));
    }

    @Override
    public Optional<List<Part>> parts(Upload upload) throws IOException {
        return run(Call.LIST_PARTS, null, () -> store.parts(upload));
    }

    @Override
    public Optional<Part> same(Upload upload, Part there, PartBody body) throws IOException {
        return store.same(upload, there, body);
    }

    @Override
    public void abortUpload(Upload upload) throws IOException {
        run(Call.ABORT, null, () -> {
            store.abortUpload(upload);
            return true;
        });
    }

    @Override
    public Copy copy(ObjectRef from, String toKey, Over over) throws IOException {
        return run(
                Call.COPY,
                null,
                () -> goOn.get() > 0 ? new Copy.GoesOn("made to go on") : store.copy(from, toKey, over));
    }

    @Override
    public Copy followCopy(ObjectRef from, String toKey, Copy.GoesOn begun) throws IOException {
        return run(Call.FOLLOW, null, () -> goOn.decrementAndGet() > 0 ? begun : store.copy(from, toKey));
    }

    @Override
    public Optional<Upload> startCopy(ObjectRef from, String toKey, long size, long partBytes) throws IOException {
        return run(Call.START, null, () -> store.startCopy(from, toKey, size, partBytes));
    }

    @Override
    public Optional<Part> copyPart(Upload upload, int number, ObjectRef from) throws IOException {
        return run(Call.COPY_PART, null, () -> {
            Optional<Part> part = store.copyPart(upload, number, from);
            Runnable next = afterPart;
            if (next != null) {
                next.run();
            }
            return part;
        });
    }

    @Override
    public boolean delete(ObjectRef object) throws IOException {
        return run(Call.DELETE, null, () -> store.delete(object));
    }

    @Override
    public void delete(String key) throws IOException {
        run(Call.DELETE, null, () -> {
            store.delete(key);
            return true;
        });
    }

    @Override
    public Page list(String prefix, Depth depth, @Nullable String continuation) throws IOException {
        Page made = pages.poll();
        return made != null ? made : run(Call.LIST, null, () -> store.list(prefix, depth, continuation));
    }

    @Override
    public boolean listsInOrder() {
        return store.listsInOrder();
    }

    @Override
    public Optional<StoredObject> head(String key) throws IOException {
        return run(Call.HEAD, null, () -> store.head(key));
    }

    @Override
    public void check() throws IOException {
        run(Call.CHECK, null, () -> {
            store.check();
            return true;
        });
    }

    @Override
    public void close() {
        store.close();
    }
}
