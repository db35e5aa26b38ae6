package io.fusecache.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

final class BufferArenaTest {
    @Test
    void handsOutWhatItHasAndNoMore() throws Exception {
        try (BufferArena arena = new BufferArena(256, 16, 64)) {
            List<BufferArena.Lease> leases = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                leases.add(arena.lease(50));
            }
            assertThat(arena.usedBytes()).isEqualTo(256);
            assertThat(leases)
                    .allSatisfy(l -> assertThat(l.segment().byteSize()).isEqualTo(50));
            Thread waiter = Thread.ofVirtual().start(() -> lease(arena, 1).close());
            await().until(() -> waiter.getState() == Thread.State.WAITING);
            leases.getFirst().close();
            leases.getFirst().close();
            waiter.join();
            leases.forEach(BufferArena.Lease::close);
            assertThat(arena.usedBytes()).isZero();
            assertThat(arena.peakBytes()).isEqualTo(256);
        }
    }

    private static BufferArena.Lease lease(BufferArena arena, long bytes) {
        try {
            return arena.lease(bytes);
        } catch (InterruptedIOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aLargeLeaseIsNotStarvedBySmallOnes() throws Exception {
        try (BufferArena arena = new BufferArena(64, 16, 64)) {
            ConcurrentLinkedQueue<String> order = new ConcurrentLinkedQueue<>();
            BufferArena.Lease first = arena.lease(16);
            Thread large = Thread.ofVirtual().start(() -> {
                try (BufferArena.Lease lease = lease(arena, 64)) {
                    order.add("large " + lease.segment().byteSize());
                }
            });
            await().until(() -> large.getState() == Thread.State.WAITING);
            Thread small = Thread.ofVirtual().start(() -> {
                try (BufferArena.Lease lease = lease(arena, 16)) {
                    order.add("small " + lease.segment().byteSize());
                }
            });
            await().until(() -> small.getState() == Thread.State.WAITING);
            first.close();
            large.join();
            small.join();
            assertThat(order).containsExactly("large 64", "small 16");
        }
    }

    @Test
    void aWaiterThatIsInterruptedLetsTheNextOneGo() throws Exception {
        try (BufferArena arena = new BufferArena(64, 16, 64)) {
            BufferArena.Lease held = arena.lease(48);
            AtomicReference<Exception> thrown = new AtomicReference<>();
            Thread large = Thread.ofVirtual().start(() -> {
                try {
                    arena.lease(64).close();
                } catch (InterruptedIOException e) {
                    thrown.set(e);
                }
            });
            await().until(() -> large.getState() == Thread.State.WAITING);
            Thread small = Thread.ofVirtual().start(() -> lease(arena, 16).close());
            await().until(() -> small.getState() == Thread.State.WAITING);
            large.interrupt();
            large.join();
            small.join();
            assertThat(thrown.get()).isInstanceOf(InterruptedIOException.class);
            held.close();
        }
    }

    @Test
    void refusesWhatCanNeverBe() {
        try (BufferArena arena = new BufferArena(256, 16, 64)) {
            assertThatThrownBy(() -> arena.lease(65)).isInstanceOf(IllegalArgumentException.class);
        }
        assertThatThrownBy(() -> new BufferArena(32, 16, 64)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void leasesNeverOverlap() throws Exception {
        try (BufferArena arena = new BufferArena(1 << 16, 64, 1 << 14)) {
            List<Thread> threads = new ArrayList<>();
            AtomicReference<String> wrong = new AtomicReference<>("");
            for (int t = 1; t <= 8; t++) {
                byte mark = (byte) t;
                threads.add(Thread.ofVirtual().start(() -> {
                    SplittableRandom random = new SplittableRandom(mark);
                    for (int i = 0; i < 2000; i++) {
                        try (BufferArena.Lease lease = lease(arena, random.nextInt(1, 1 << 13))) {
                            MemorySegment segment = lease.segment().fill(mark);
                            for (long at = 0; at < segment.byteSize(); at += 61) {
                                if (segment.get(java.lang.foreign.ValueLayout.JAVA_BYTE, at) != mark) {
                                    wrong.set("byte " + at + " of lease " + i + " of thread " + mark);
                                }
                            }
                        }
                    }
                }));
            }
            for (Thread thread : threads) {
                thread.join();
            }
            assertThat(wrong.get()).isEmpty();
        }
    }
}
