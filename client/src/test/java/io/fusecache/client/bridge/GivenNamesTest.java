package io.fusecache.client.bridge;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.fuse.wire.FileName;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.junit.jupiter.api.Test;

final class GivenNamesTest {
    private static final long DIRECTORY = 7;
    private static final long OTHER = 8;
    private static final long CHILD = 70;
    private static final long VALID = Duration.ofMinutes(1).toNanos();
    private static final FileName NAME = FileName.of("name");

    private long nanos;
    private final GivenNames names = new GivenNames(4, () -> nanos);

    private long give(long directory, String name, long child) {
        return names.give(directory, FileName.of(name), child, names.moment(), VALID);
    }

    private List<String> outstanding(Set<Long> directories, Set<Long> inodes) {
        return names.of(GivenNames.Doubtful.all(directories, inodes)).stream()
                .map(given -> given.directory + "/" + given.name)
                .sorted()
                .toList();
    }

    @Test
    void namesAreFoundByTheirDirectoryAndByWhatTheyLeadTo() {
        assertThat(give(DIRECTORY, "a", CHILD)).isEqualTo(VALID);
        assertThat(give(DIRECTORY, "nowhere", 0)).isEqualTo(VALID);
        assertThat(give(OTHER, "second", 3L << 48 | CHILD)).isEqualTo(VALID);
        assertThat(outstanding(Set.of(DIRECTORY), Set.of())).containsExactly("7/a", "7/nowhere");
        assertThat(outstanding(Set.of(), Set.of(CHILD))).containsExactly("7/a", "8/second");
        assertThat(outstanding(Set.of(OTHER), Set.of(CHILD))).containsExactly("7/a", "8/second");
        assertThat(outstanding(Set.of(9L), Set.of(71L))).isEmpty();
    }

    @Test
    void whatTheKernelWasToldOfIsNotOutstanding() {
        give(DIRECTORY, "a", CHILD);
        give(DIRECTORY, "b", CHILD);
        names.expired(
                names.of(GivenNames.Doubtful.all(Set.of(DIRECTORY), Set.of())).getFirst());
        assertThat(names.of(GivenNames.Doubtful.all(Set.of(DIRECTORY), Set.of())))
                .hasSize(1);
        names.removed(DIRECTORY, FileName.of("a"));
        names.removed(DIRECTORY, FileName.of("b"));
        assertThat(names.of(GivenNames.Doubtful.all(Set.of(DIRECTORY), Set.of(CHILD))))
                .isEmpty();
        assertThat(names.size()).isZero();
    }

    @Test
    void aNameGivenAnewLeadsToWhatItWasGivenWithLast() {
        give(DIRECTORY, "a", CHILD);
        give(DIRECTORY, "a", CHILD + 1);
        assertThat(outstanding(Set.of(), Set.of(CHILD))).isEmpty();
        assertThat(outstanding(Set.of(), Set.of(CHILD + 1))).containsExactly("7/a");
        assertThat(names.size()).isEqualTo(1);
    }

    @Test
    void anAnswerWithoutValidityTakesNoneFromOneThatMayComeLater() {
        give(DIRECTORY, "a", CHILD);
        assertThat(names.give(DIRECTORY, FileName.of("a"), CHILD, -1, VALID)).isZero();
        assertThat(outstanding(Set.of(DIRECTORY), Set.of(CHILD))).containsExactly("7/a");
    }

    @Test
    void whatWasAskedForBeforeARecallIsNotValid() {
        long before = names.moment();
        names.recallBegins();
        long meanwhile = names.moment();
        assertThat(names.quietMoment()).isNotEqualTo(meanwhile);
        assertThat(names.give(DIRECTORY, NAME, CHILD, before, VALID)).isZero();
        assertThat(names.give(DIRECTORY, NAME, CHILD, names.quietMoment(), VALID))
                .isZero();
        // From what is leased at this very moment.
        assertThat(names.give(DIRECTORY, NAME, CHILD, meanwhile, VALID)).isEqualTo(VALID);
        names.recallEnds();
        assertThat(names.give(DIRECTORY, NAME, CHILD, meanwhile, VALID)).isZero();
        assertThat(names.give(DIRECTORY, NAME, CHILD, names.quietMoment(), VALID))
                .isEqualTo(VALID);
    }

    @Test
    void twoRecallsAtATimeAreBothOverBeforeItIsQuiet() {
        names.recallBegins();
        names.recallBegins();
        names.recallEnds();
        assertThat(names.isStill(names.quietMoment())).isFalse();
        names.recallEnds();
        assertThat(names.isStill(names.quietMoment())).isTrue();
    }

    @Test
    void namesOfADirectoryThatOthersChangeAreNotValidForAWhile() {
        give(DIRECTORY, "a", CHILD);
        names.contend(Set.of(DIRECTORY, OTHER));
        assertThat(outstanding(Set.of(DIRECTORY), Set.of())).containsExactly("7/a");
        assertThat(give(DIRECTORY, "b", CHILD)).isZero();
        assertThat(give(OTHER, "b", CHILD)).isEqualTo(VALID);
        nanos += GivenNames.CONTENDED.toNanos() - 1;
        assertThat(give(DIRECTORY, "b", CHILD)).isZero();
        nanos++;
        assertThat(give(DIRECTORY, "b", CHILD)).isEqualTo(VALID);
    }

    @Test
    void aNameIsOverByItself() {
        give(DIRECTORY, "a", CHILD);
        nanos += VALID;
        assertThat(outstanding(Set.of(DIRECTORY), Set.of())).containsExactly("7/a");
        nanos += Duration.ofSeconds(3).toNanos();
        assertThat(outstanding(Set.of(DIRECTORY), Set.of())).isEmpty();
    }

