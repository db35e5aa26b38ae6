package io.fusecache.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.bench.Row.Unit;
import java.util.List;
import java.util.OptionalDouble;
import org.junit.jupiter.api.Test;

final class ReportTest {
    private final Report report = new Report();

    @Test
    void aRatioAtTheBarReachesIt() {
        report.compared(row(OptionalDouble.of(0.95)), figures(95), figures(100));
        assertThat(report.reached()).isTrue();
        assertThat(report.markdown())
                .contains("| read | MiB/s | 95.0 | 100 | 0.95 | >= 0.95 |")
                .contains("All 1 bars reached.");
    }

    @Test
    void aRatioBelowTheBarIsMarked() {
        report.compared(row(OptionalDouble.of(0.95)), figures(90), figures(100));
        assertThat(report.reached()).isFalse();
        assertThat(report.markdown())
                .contains("| **0.90** | **missed:** >= 0.95 |")
                .contains("1 of 1 bars missed.");
    }

    @Test
    void aRowWithoutABarIsShownAndNotJudged() {
        report.compared(row(OptionalDouble.empty()), figures(1), figures(100));
        assertThat(report.reached()).isTrue();
        assertThat(report.markdown()).contains("| 0.01 |  |");
    }

    @Test
    void aBoundedFigureAboveItsBoundIsMarked() {
        report.bounded("start to mounted", "s", figures(1.5), 1.0);
        assertThat(report.reached()).isFalse();
        assertThat(report.markdown())
                .contains("| start to mounted | s | 1.50 |")
                .contains("**missed:** <= 1.00");
    }

    private static Figures figures(double value) {
        return new Figures(List.of(value));
    }

    private static Row row(OptionalDouble bar) {
        return new Row("read", Unit.MIB_PER_SECOND, bar, (folder, repeat) -> 0);
    }
}
