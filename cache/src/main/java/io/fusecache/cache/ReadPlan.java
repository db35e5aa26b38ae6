package io.fusecache.cache;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * In which order sources are asked for some blocks: a pure function of what is known about them.
 *
 * <p>Peers come before the bucket. Among peers, the one comes first that would be through soonest with what it is sending
 * us already and these blocks on top. The bucket takes its turn among them, instead of after them, in <em>hybrid</em>
 * mode: several peers have the file, the bucket has it, and it is larger than what those peers are assumed to send in a
 * second; or it is larger than the hybrid threshold and any peer has it. Peers stay primary: the bucket must be faster to
 * be asked first. A source that failed a moment ago is asked only when all others could not help.
 */
public final class ReadPlan {
    private ReadPlan() {}

    /**
     * What the plan assumes.
     *
     * @param peerBytesPerSecond of a peer, and of any source that was not measured yet
     * @param hybridThresholdBytes files above are read from peers and bucket at once even where only one peer has them
     */
    public record Settings(long peerBytesPerSecond, long hybridThresholdBytes) {
        public Settings {
            if (peerBytesPerSecond <= 0 || hybridThresholdBytes < 0) {
                throw new IllegalArgumentException("%d bytes per second of a peer, hybrid reads above %d bytes"
                        .formatted(peerBytesPerSecond, hybridThresholdBytes));
            }
        }
    }

    /**
     * What is known of a source that has the blocks.
     *
     * @param bytesPerSecond as measured lately, 0 where not yet
     * @param bytesInFlight that this node is waiting for from it
     * @param avoided it failed a moment ago
     */
    public record Candidate(Source source, double bytesPerSecond, long bytesInFlight, boolean avoided) {}

    /**
     * The candidates in the order in which they are to be asked for {@code bytes}.
     *
     * @param rotation spreads equal candidates: the block's index
     */
    public static List<Source> order(
            List<Candidate> candidates, long fileBytes, long bytes, int rotation, Settings settings) {
        boolean hybrid = hybrid(candidates, fileBytes, settings);
        List<Candidate> rotated = rotated(candidates, rotation);
        List<Candidate> order = new ArrayList<>(rotated);
        // Stable: what is equal stays as it was rotated.
        order.sort(Comparator.comparing(Candidate::avoided)
                .thenComparing(c -> !hybrid && c.source() instanceof Source.Cloud)
                .thenComparingDouble(c -> seconds(c, bytes, settings))
                .thenComparing(c -> c.source() instanceof Source.Cloud));
        return order.stream().map(Candidate::source).toList();
    }

    /** Whether peers and bucket are to be read at once. */
    public static boolean hybrid(List<Candidate> candidates, long fileBytes, Settings settings) {
        long peers = candidates.stream()
                .filter(c -> c.source() instanceof Source.Peer && !c.avoided())
                .count();
        boolean cloud = candidates.stream().anyMatch(c -> c.source() instanceof Source.Cloud && !c.avoided());
        boolean manyPeers = peers > 1 && fileBytes > peers * settings.peerBytesPerSecond();
        return cloud && (manyPeers || (peers > 0 && fileBytes > settings.hybridThresholdBytes()));
    }

    private static double seconds(Candidate candidate, long bytes, Settings settings) {
        double rate = candidate.bytesPerSecond() > 0 ? candidate.bytesPerSecond() : settings.peerBytesPerSecond();
        return (candidate.bytesInFlight() + bytes) / rate;
    }

    private static List<Candidate> rotated(List<Candidate> candidates, int rotation) {
        if (candidates.isEmpty()) {
            return candidates;
        }
        int first = Math.floorMod(rotation, candidates.size());
        List<Candidate> rotated = new ArrayList<>(candidates.subList(first, candidates.size()));
        rotated.addAll(candidates.subList(0, first));
        return rotated;
    }
}
