package io.fusecache.testkit.posix.scene;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/**
 * Another process in the place of a check, as far as file systems tell: a thread with its own table of open files, which
 * {@link #exit} closes. It starts with none open, and in the check's directory.
 *
 * <p>The virtual machine's descriptors are closed there too, so this thread must not load a class: all that it does is done once
 * before. Its calls are put together by whoever asks for them.
 */
public final class Peer implements SystemCalls {
    private static final int CLOSE_RANGE_UNSHARE = 2;
    /** The signal with which the virtual machine wakes threads from system calls: handled, without SA_RESTART. */
    private static final int WAKE_SIGNAL = 62;

    private static final long POLL_NANOS = 200_000;
    private static final long PATIENCE_NANOS = 20_000_000_000L;

    private final LinkedTransferQueue<Job> jobs = new LinkedTransferQueue<>();
    private final Map<Actor, Caller> callers = new EnumMap<>(Actor.class);
    private final long tid;

    private record Job(Actor actor, Syscall syscall, long[] arguments, CompletableFuture<Long> answer) {}

    /** Called by the worker, whose working directory the peer takes over. */
    Peer(Memory memory) {
        for (Actor actor : Actor.values()) {
            callers.put(actor, new Caller(actor, this, memory, new Descriptors()));
        }
        Thread.ofPlatform().daemon().name("posix-peer").start(this::run);
        tid = root().call(Syscall.GETTID).ok();
        root().call(Syscall.CLOSE_RANGE, 0, -1, CLOSE_RANGE_UNSHARE).ok();
    }

    private void run() {
        try (Arena arena = Arena.ofConfined()) {
            Kernel kernel = new Kernel(arena);
            for (Job job = take(); job.arguments.length > 0; job = take()) {
                job.answer.complete(kernel.call(job.actor, job.syscall, job.arguments));
            }
        }
    }

    private Job take() {
        try {
            return jobs.take();
        } catch (InterruptedException impossible) {
            throw new AssertionError("nobody interrupts a peer", impossible);
        }
    }

    @Override
    public long call(Actor actor, Syscall syscall, long[] arguments) {
        CompletableFuture<Long> answer = new CompletableFuture<>();
        jobs.add(new Job(actor, syscall, arguments, answer));
        return answer.join();
    }

    public Caller root() {
        return as(Actor.ROOT);
    }

    public Caller as(Actor actor) {
        return Objects.requireNonNull(callers.get(actor));
    }

    /** Makes a call that may wait. No other call of this peer before it has returned. */
    public Pending begin(Function<Caller, Outcome> call) {
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        // Not a virtual one, whose carriers whoever runs the suite may hold up.
        Thread.ofPlatform().daemon().name("posix-suite-call").start(() -> {
            try {
                outcome.complete(call.apply(root()));
            } catch (Throwable broken) {
                outcome.completeExceptionally(broken);
            }
        });
        return new Pending(outcome);
    }

    /** Ends the process: what it has open is closed, and what it waits for given up. Returns when that is done. */
    public void exit() {
        if (!end()) {
            throw new Violation("a process did not end");
        }
    }

    /** Whether it has ended within some time. */
    boolean end() {
        jobs.add(new Job(Actor.ROOT, Syscall.GETTID, new long[0], new CompletableFuture<>()));
        return await(() -> {
            if (inKernel(Syscall.FCNTL, Syscall.FLOCK)) {
                wake();
            }
            return !Files.exists(task());
        });
    }

    private Path task() {
        return Path.of("/proc/self/task", Long.toString(tid));
    }

    private boolean inKernel(Syscall... calls) {
        String current;
        try {
            current = Files.readString(task().resolve("syscall"));
        } catch (IOException ended) {
            return false;
        }
        for (Syscall call : calls) {
            if (current.startsWith(call.number() + " ")) {
                return true;
            }
        }
        return false;
    }

    private void wake() {
        try (Arena arena = Arena.ofConfined()) {
            Kernel.signal(arena, tid, WAKE_SIGNAL);
        }
    }

    /** Whether a signal can end a wait: the virtual machine's handler is there. */
    static boolean signalsWake() {
        try {
            // A channel makes the virtual machine set its handler.
            Files.newByteChannel(Path.of("/proc/self/status")).close();
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("SigCgt:"))
                    .anyMatch(line ->
                            (Long.parseUnsignedLong(line.substring(7).strip(), 16) >> (WAKE_SIGNAL - 1) & 1) == 1);
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        }
    }

    private static boolean await(BooleanSupplier condition) {
        long start = System.nanoTime();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - start > PATIENCE_NANOS) {
                return false;
            }
            LockSupport.parkNanos(POLL_NANOS);
        }
        return true;
    }

    /** A call that may wait. */
    public final class Pending {
        private final CompletableFuture<Outcome> outcome;

        Pending(CompletableFuture<Outcome> outcome) {
            this.outcome = outcome;
        }

        /** It must not return by itself: ends when it waits in the kernel. */
        public Pending waits() {
            if (!await(() -> outcome.isDone() || inKernel(Syscall.FCNTL, Syscall.FLOCK))) {
                throw new Violation("a call neither returned nor waits");
            }
            return stillWaits();
        }

        /** It must not have returned. */
        public Pending stillWaits() {
            if (outcome.isDone()) {
                throw new Violation("did not wait: " + outcome.join() + " gave "
                        + outcome.join().raw());
            }
            return this;
        }

        /** Interrupts it by a signal that is handled. */
        public Pending interrupt() {
            if (!signalsWake()) {
                throw new NotApplicable("this virtual machine handles no signal");
            }
            wake();
            return this;
        }

        /** What came of it. */
        public Outcome outcome() {
            if (!await(outcome::isDone)) {
                throw new Violation("a call that waits did not return within " + PATIENCE_NANOS / 1_000_000_000 + " s");
            }
            return outcome.join();
        }
    }
}
