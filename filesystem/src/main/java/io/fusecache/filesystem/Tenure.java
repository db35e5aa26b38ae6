package io.fusecache.filesystem;

import io.fusecache.cache.CloudTier;
import io.fusecache.cache.CloudTier.NoPermitException;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Metadata;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this node may do to one key of the bucket, and until when: after that the coordinator may give it to another node, whose object
 * no late request of this one may touch.
 *
 * <p>It counts by the monotonic clock from before the coordinator was asked, so it ends here before it ends there. Whoever is at work
 * renews it in passing, once a quarter has gone by, and begins nothing whose timeout could outlast what is left, with some to spare:
 * a store may get round to a request a little later than its sender has given it up, and clocks differ.
 */
final class Tenure implements CloudTier.Permit {
    private static final Logger LOG = LoggerFactory.getLogger(Tenure.class);

    static final Duration SPARE = Duration.ofSeconds(30);

    /** Asks the coordinator: false where it is another's. */
    @FunctionalInterface
    interface Renewal {
        boolean renew() throws ErrnoException;
    }

    private final Duration length;
    private final LongSupplier nanoTime;
    private final BooleanSupplier reachable;
    private final Renewal renewal;
    private final AtomicBoolean renewing = new AtomicBoolean();
    private volatile long sinceNanos;
    private volatile boolean lost;

    Tenure(Duration length, long sinceNanos, LongSupplier nanoTime, BooleanSupplier reachable, Renewal renewal) {
        this.length = length;
        this.sinceNanos = sinceNanos;
        this.nanoTime = nanoTime;
        this.reachable = reachable;
        this.renewal = renewal;
    }

    /** @param sinceNanos {@link System#nanoTime} before it was asked for */
    static Tenure of(Duration length, long sinceNanos, Metadata metadata, Renewal renewal) {
        return new Tenure(length, sinceNanos, System::nanoTime, metadata::connected, renewal);
    }

    /** How long to ask for, so that attempts can begin in the last moment before it is renewed as well as in the first. */
    static Duration forAttemptsOf(Duration timeout) {
        return timeout.plus(SPARE).multipliedBy(3).dividedBy(2);
    }

    @Override
    public void check(Duration longest) throws NoPermitException {
        if (nanoTime.getAsLong() - sinceNanos >= length.toNanos() / 4) {
            renew();
        }
        recheck(longest);
    }

    @Override
    public void recheck(Duration longest) throws NoPermitException {
        if (lost) {
            throw new NoPermitException("it is another node's by now");
        }
        long left = length.toNanos() - (nanoTime.getAsLong() - sinceNanos);
        if (left < longest.plus(SPARE).toNanos()) {
            throw new NoPermitException(
                    "it could be another node's before it is done: the coordinator was not heard for "
                            + Duration.ofNanos(nanoTime.getAsLong() - sinceNanos)
                                    .toSeconds() + " s");
        }
    }

    /** Where another thread is at it, it sees to it. */
    private void renew() {
        if (lost || !reachable.getAsBoolean() || !renewing.compareAndSet(false, true)) {
            return;
        }
        try {
            long asked = nanoTime.getAsLong();
            if (renewal.renew()) {
                sinceNanos = asked;
            } else {
                lost = true;
            }
        } catch (ErrnoException e) {
            LOG.debug("a tenure is not renewed", e);
        } finally {
            renewing.set(false);
        }
    }
}
