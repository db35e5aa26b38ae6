package io.fusecache.client;

import io.fusecache.client.http.NodeInsight;
import io.fusecache.client.http.ReadCounts;
import io.fusecache.client.settings.ByteSize;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says in the log, every so many bytes, how much the daemon has moved: what the kernel passes through is not in it. */
final class ProgressLog implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ProgressLog.class);
    private static final Duration LOOK_EVERY = Duration.ofSeconds(1);

    private final NodeInsight insight;
    private final long stepBytes;
    private final CountDownLatch closed = new CountDownLatch(1);
    private long saidAtBytes;

    private ProgressLog(NodeInsight insight, long stepBytes) {
        this.insight = insight;
        this.stepBytes = stepBytes;
    }

    /** @param stepBytes 0 for silence */
    static ProgressLog start(NodeInsight insight, long stepBytes) {
        ProgressLog log = new ProgressLog(insight, stepBytes);
        if (stepBytes > 0) {
            Thread.ofVirtual().name("progress").start(log::watch);
        }
        return log;
    }

    private void watch() {
        try {
            while (!closed.await(LOOK_EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
                look();
            }
        } catch (InterruptedException ended) {
            Thread.currentThread().interrupt();
        }
    }

    private void look() {
        ReadCounts counts = insight.reads();
        long bytes =
                counts.nvme().bytes() + counts.peer().bytes() + counts.cloud().bytes() + counts.writtenBytes();
        if (bytes - saidAtBytes >= stepBytes) {
            saidAtBytes = bytes;
            LOG.info(
                    "so far: {} read from NVMe by the daemon, {} from peers, {} from the bucket; {} committed in {} closes",
                    ByteSize.text(counts.nvme().bytes()),
                    ByteSize.text(counts.peer().bytes()),
                    ByteSize.text(counts.cloud().bytes()),
                    ByteSize.text(counts.writtenBytes()),
                    counts.writes());
        }
    }

    @Override
    public void close() {
        closed.countDown();
    }
}
