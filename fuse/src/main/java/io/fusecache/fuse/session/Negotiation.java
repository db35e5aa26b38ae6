package io.fusecache.fuse.session;

import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.fuse.wire.InitFlag;
import io.fusecache.fuse.wire.InitReply;
import java.util.EnumMap;
import java.util.Map;

/**
 * What comes of the kernel's offer and the session's wishes. A pure function: the feature flags that both want, the sizes,
 * and a reason for every wish that is not met.
 */
record Negotiation(InitReply reply, Map<InitFlag, String> off) {
    static final int MAJOR = 7;
    static final int OLDEST_MINOR = 31;
    static final int NEWEST_MINOR = 45;
    private static final int PAGE = 4096;

    /** @param mayPassThrough whether this process has CAP_SYS_ADMIN, without which no backing file can be registered */
    static Negotiation of(FuseRequest.Init offer, SessionOptions options, boolean mayPassThrough) {
        int minor = Math.min(offer.minor(), NEWEST_MINOR);
        Map<InitFlag, String> off = new EnumMap<>(InitFlag.class);
        long flags = 0;
        for (InitFlag flag : InitFlag.values()) {
            if (!options.features().contains(flag)) {
                continue;
            }
            if (!flag.isIn(offer.flags())) {
                off.put(
                        flag,
                        minor < flag.sinceMinor()
                                ? "the kernel speaks 7." + offer.minor() + ", this came with 7." + flag.sinceMinor()
                                : "the kernel does not offer it");
            } else if (flag == InitFlag.PASSTHROUGH && options.features().contains(InitFlag.WRITEBACK_CACHE)) {
                off.put(flag, "the kernel has either this or WRITEBACK_CACHE, which was asked for");
            } else if (flag == InitFlag.PASSTHROUGH && !mayPassThrough) {
                off.put(flag, "this process lacks CAP_SYS_ADMIN");
            } else {
                flags |= flag.bit();
            }
        }
        boolean passthrough = InitFlag.PASSTHROUGH.isIn(flags);
        int maxWrite =
                InitFlag.MAX_PAGES.isIn(flags) ? options.maxWriteBytes() : Math.min(options.maxWriteBytes(), 32 * PAGE);
        InitReply reply = new InitReply(
                MAJOR,
                minor,
                Math.max(offer.maxReadAhead(), options.readAheadKib() * 1024),
                flags,
                options.maxBackground(),
                options.congestionThreshold(),
                maxWrite,
                1,
                maxWrite / PAGE,
                passthrough ? options.maxStackDepth() : 0);
        return new Negotiation(reply, off);
    }

    Capabilities capabilities(int readAheadKib, int longestSpliceBytes, int readers, boolean byFusermount) {
        return new Capabilities(
                reply.minor(),
                reply.flags(),
                off,
                reply.maxWrite(),
                reply.maxPages(),
                readAheadKib,
                reply.maxBackground(),
                reply.maxStackDepth(),
                longestSpliceBytes,
                readers,
                byFusermount);
    }
}
