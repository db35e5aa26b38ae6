package io.fusecache.fuse.session;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.fuse.mount.MountOptions;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.fuse.wire.InitFlag;
import io.fusecache.fuse.wire.RequestExtensions;
import io.fusecache.fuse.wire.RequestHeader;
import org.junit.jupiter.api.Test;

class NegotiationTest {
    private static final SessionOptions OPTIONS = SessionOptions.of(MountOptions.of("test", "test"));

    private static FuseRequest.Init offer(int minor, long flags) {
        return new FuseRequest.Init(new RequestHeader(1, 0, 0, 0, 0, RequestExtensions.NONE), 7, minor, 131072, flags);
    }

    private static long everything() {
        long flags = 0;
        for (InitFlag flag : InitFlag.values()) {
            flags |= flag.bit();
        }
        return flags;
    }

    @Test
    void whatBothWantIsOn() {
        Negotiation agreed = Negotiation.of(offer(45, everything()), OPTIONS, true);
        assertThat(agreed.off()).isEmpty();
        for (InitFlag flag : InitFlag.values()) {
            assertThat(flag.isIn(agreed.reply().flags()))
                    .as(flag.name())
                    .isEqualTo(SessionOptions.DEFAULT_FEATURES.contains(flag));
        }
        assertThat(agreed.reply().maxStackDepth()).isEqualTo(1);
        assertThat(agreed.reply().maxPages()).isEqualTo(256);
        assertThat(agreed.reply().maxWrite()).isEqualTo(1 << 20);
    }

    @Test
    void anOldKernelIsAnsweredInItsOwnVersionAndTheRestIsExplained() {
        Negotiation agreed = Negotiation.of(offer(31, everything() & 0x3ffffff), OPTIONS.withMaxStackDepth(2), true);
        assertThat(agreed.reply().minor()).isEqualTo(31);
        assertThat(agreed.reply().maxStackDepth()).isZero();
        assertThat(agreed.off().get(InitFlag.PASSTHROUGH)).isEqualTo("the kernel speaks 7.31, this came with 7.40");
        Capabilities capabilities = agreed.capabilities(128, 0, 2, true);
        assertThat(capabilities.passthrough()).isFalse();
        assertThat(capabilities.epochs()).isFalse();
        assertThat(capabilities.describe())
                .contains("protocol 7.31, mounted by fusermount3")
                .contains("passthrough off: the kernel speaks 7.31, this came with 7.40")
                .contains("epochs off");
    }

    @Test
    void spliceIsReportedAsFarAsPipesReach() {
        Negotiation agreed = Negotiation.of(offer(45, everything()), OPTIONS, true);
        assertThat(agreed.capabilities(128, 2 << 20, 2, false).describe()).contains("splice on from 256 KiB;");
        assertThat(agreed.capabilities(128, 1016 << 10, 2, false).describe())
                .contains("splice on from 256 KiB to 1016 KiB (longer answers are copied");
        assertThat(agreed.capabilities(128, 0, 2, false).describe()).contains("splice off: no pipe");
    }

    @Test
    void aNewerKernelIsAnsweredInOurs() {
        assertThat(Negotiation.of(offer(99, everything()), OPTIONS, true)
                        .reply()
                        .minor())
                .isEqualTo(45);
    }

    @Test
    void passthroughNeedsTheRightAndNoWritebackCache() {
        assertThat(Negotiation.of(offer(45, everything()), OPTIONS, false).off())
                .containsEntry(InitFlag.PASSTHROUGH, "this process lacks CAP_SYS_ADMIN");
        Negotiation writeback = Negotiation.of(offer(45, everything()), OPTIONS.with(InitFlag.WRITEBACK_CACHE), true);
        assertThat(InitFlag.PASSTHROUGH.isIn(writeback.reply().flags())).isFalse();
        assertThat(InitFlag.WRITEBACK_CACHE.isIn(writeback.reply().flags())).isTrue();
        assertThat(writeback.reply().maxStackDepth()).isZero();
    }

    @Test
    void withoutMaxPagesRequestsStayAtThirtyTwo() {
        Negotiation agreed = Negotiation.of(offer(45, everything()), OPTIONS.without(InitFlag.MAX_PAGES), true);
        assertThat(agreed.reply().maxWrite()).isEqualTo(32 * 4096);
        assertThat(agreed.reply().maxPages()).isEqualTo(32);
    }

    @Test
    void optionsOutOfBoundsAreNamed() {
        assertThatThrownBy(() -> OPTIONS.withReaders(0)).hasMessage("readers is from 1 to 64, not 0");
        assertThatThrownBy(() -> OPTIONS.withMaxStackDepth(3)).hasMessageContaining("maxStackDepth");
        assertThatThrownBy(() -> MountOptions.of("x", "a,b")).hasMessageContaining("a,b");
    }
}