    @Test
    void pastTheBoundNamesAreNotValidUntilOthersAreOver() {
        for (String name : List.of("a", "b", "c", "d")) {
            assertThat(give(DIRECTORY, name, CHILD)).isEqualTo(VALID);
        }
        assertThat(give(DIRECTORY, "e", CHILD)).isZero();
        assertThat(give(DIRECTORY, "a", CHILD)).isEqualTo(VALID);
        assertThat(names.size()).isEqualTo(4);
        names.removed(DIRECTORY, FileName.of("b"));
        assertThat(give(DIRECTORY, "e", CHILD)).isEqualTo(VALID);
        nanos += 2 * VALID;
        assertThat(give(OTHER, "f", CHILD)).isEqualTo(VALID);
        assertThat(names.size()).isEqualTo(1);
    }

    @Test
    void whatTheKernelRenamesByItselfIsKnownBeforeItDoes() {
        give(DIRECTORY, "a", CHILD);
        assertThat(names.moves(DIRECTORY, FileName.of("a"), OTHER, FileName.of("b"), false))
                .isEmpty();
        assertThat(outstanding(Set.of(OTHER), Set.of())).containsExactly("8/b");
        assertThat(outstanding(Set.of(), Set.of(CHILD))).containsExactly("7/a", "8/b");
        names.removed(DIRECTORY, FileName.of("a"));
        assertThat(outstanding(Set.of(), Set.of(CHILD))).containsExactly("8/b");
    }

    @Test
    void whereARenameMayFailTheNameItWouldReplaceIsToBeExpired() {
        give(DIRECTORY, "a", CHILD);
        give(OTHER, "b", CHILD + 1);
        assertThat(names.moves(DIRECTORY, FileName.of("a"), OTHER, FileName.of("b"), false))
                .hasToString("['b' in directory 8]");
    }

    @Test
    void namesThatAreExchangedLeadToEachOthersNodes() {
        give(DIRECTORY, "a", CHILD);
        give(OTHER, "b", CHILD + 1);
        assertThat(names.moves(DIRECTORY, FileName.of("a"), OTHER, FileName.of("b"), true))
                .hasToString("['b' in directory 8, 'a' in directory 7]");
        assertThat(outstanding(Set.of(), Set.of(CHILD))).containsExactly("8/b");
        assertThat(outstanding(Set.of(), Set.of(CHILD + 1))).containsExactly("7/a");
    }

    @Test
    void whatHasNoValidityIsNotMoved() {
        names.give(DIRECTORY, NAME, CHILD, -1, VALID);
        assertThat(names.moves(DIRECTORY, NAME, OTHER, NAME, false)).isEmpty();
        assertThat(outstanding(Set.of(OTHER), Set.of())).isEmpty();
    }

    @Test
    void onlyWhatTheKernelMayHaveValidatedComesLate() {
        give(DIRECTORY, "a", CHILD);
        Duration within = Duration.ofMillis(100);
        assertThat(GivenNames.mayComeLate(only(), nanos, within)).isFalse();
        give(DIRECTORY, "a", CHILD);
        assertThat(GivenNames.mayComeLate(only(), nanos, within)).isTrue();
        assertThat(GivenNames.mayComeLate(only(), nanos + within.toNanos(), within))
                .isFalse();
        // Another node than the kernel knows by that name is looked up from the start.
        give(DIRECTORY, "a", CHILD + 1);
        assertThat(GivenNames.mayComeLate(only(), nanos, within)).isFalse();
    }

    private GivenNames.Given only() {
        List<GivenNames.Given> all = names.all();
        assertThat(all).hasSize(1);
        return all.getFirst();
    }

    @Test
    void nothingIsOutstandingAfterEverythingWasDropped() {
        give(DIRECTORY, "a", CHILD);
        names.clear();
        assertThat(names.all()).isEmpty();
        assertThat(give(DIRECTORY, "a", CHILD)).isEqualTo(VALID);
    }

    @Test
    void onlyTheNamesThatChangeAreFoundWhereTheyAreSaid() {
        give(DIRECTORY, "a", CHILD);
        give(DIRECTORY, "b", CHILD + 1);
        GivenNames.Doubtful doubtful =
                new GivenNames.Doubtful(Map.of(DIRECTORY, Set.of(FileName.of("b"), FileName.of("c"))), Set.of());
        assertThat(names.of(doubtful)).hasToString("['b' in directory 7]");
        assertThat(names.settle(doubtful)).isFalse();
        names.expired(names.of(doubtful).getFirst());
        assertThat(names.settle(doubtful)).isTrue();
        assertThat(outstanding(Set.of(DIRECTORY), Set.of())).containsExactly("7/a");
        names.goOn();
    }

    @Test
    void noNameIsMovedBetweenTheLastLookAndTheAcknowledgement() throws Exception {
        give(OTHER, "a", CHILD);
        names.recallBegins();
        assertThat(names.settle(GivenNames.Doubtful.all(Set.of(DIRECTORY), Set.of())))
                .isTrue();
        CompletableFuture<List<GivenNames.Given>> rename = CompletableFuture.supplyAsync(
                () -> names.moves(OTHER, FileName.of("a"), DIRECTORY, FileName.of("b"), false));
        assertThatThrownBy(() -> rename.get(50, TimeUnit.MILLISECONDS)).isInstanceOf(TimeoutException.class);
        assertThat(outstanding(Set.of(DIRECTORY), Set.of())).isEmpty();
        names.goOn();
        names.recallEnds();
        assertThat(rename.get(5, TimeUnit.SECONDS)).isEmpty();
        assertThat(outstanding(Set.of(DIRECTORY), Set.of())).containsExactly("7/b");
    }
}
