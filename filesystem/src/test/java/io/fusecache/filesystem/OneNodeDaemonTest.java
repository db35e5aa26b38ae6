package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.Timestamp;
import org.junit.jupiter.api.Test;

/** {@link OneNodeSuite} with everything going through the daemon. */
final class OneNodeDaemonTest extends OneNodeSuite {
    @Override
    boolean passthrough() {
        return false;
    }

    @Test
    void aReadShowsWhereTheAccessTimeIsNotAfterModificationAndChange() throws Exception {
        programs.write("/f", new byte[1]);
        long id = programs.find("/f").id();
        Timestamp made = programs.stat("/f").accessed();
        tick();
        programs.read("/f");
        Timestamp first = programs.stat("/f").accessed();
        assertThat(first).isGreaterThan(made);
        tick();
        programs.read("/f");
        assertThat(programs.stat("/f").accessed()).isEqualTo(first);
        node.files.change(id, new AttributeChange(0600, null, null, null, null, false), null);
        Timestamp changed = programs.stat("/f").changed();
        tick();
        programs.read("/f");
        assertThat(programs.stat("/f").accessed()).isGreaterThan(first);
        assertThat(programs.stat("/f").changed()).isEqualTo(changed);
        Timestamp past = new Timestamp(1_000_000_000, 5);
        node.files.change(id, new AttributeChange(null, null, null, past, null, false), null);
        assertThat(programs.stat("/f").accessed()).isEqualTo(past);
        Timestamp future = new Timestamp(4_000_000_000L, 5);
        node.files.change(id, new AttributeChange(null, null, null, future, null, false), null);
        tick();
        programs.read("/f");
        assertThat(programs.stat("/f").accessed()).isEqualTo(future);
    }

    /** The clock of a disk's times goes in steps of up to 10 ms. */
    private static void tick() throws InterruptedException {
        Thread.sleep(20);
    }
}
