package io.fusecache.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class FiguresTest {
    @Test
    void theMedianIsTheMiddleOneWhateverTheOrder() {
        assertThat(new Figures(List.of(9.0, 1.0, 5.0)).median()).isEqualTo(5.0);
    }

    @Test
    void theMedianOfAnEvenNumberIsBetweenTheMiddleTwo() {
        assertThat(new Figures(List.of(4.0, 1.0, 2.0, 9.0)).median()).isEqualTo(3.0);
    }

    @Test
    void aRatioIsTakenRepeatByRepeat() {
        Figures slowedDown = new Figures(List.of(100.0, 50.0, 10.0));
        Figures besideIt = new Figures(List.of(200.0, 100.0, 20.0));
        assertThat(slowedDown.dividedBy(besideIt)).isEqualTo(new Figures(List.of(0.5, 0.5, 0.5)));
    }

    @Test
    void textShowsTheMedianAndItsSpan() {
        assertThat(new Figures(List.of(1402.4, 1380.0, 1411.0)).text()).isEqualTo("1,402 (1,380 to 1,411)");
    }

    @Test
    void aSingleFigureHasNoSpan() {
        assertThat(new Figures(List.of(0.456)).text()).isEqualTo("0.46");
    }
}
