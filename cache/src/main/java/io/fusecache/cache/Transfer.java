package io.fusecache.cache;

import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Holder;
import io.fusecache.metadata.NodeAddress;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gets adjacent blocks of one version from whichever source can give them right: in the order of the {@link ReadPlan},
 * each source once per round, and round again while the only obstacle is that sources are busy. Used by one thread.
 */
final class Transfer {
    private static final Logger log = LoggerFactory.getLogger(Transfer.class);
    private static final Duration FIRST_PAUSE = Duration.ofMillis(10);
    private static final Duration LONGEST_PAUSE = Duration.ofMillis(500);
    /** Other holders that a busy node may name. */
    private static final int MAX_REFERRALS = 16;

    private final Sources sources;
    private final FileVersion version;
    private final int first;
    private final int last;
    private final Arrival arrival;
    /** Blocks that are still to be had. */
    private final BitSet wanted = new BitSet();

    private final List<String> answers = new ArrayList<>();
    /** Blocks that came with wrong bytes. */
    private long corrupt;

    private boolean bucketAskedAgain;

    /** What transfers are made of; shared by all of them. */
    record Sources(
            @Nullable PeerTier peers,
            @Nullable CloudTier cloud,
            HolderCache holders,
            SourceHealth health,
            TierCounters counters,
            FetchOptions options) {
        Sources ofCloudAlone() {
            return new Sources(null, cloud, holders, health, counters, options);
        }
    }

    /** Takes a block that came: checks it and keeps it. */
    @FunctionalInterface
    interface Arrival {
        /** @throws CorruptBlockException where the bytes are not those of the version */
        void accept(int block, MemorySegment bytes) throws IOException;
    }

    /** @param present blocks that need not be fetched */
    Transfer(Sources sources, FileVersion version, int first, int last, BitSet present, Arrival arrival) {
        this.sources = sources;
        this.version = version;
        this.first = first;
        this.last = last;
        this.arrival = arrival;
        wanted.set(first, last + 1);
        wanted.andNot(present);
    }

    /** @param memory as much as the blocks have bytes */
    void run(MemorySegment memory) throws IOException {
        long deadline = System.nanoTime() + sources.options().busyPatience().toNanos();
        Duration pause = FIRST_PAUSE;
        while (!wanted.isEmpty()) {
            answers.clear();
            boolean busy = round(memory);
            if (wanted.isEmpty()) {
                break;
            }
            if (!busy || System.nanoTime() > deadline) {
                throw new FetchFailedException(version, wanted.nextSetBit(0), wanted.length() - 1, answers);
            }
            pause(pause);
            pause = pause.multipliedBy(2).compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : LONGEST_PAUSE;
            sources.holders().forget(version);
        }
    }

    private static void pause(Duration time) throws InterruptedIOException {
        try {
            Thread.sleep(time);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new InterruptedIOException("interrupted while sources are busy");
        }
    }

    /** Asks each source once, the bucket again where its bytes were wrong: they may have changed on the way. Returns whether one was busy. */
    private boolean round(MemorySegment memory) throws IOException {
        Set<Source> asked = new HashSet<>();
        Set<Source> referred = new LinkedHashSet<>();
        boolean busy = false;
        while (!wanted.isEmpty()) {
            Source source = next(asked, referred);
            if (source == null) {
                return busy;
            }
            asked.add(source);
            long wrong = corrupt;
            busy |= ask(source, memory, referred);
            if (corrupt > wrong && source instanceof Source.Cloud && !bucketAskedAgain) {
                bucketAskedAgain = true;
                asked.remove(source);
            }
        }
        return busy;
    }

    private @Nullable Source next(Set<Source> asked, Set<Source> referred) throws IOException {
        Set<Source> open = new LinkedHashSet<>();
        if (sources.peers() != null) {
            for (Holder holder : sources.holders().of(version)) {
                if (wanted.stream().anyMatch(holder::has)) {
                    open.add(new Source.Peer(holder.node()));
                }
            }
            open.addAll(referred);
        }
        if (sources.cloud() != null && version.object() != null) {
            open.add(new Source.Cloud());
        }
        open.removeAll(asked);
        List<ReadPlan.Candidate> candidates =
                open.stream().map(sources.health()::candidate).toList();
        List<Source> order = ReadPlan.order(
                candidates,
                version.size(),
                bytes(first, last),
                first,
                sources.options().plan());
        return order.isEmpty() ? null : order.getFirst();
    }

    /** Asks one source for every run of wanted blocks; returns whether it was busy. */
    private boolean ask(Source source, MemorySegment memory, Set<Source> referred) throws IOException {
        for (int from = wanted.nextSetBit(0); from >= 0; ) {
            int to = wanted.nextClearBit(from) - 1;
            MemorySegment target = memory.asSlice(offset(from) - offset(first), bytes(from, to));
            switch (read(source, from, target)) {
                case ReadOutcome.Hit hit -> take(source, from, to, target);
                case ReadOutcome.Miss miss -> {
                    answers.add(source + " does not have them");
                    sources.counters().miss(source.tier());
                    sources.holders().forget(version);
                }
                case ReadOutcome.Busy(List<NodeAddress> others) -> {
                    answers.add(source + " is busy");
                    others.stream().limit(MAX_REFERRALS).map(Source.Peer::new).forEach(referred::add);
                    return true;
                }
                case null -> {
                    return false;
                }
            }
            from = wanted.nextSetBit(to + 1);
        }
        return false;
    }

    /** Null where it failed. */
    private @Nullable ReadOutcome read(Source source, int from, MemorySegment target) {
        long bytes = target.byteSize();
        sources.health().asked(source, bytes);
        long start = System.nanoTime();
        try {
            ReadOutcome outcome = read(source, offset(from), target);
            if (outcome instanceof ReadOutcome.Hit) {
                long nanos = System.nanoTime() - start;
                sources.health().served(source, bytes, nanos);
                sources.counters().hit(source.tier(), bytes, nanos);
            } else {
                sources.health().passed(source, bytes);
            }
            return outcome;
        } catch (IOException e) {
            sources.health().failed(source, bytes);
            sources.counters().failure(source.tier());
            if (e instanceof CorruptTransferException) {
                sources.counters().corruptBlock(source.tier());
                log.warn("{}", e.getMessage());
            }
            answers.add(source + ": " + e.getMessage());
            log.debug("read of {} from {}", version, source, e);
            return null;
        }
    }

    private ReadOutcome read(Source source, long offset, MemorySegment target) throws IOException {
        return switch (source) {
            case Source.Peer peer -> Objects.requireNonNull(sources.peers()).read(peer.node(), version, offset, target);
            case Source.Cloud bucket ->
                Objects.requireNonNull(sources.cloud()).read(Objects.requireNonNull(version.object()), offset, target);
        };
    }

    private void take(Source source, int from, int to, MemorySegment target) throws IOException {
        for (int block = from; block <= to; block++) {
            MemorySegment bytes = target.asSlice(offset(block) - offset(from), version.bytesInBlock(block));
            try {
                arrival.accept(block, bytes);
                wanted.clear(block);
            } catch (CorruptBlockException e) {
                corrupt++;
                sources.counters().corruptBlock(source.tier());
                sources.health().failed(source, 0);
                answers.add(source + ": " + e.getMessage());
                log.warn("{}: {}", source, e.getMessage());
            }
        }
    }

    private long offset(int block) {
        return (long) block * version.blockBytes();
    }

    private long bytes(int from, int to) {
        return offset(to) - offset(from) + version.bytesInBlock(to);
    }
}
