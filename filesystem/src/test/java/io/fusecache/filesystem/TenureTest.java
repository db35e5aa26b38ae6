package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.cache.CloudTier.NoPermitException;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What a node may begin, and until when. */
final class TenureTest {
    private static final Duration ATTEMPT = Duration.ofSeconds(60);
    private static final Duration LENGTH = Tenure.forAttemptsOf(ATTEMPT);

    private long seconds = 1_000;
    private boolean reachable = true;
    private boolean ours = true;
    private int asked;
    private final Tenure tenure = new Tenure(LENGTH, nanos(), this::nanos, () -> reachable, () -> {
        asked++;
        // The answer takes its time.
        seconds += 1;
        return ours;
    });

    private long nanos() {
        return Duration.ofSeconds(seconds).toNanos();
    }

    @Test
    void isRenewedInPassingAndNoSoonerThanAQuarterHasGoneBy() throws Exception {
        seconds += LENGTH.toSeconds() / 4 - 1;
        tenure.check(ATTEMPT);
        assertThat(asked).isZero();
        for (int i = 1; i < 100; i++) {
            seconds += LENGTH.toSeconds() / 4 + 1;
            tenure.check(ATTEMPT);
            assertThat(asked).isEqualTo(i);
        }
    }

    @Test
    void beginsNothingThatCouldOutlastWhatIsLeft() throws Exception {
        reachable = false;
        long last = LENGTH.minus(ATTEMPT).minus(Tenure.SPARE).toSeconds();
        assertThat(last).as("there is time before it must be renewed").isGreaterThan(LENGTH.toSeconds() / 4);
        seconds += last;
        tenure.check(ATTEMPT);
        seconds += 1;
        assertThatThrownBy(() -> tenure.check(ATTEMPT)).isInstanceOf(NoPermitException.class);
        reachable = true;
        assertThatCode(() -> tenure.check(ATTEMPT)).doesNotThrowAnyException();
    }

    /** Counted from when it was asked for, not from when the answer came. */
    @Test
    void countsFromBeforeTheQuestion() throws Exception {
        seconds += LENGTH.toSeconds();
        tenure.check(ATTEMPT);
        reachable = false;
        seconds += LENGTH.minus(ATTEMPT).minus(Tenure.SPARE).toSeconds() - 1;
        tenure.check(ATTEMPT);
        seconds += 1;
        assertThatThrownBy(() -> tenure.check(ATTEMPT)).isInstanceOf(NoPermitException.class);
    }

    @Test
    void isOverForGoodOnceItIsAnothers() {
        ours = false;
        seconds += LENGTH.toSeconds() / 2;
        assertThatThrownBy(() -> tenure.check(Duration.ZERO)).hasMessageContaining("another node's");
        ours = true;
        assertThatThrownBy(() -> tenure.check(Duration.ZERO)).hasMessageContaining("another node's");
    }

    @Test
    void aQuestionThatFailsLeavesWhatThereWas() throws Exception {
        Tenure failing = new Tenure(LENGTH, nanos(), this::nanos, () -> true, () -> {
            throw new ErrnoException(Errno.EIO, "no answer");
        });
        seconds += LENGTH.toSeconds() / 4 + 1;
        failing.check(ATTEMPT);
        seconds += LENGTH.toSeconds();
        assertThatThrownBy(() -> failing.check(ATTEMPT)).isInstanceOf(NoPermitException.class);
    }
}
