package io.fusecache.testkit.random;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;

final class TraceTextTest {
    private final TraceText<FileOperation> text = new TraceText<>(FileOperation.class);

    @Test
    void whatIsWrittenIsReadAgain() {
        List<FileOperation> trace = FileOperations.of(3, 3000, 1 << 20, Surroundings.QUIET);
        assertThat(text.parse(text.lines(trace))).isEqualTo(trace);
        assertThat(text.line(new FileOperation.MapWrite(1, 2, 3, FileOperation.Sync.ASYNC)))
                .isEqualTo("MapWrite offset=1 length=2 fill=3 sync=ASYNC");
    }

    @Test
    void whatIsNoOperationIsNamed() {
        assertThatThrownBy(() -> text.parse(List.of("Wrote offset=1"))).hasMessageContaining("no operation");
        assertThatThrownBy(() -> text.parse(List.of("Read offset=1 size=2"))).hasMessageContaining("expected length=");
        assertThatThrownBy(() -> text.parse(List.of("Close handle=OPEN"))).hasMessageContaining("OPEN is none of");
    }
}
