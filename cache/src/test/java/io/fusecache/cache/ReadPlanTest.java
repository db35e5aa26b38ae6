package io.fusecache.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import java.util.List;
import org.junit.jupiter.api.Test;

final class ReadPlanTest {
    private static final long MB = 1 << 20;
    private static final ReadPlan.Settings SETTINGS = new ReadPlan.Settings(200 * MB, 5000 * MB);
    private static final Source A = peer("a");
    private static final Source B = peer("b");
    private static final Source CLOUD = new Source.Cloud();

    private static Source peer(String name) {
        return new Source.Peer(new NodeAddress(new NodeId(name), name + ":1", name + ":2"));
    }

    private static ReadPlan.Candidate idle(Source source) {
        return new ReadPlan.Candidate(source, 0, 0, false);
    }

    private static List<Source> order(long fileBytes, ReadPlan.Candidate... candidates) {
        return ReadPlan.order(List.of(candidates), fileBytes, 4 * MB, 0, SETTINGS);
    }

    @Test
    void peersComeBeforeTheBucketHoweverFastItIs() {
        assertThat(order(100 * MB, new ReadPlan.Candidate(CLOUD, 1e10, 0, false), idle(A)))
                .containsExactly(A, CLOUD);
    }

    @Test
    void theBucketAloneServes() {
        assertThat(order(100 * MB, idle(CLOUD))).containsExactly(CLOUD);
        assertThat(order(100 * MB)).isEmpty();
    }

    @Test
    void amongPeersTheOneThatIsThroughSoonest() {
        assertThat(order(100 * MB, new ReadPlan.Candidate(A, 0, 8 * MB, false), idle(B)))
                .containsExactly(B, A);
        assertThat(order(100 * MB, new ReadPlan.Candidate(A, 4e9, 8 * MB, false), idle(B)))
                .containsExactly(A, B);
    }

    @Test
    void equalPeersTakeTurns() {
        List<ReadPlan.Candidate> both = List.of(idle(A), idle(B));
        assertThat(ReadPlan.order(both, MB, MB, 0, SETTINGS)).containsExactly(A, B);
        assertThat(ReadPlan.order(both, MB, MB, 1, SETTINGS)).containsExactly(B, A);
    }

    @Test
    void aSourceThatFailedComesLast() {
        assertThat(order(MB, new ReadPlan.Candidate(A, 0, 0, true), idle(CLOUD)))
                .containsExactly(CLOUD, A);
    }

    @Test
    void hybridNeedsSeveralPeersTheBucketAndALargeFile() {
        assertThat(ReadPlan.hybrid(List.of(idle(A), idle(B), idle(CLOUD)), 401 * MB, SETTINGS))
                .isTrue();
        assertThat(ReadPlan.hybrid(List.of(idle(A), idle(B), idle(CLOUD)), 400 * MB, SETTINGS))
                .isFalse();
        assertThat(ReadPlan.hybrid(List.of(idle(A), idle(CLOUD)), 4000 * MB, SETTINGS))
                .isFalse();
        assertThat(ReadPlan.hybrid(List.of(idle(A), idle(B)), 4000 * MB, SETTINGS))
                .isFalse();
        assertThat(ReadPlan.hybrid(List.of(idle(A), idle(CLOUD)), 5001 * MB, SETTINGS))
                .isTrue();
        assertThat(ReadPlan.hybrid(List.of(idle(CLOUD)), 9000 * MB, SETTINGS)).isFalse();
    }

    @Test
    void inHybridModeTheBucketTakesWhatPeersAreTooBusyFor() {
        ReadPlan.Candidate busyA = new ReadPlan.Candidate(A, 0, 8 * MB, false);
        ReadPlan.Candidate busyB = new ReadPlan.Candidate(B, 0, 8 * MB, false);
        assertThat(order(1000 * MB, idle(A), idle(B), idle(CLOUD)))
                .as("peer is primary")
                .containsExactly(A, B, CLOUD);
        assertThat(order(1000 * MB, busyA, busyB, idle(CLOUD))).containsExactly(CLOUD, A, B);
        assertThat(order(100 * MB, busyA, busyB, idle(CLOUD))).as("small file").containsExactly(A, B, CLOUD);
    }
}
