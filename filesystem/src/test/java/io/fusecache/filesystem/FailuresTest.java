package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import java.io.IOException;
import org.junit.jupiter.api.Test;

final class FailuresTest {
    @Test
    void aFileThatIsNoMoreIsStaleWhateverCameOfIt() {
        IOException failed = new IOException("where it is now is not known", new ErrnoException(Errno.ESTALE, "gone"));
        assertThat(Failures.of("open", failed).errno()).isEqualTo(Errno.ESTALE);
    }

    @Test
    void anyOtherFailureOfATierIsAnInputOutputError() {
        IOException failed = new IOException("not known", new ErrnoException(Errno.EAGAIN, "away"));
        assertThat(Failures.of("read", failed).errno()).isEqualTo(Errno.EIO);
    }
}
