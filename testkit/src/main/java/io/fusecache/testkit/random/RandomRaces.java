package io.fusecache.testkit.random;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Syscall;
import io.fusecache.testkit.posix.scene.Violation;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.SplittableRandom;
import java.util.concurrent.BrokenBarrierException;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Rounds of races between threads that use one directory through one or several mounts: all call at the same moment, and what
 * comes of it must be what could have come of it on one disk, on every mount. The seed says which races are run in which order;
 * who wins is not up to it.
 */
public final class RandomRaces {
    static final int MAX_CONTENDERS = 8;

    private static final String USAGE = """
            usage: java --enable-native-access=ALL-UNNAMED -cp fusecache-testkit.jar \
            io.fusecache.testkit.random.RandomRaces [--seed N] [--rounds N] [--contenders N] DIRECTORY...
              --seed        which races (others each time)
              --rounds      how many (1000)
              --contenders  threads for each directory (2)
            Several directories are mounts of the same file system.""";

    private static final int ROUNDS = 1000;

    private final List<Path> directories;
    private final int contenders;
    private final String prefix = "race-" + Long.toHexString(System.nanoTime()) + "-";

    /**
     * @param directories the same one, as each node has it
     * @param threads for each of them
     */
    public RandomRaces(List<Path> directories, int threads) {
        this.directories = List.copyOf(directories);
        this.contenders = threads * directories.size();
        if (contenders > MAX_CONTENDERS) {
            throw new IllegalArgumentException(contenders + " contenders: at most " + MAX_CONTENDERS);
        }
    }

    /**
     * Returns when all rounds are over.
     *
     * @throws Violation where one of them ended as it must not
     */
    public void check(long seed, int rounds) throws InterruptedException {
        Meeting meeting = new Meeting(rounds, new SplittableRandom(seed));
        List<Thread> threads = new ArrayList<>();
        for (int who = 0; who < contenders; who++) {
            int own = who;
            threads.add(Thread.ofPlatform().name("contender-" + who).start(() -> meeting.contend(own)));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        Throwable failure = meeting.failure.get();
        if (failure != null) {
            Violation violation = new Violation("round %d of seed %d, '%s': %s"
                    .formatted(meeting.round, seed, meeting.race.name(), failure.getMessage()));
            violation.initCause(failure);
            throw violation;
        }
    }

    /** All contenders, who wait for each other before and after each round. */
    private final class Meeting {
        private final int rounds;
        private final RandomGenerator random;
        private final CyclicBarrier barrier = new CyclicBarrier(contenders);
        private final AtomicReferenceArray<@Nullable Long> answers = new AtomicReferenceArray<>(contenders);
        private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
        /** These are changed by the first contender, while the others wait. */
        private volatile int round;

        private volatile Race race = Races.all().getFirst();

        Meeting(int rounds, RandomGenerator random) {
            this.rounds = rounds;
            this.random = random;
        }

        void contend(int who) {
            try (Arena arena = Arena.ofConfined()) {
                Caller caller = Caller.ofThread(arena);
                caller.call(Syscall.UMASK, 0).ok();
                for (int i = 1; i <= rounds; i++) {
                    if (who == 0) {
                        prepare(caller, i);
                    }
                    barrier.await();
                    if (failure.get() != null) {
                        return;
                    }
                    attempt(caller, who);
                    barrier.await();
                    if (who == 0) {
                        judge(caller);
                    }
                }
            } catch (InterruptedException | BrokenBarrierException stopped) {
                failure.compareAndSet(null, stopped);
            }
        }

        private void prepare(Caller caller, int number) {
            if (failure.get() != null) {
                return;
            }
            round = number;
            List<Race> all = Races.all();
            race = all.get(random.nextInt(all.size()));
            noting(() -> {
                caller.mkdir(place(0), 0755).is(0);
                race.preparation().prepare(caller, place(0));
            });
        }

        private void attempt(Caller caller, int who) {
            noting(() -> answers.set(who, race.attempt().make(caller, place(who % directories.size()), who)));
        }

        private void judge(Caller caller) {
            if (failure.get() != null) {
                return;
            }
            List<Long> all = new ArrayList<>();
            for (int i = 0; i < contenders; i++) {
                Long answer = answers.get(i);
                all.add(answer == null ? Long.MIN_VALUE : answer);
            }
            noting(() -> {
                for (int node = directories.size() - 1; node >= 0; node--) {
                    race.verdict().check(caller, place(node), all);
                }
                new TreeView(caller, caller.buffer()).remove(place(0));
            });
        }

        private String place(int node) {
            return directories.get(node).resolve(prefix + round).toString();
        }

        private void noting(Runnable work) {
            try {
                work.run();
            } catch (RuntimeException | AssertionError failed) {
                failure.compareAndSet(null, failed);
            }
        }
    }

    public static void main(String[] arguments) throws InterruptedException {
        long seed = System.nanoTime();
        int rounds = ROUNDS;
        int threads = 2;
        List<Path> directories = new ArrayList<>();
        Queue<String> words = new ArrayDeque<>(List.of(arguments));
        for (String word = words.poll(); word != null; word = words.poll()) {
            switch (word) {
                case "--seed" -> seed = Long.parseLong(words.remove());
                case "--rounds" -> rounds = Integer.parseInt(words.remove());
                case "--contenders" -> threads = Integer.parseInt(words.remove());
                default -> directories.add(Path.of(word).toAbsolutePath());
            }
        }
        if (directories.isEmpty()) {
            System.err.println(USAGE);
            System.exit(2);
        }
        long start = System.nanoTime();
        try {
            new RandomRaces(directories, threads).check(seed, rounds);
        } catch (Violation failed) {
            System.out.println("FAILED: " + failed.getMessage());
            System.exit(1);
        }
        System.out.printf("seed %d: %d races in %.1f s%n", seed, rounds, (System.nanoTime() - start) / 1e9);
    }
}
