package io.fusecache.filesystem;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Timestamp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
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

    /** Its reads may be answered by the kernel from pages that it has, unless the open takes them away. */
    @Test
    void whereAReadHasToShowTheKernelIsToAskForTheBytes() throws Exception {
        programs.write("/f", new byte[1]);
        long id = programs.find("/f").id();
        assertThat(keepsPagesAtOpen(id)).isFalse();
        assertThat(keepsPagesAtOpen(id)).as("nobody has read it").isFalse();
        programs.read("/f");
        assertThat(keepsPagesAtOpen(id)).isTrue();
        tick();
        node.files.change(id, new AttributeChange(0600, null, null, null, null, false), null);
        assertThat(keepsPagesAtOpen(id)).isFalse();
    }

    private boolean keepsPagesAtOpen(long id) throws ErrnoException {
        OpenFile file = node.files.open(id, new OpenMode(true, false, false));
        node.files.flush(id, file.handle());
        node.files.release(id, file.handle());
        return file.keepCache();
    }

    /** Its writer's close(2) has returned, and the kernel's release has not come yet. */
    @Test
    void whoOpensWhatWasJustClosedAndDoesNotReadItHasNotReadIt() throws Exception {
        try (Programs.Fd writer = programs.create("/f")) {
            writer.write(0, new byte[10]);
            writer.flush();
            Timestamp made = programs.stat("/f").accessed();
            tick();
            assertThat(keepsPagesAtOpen(writer.id)).isFalse();
            assertThat(programs.stat("/f").accessed()).isEqualTo(made);
            try (Programs.Fd reader = programs.open("/f", OpenMode.READ)) {
                assertThat(reader.read(0, 10)).hasSize(10);
            }
            assertThat(programs.stat("/f").accessed()).isGreaterThan(made);
        }
    }

    /** The kernel has the pages that were written. */
    @Test
    void whatIsWrittenWhileItIsOpenForReadingCountsAsReadAtTheClose() throws Exception {
        try (Programs.Fd writer = programs.create("/f")) {
            writer.write(0, new byte[10]);
            writer.flush();
            Timestamp made = programs.stat("/f").accessed();
            OpenFile reader = node.files.open(writer.id, OpenMode.READ);
            tick();
            writer.write(0, new byte[20]);
            node.files.flush(writer.id, reader.handle());
            node.files.release(writer.id, reader.handle());
            assertThat(programs.stat("/f").accessed()).isGreaterThan(made);
        }
    }

    @Test
    void aReadWithoutTraceLeavesTheAccessTime() throws Exception {
        programs.write("/f", new byte[1]);
        long id = programs.find("/f").id();
        Timestamp made = programs.stat("/f").accessed();
        tick();
        OpenFile file = node.files.open(id, new OpenMode(true, false, false));
        MemorySegment target = Arena.ofAuto().allocate(1);
        assertThat(node.files.read(id, 0, target, false)).isEqualTo(1);
        node.files.flush(id, file.handle());
        assertThat(programs.stat("/f").accessed()).isEqualTo(made);
        assertThat(node.files.read(id, 0, target, true)).isEqualTo(1);
        node.files.release(id, file.handle());
        assertThat(programs.stat("/f").accessed()).isGreaterThan(made);
    }

    @Test
    void whoFollowsASymbolicLinkThatChangedIsToAskForIt() throws Exception {
        long id = programs.symlink("anywhere", "/s").id();
        assertThat(node.kernel.wasTold(id)).isFalse();
        node.files.change(id, new AttributeChange(null, 5, 5, null, null, false), null);
        assertThat(node.kernel.wasTold(id)).isTrue();
    }

    /** The clock of a disk's times goes in steps of up to 10 ms. */
    private static void tick() throws InterruptedException {
        Thread.sleep(20);
    }
}
