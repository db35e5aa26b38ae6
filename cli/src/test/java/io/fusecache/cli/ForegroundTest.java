package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

final class ForegroundTest {
    @Test
    void theTimeSinceTheStartIsThatOfTheProcess() {
        Duration first = Foreground.sinceStart();
        Instant start = ProcessHandle.current().info().startInstant().orElseThrow();
        Duration roughly = Duration.between(start, Instant.now());
        assertThat(first).isPositive().isCloseTo(roughly, Duration.ofMillis(1500));
        assertThat(Foreground.sinceStart()).isGreaterThanOrEqualTo(first);
    }
}
