package io.fusecache.fuse.session;

import io.fusecache.fuse.wire.InitFlag;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * What kernel and session agreed on, and why the rest is off.
 *
 * @param minor the protocol is 7.{@code minor}
 * @param flags the features that are on, as bits of {@link InitFlag}
 * @param off why each of the others is not
 * @param maxWriteBytes the largest WRITE, and READ
 * @param readAheadKib what the kernel reads ahead
 * @param maxStackDepth see {@link SessionOptions}; 0 without passthrough
 * @param longestSpliceBytes the longest answer that a pipe of this process can hold; 0 where nothing is spliced
 * @param readers threads that read requests, each from its own descriptor
 */
public record Capabilities(
        int minor,
        long flags,
        Map<InitFlag, String> off,
        int maxWriteBytes,
        int maxPages,
        int readAheadKib,
        int maxBackground,
        int maxStackDepth,
        int longestSpliceBytes,
        int readers,
        boolean mountedByFusermount) {
    private static final int MINOR_OF_EPOCH = 44;
    private static final int MINOR_OF_PRUNE = 45;

    public Capabilities {
        off = Map.copyOf(off);
    }

    public boolean has(InitFlag flag) {
        return flag.isIn(flags);
    }

    /** Whether opens may be answered with PASSTHROUGH. */
    public boolean passthrough() {
        return has(InitFlag.PASSTHROUGH);
    }

    /** Whether {@link Notifier#incEpoch} works. */
    public boolean epochs() {
        return minor >= MINOR_OF_EPOCH;
    }

    /** Whether {@link Notifier#prune} works. */
    public boolean pruning() {
        return minor >= MINOR_OF_PRUNE;
    }

    /** Why a feature is off; empty when it is on. */
    public Optional<String> whyOff(InitFlag flag) {
        return has(flag) ? Optional.empty() : Optional.of(off.getOrDefault(flag, "not asked for"));
    }

    /** One screen for people: what is on, and why the rest is not. */
    public String describe() {
        StringBuilder text = new StringBuilder()
                .append("FUSE protocol 7.")
                .append(minor)
                .append(", mounted by ")
                .append(mountedByFusermount ? "fusermount3" : "mount(2)")
                .append(", ")
                .append(readers)
                .append(" readers\n")
                .append("requests up to ")
                .append(maxWriteBytes / 1024)
                .append(" KiB (")
                .append(maxPages)
                .append(" pages), read-ahead ")
                .append(readAheadKib)
                .append(" KiB, ")
                .append(maxBackground)
                .append(" background requests\n")
                .append("passthrough ")
                .append(passthrough() ? "on, stack depth " + maxStackDepth : "off: " + why(InitFlag.PASSTHROUGH))
                .append('\n')
                .append("splice ")
                .append(splice())
                .append("; epochs ")
                .append(epochs() ? "on" : "off: the kernel is older than 6.16")
                .append("; prune ")
                .append(pruning() ? "on" : "off: the kernel is older than 6.18")
                .append("\non:");
        for (InitFlag flag : InitFlag.values()) {
            if (has(flag)) {
                text.append(' ').append(flag);
            }
        }
        Map<String, StringBuilder> reasons = new TreeMap<>();
        for (Map.Entry<InitFlag, String> entry :
                new EnumMap<>(off.isEmpty() ? Map.of(InitFlag.INIT_EXT, "") : off).entrySet()) {
            if (!entry.getValue().isEmpty()) {
                reasons.computeIfAbsent(entry.getValue(), r -> new StringBuilder())
                        .append(' ')
                        .append(entry.getKey());
            }
        }
        reasons.forEach((reason, names) ->
                text.append("\noff (").append(reason).append("):").append(names));
        return text.toString();
    }

    private String splice() {
        if (!has(InitFlag.SPLICE_WRITE)) {
            return "off: " + why(InitFlag.SPLICE_WRITE);
        }
        if (longestSpliceBytes < Connection.SPLICE_FROM_BYTES) {
            return "off: no pipe of this process is large enough (/proc/sys/fs/pipe-max-size, pipe-user-pages-soft)";
        }
        String range = "on from " + Connection.SPLICE_FROM_BYTES / 1024 + " KiB";
        return longestSpliceBytes >= maxWriteBytes
                ? range
                : range + " to " + longestSpliceBytes / 1024
                        + " KiB (longer answers are copied: larger pipes need CAP_SYS_RESOURCE)";
    }

    private String why(InitFlag flag) {
        return whyOff(flag).orElse("");
    }
}
