package io.fusecache.client;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What was started, to be stopped in the opposite order: all of it, whatever fails on the way. */
final class StopList {
    private static final Logger LOG = LoggerFactory.getLogger(StopList.class);

    private final Deque<Step> steps = new ArrayDeque<>();

    private record Step(String what, AutoCloseable stop) {}

    <T extends AutoCloseable> T add(String what, T started) {
        steps.push(new Step(what, started));
        return started;
    }

    void run() {
        for (Step step = steps.poll(); step != null; step = steps.poll()) {
            long begin = System.nanoTime();
            try {
                step.stop().close();
            } catch (InterruptedException e) {
                LOG.warn("interrupted while {} stopped", step.what());
                Thread.currentThread().interrupt();
            } catch (Exception | AssertionError e) {
                LOG.warn("{} did not stop cleanly: {}", step.what(), e.getMessage(), e);
            }
            LOG.debug("{} stopped in {} ms", step.what(), (System.nanoTime() - begin) / 1_000_000);
        }
    }
}
