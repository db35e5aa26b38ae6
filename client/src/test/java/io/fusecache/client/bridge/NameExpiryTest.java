package io.fusecache.client.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.fuse.sys.PosixException;
import io.fusecache.fuse.wire.FileName;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

final class NameExpiryTest {
    private static final long DIRECTORY = 7;
    private static final long LOCKED = 8;
    private static final long VALID = Duration.ofMinutes(10).toNanos();

    private final List<String> told = new CopyOnWriteArrayList<>();
    private final AtomicInteger drops = new AtomicInteger();
    private final CountDownLatch unlocked = new CountDownLatch(1);
    private final GivenNames names = new GivenNames(10_000, System::nanoTime);
    private final NameExpiry expiry = new NameExpiry(names, new NameExpiry.Kernel() {
        @Override
        public void expire(long directory, FileName name) throws PosixException {
            if (directory == LOCKED) {
                try {
                    unlocked.await();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
            }
            told.add(directory + "/" + name);
        }

        @Override
        public void drop() {
            drops.incrementAndGet();
        }
    });

    @AfterEach
    void close() {
        unlocked.countDown();
        expiry.close();
    }

    private void give(long directory, String name, long child) {
        assertThat(names.give(directory, FileName.of(name), child, names.moment(), VALID))
                .isEqualTo(VALID);
    }

    @Test
    void everyNameOfADirectoryIsExpired() {
        for (int i = 0; i < 500; i++) {
            give(DIRECTORY, "name" + i, i);
        }
        give(9, "elsewhere", 5);
        expiry.allChanged();
        assertThat(told).hasSize(501).doesNotHaveDuplicates();
        assertThat(names.all()).isEmpty();
        assertThat(drops).hasValue(0);
    }

    @Test
    void namesThatLeadToAnInodeAreExpiredAloneAndOnce() {
        give(DIRECTORY, "a", 70);
        give(DIRECTORY, "b", 71);
        give(9, "c", 70);
        expiry.changed(GivenNames.Doubtful.all(Set.of(), Set.of(70L)));
        expiry.changed(GivenNames.Doubtful.all(Set.of(), Set.of(70L)));
        assertThat(told).containsExactlyInAnyOrder("7/a", "9/c");
        assertThat(names.all()).hasSize(1);
    }

    @Test
    void whereALockIsHeldAllNamesAreDroppedInStead() {
        give(LOCKED, "a", 70);
        give(DIRECTORY, "b", 71);
        expiry.changed(GivenNames.Doubtful.all(Set.of(LOCKED), Set.of()));
        assertThat(drops).hasValue(1);
        assertThat(names.all()).isEmpty();
    }

    @Test
    void nothingToExpireWaitsForNoLock() {
        give(LOCKED, "a", 70);
        for (int i = 0; i < 10; i++) {
            // Sees to it that all threads are stuck.
            names.contend(Set.of());
            give(LOCKED, "name" + i, 70);
            expiry.changed(GivenNames.Doubtful.all(Set.of(), Set.of(70L)));
        }
        int before = drops.get();
        assertThat(before).isPositive();
        expiry.changed(GivenNames.Doubtful.all(Set.of(LOCKED, DIRECTORY), Set.of(70L)));
        assertThat(drops).hasValue(before);
    }

    @Test
    void whatMayComeLateIsExpiredOnceMore() {
        give(DIRECTORY, "a", 70);
        give(DIRECTORY, "a", 70);
        expiry.changed(GivenNames.Doubtful.all(Set.of(DIRECTORY), Set.of()));
        if (drops.get() == 0) {
            // On a machine that is so busy that the answer has long been taken, once will do.
            assertThat(told).hasSizeBetween(1, 3).containsOnly("7/a");
        }
        assertThat(names.all()).isEmpty();
    }

    @Test
    void namesThatDoNotChangeWaitForNoLock() {
        give(LOCKED, "a", 70);
        give(DIRECTORY, "b", 71);
        expiry.whenPossible(names.of(GivenNames.Doubtful.all(Set.of(LOCKED), Set.of())));
        expiry.changed(new GivenNames.Doubtful(
                Map.of(LOCKED, Set.of(FileName.of("other")), DIRECTORY, Set.of(FileName.of("b"))), Set.of()));
        assertThat(told).containsExactly("7/b");
        assertThat(drops).hasValue(0);
        unlocked.countDown();
        Awaitility.await().until(() -> names.all().isEmpty());
        assertThat(told).containsExactly("7/b", "8/a");
    }

    @Test
    void aLockThatIsLetGoAfterAWhileIsWaitedFor() {
        give(LOCKED, "a", 70);
        CompletableFuture.delayedExecutor(300, TimeUnit.MILLISECONDS).execute(unlocked::countDown);
        expiry.changed(GivenNames.Doubtful.all(Set.of(LOCKED), Set.of()));
        assertThat(told).containsExactly("8/a");
        assertThat(drops).hasValue(0);
    }
}
