package io.fusecache.tiers.cloud.s3;

import io.fusecache.cache.CloudTier.OccupiedException;
import io.fusecache.cache.CloudTier.Over;
import io.fusecache.tiers.cloud.RefusedException;
import java.io.IOException;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;

/**
 * Requests that write a key only over what they are to replace: If-Match and If-None-Match ("Conditional writes").
 *
 * <p>Not every store that speaks S3 heeds them, and not every one that does not says so. The first object that is put where none was
 * is put once more under the same condition, which has to be refused. Until a store has shown that it heeds conditions, and where it
 * does not, what is at the key is looked up right before: that leaves the time between two requests. Copies, removals and the
 * completion of uploads are always looked up for, because stores that heed conditions of a put may not heed those.
 */
final class S3Conditions {
    private static final Logger LOG = LoggerFactory.getLogger(S3Conditions.class);
    private static final int BAD_REQUEST = 400;
    private static final int NOT_IMPLEMENTED = 501;

    private enum Heeded {
        UNKNOWN,
        YES,
        NO
    }

    private final S3Options options;
    private final S3Requests requests;
    private final AtomicBoolean tried = new AtomicBoolean();
    private volatile Heeded heeded = Heeded.UNKNOWN;

    S3Conditions(S3Options options, S3Requests requests) {
        this.options = options;
        this.requests = requests;
    }

    /** @param request what is sent under a condition */
    <T> T put(String key, Over over, Function<Over, S3Requests.Request<T>> request) throws IOException {
        String what = "putting '" + key + "'";
        if (over instanceof Over.Anything) {
            return requests.send(what, request.apply(over));
        }
        if (heeded != Heeded.YES) {
            require(key, over);
        }
        T done = send(what, key, over, request);
        boolean tells = heeded == Heeded.UNKNOWN && over instanceof Over.Nothing && tried.compareAndSet(false, true);
        return tells ? again(what, key, over, request, done) : done;
    }

    /** For the completion of an upload, which may be asked for twice. */
    <T> T complete(String key, Over over, Function<Over, S3Requests.Request<T>> request) throws IOException {
        require(key, over);
        return send("completing the upload of '" + key + "'", key, over, request);
    }

    /** @throws OccupiedException where something else than what is to be replaced is there now */
    void require(String key, Over over) throws IOException {
        if (!(over instanceof Over.Anything) && !over.covers(etag(key).orElse(null))) {
            throw new OccupiedException(key);
        }
    }

    /** Whether an object is there, and which. */
    Optional<String> etag(String key) throws IOException {
        return requests.unlessMissed(
                "looking up '" + key + "'",
                client -> client.headObject(
                        request -> request.bucket(options.bucket()).key(key)),
                (HeadObjectResponse found) -> S3Requests.unquoted(found.eTag()));
    }

    private <T> T send(String what, String key, Over over, Function<Over, S3Requests.Request<T>> request)
            throws IOException {
        if (heeded == Heeded.NO || over instanceof Over.Anything) {
            return requests.send(what, request.apply(new Over.Anything()));
        }
        try {
            return requests.send(what, request.apply(over));
        } catch (IOException failure) {
            SdkException said = failure.getCause() instanceof SdkException sdk ? sdk : null;
            if (said != null && S3Failures.miss(said)) {
                throw new OccupiedException(key);
            }
            if (said == null || !notUnderstood(failure, S3Failures.status(said))) {
                throw failure;
            }
            require(key, over);
            T done = requests.send(what, request.apply(new Over.Anything()));
            notHeeded();
            return done;
        }
    }

    /** Some say that they do not know the header, some that the request is bad. */
    private boolean notUnderstood(IOException failure, int status) {
        return status == NOT_IMPLEMENTED
                || (status == BAD_REQUEST && failure instanceof RefusedException && heeded == Heeded.UNKNOWN);
    }

    private void notHeeded() {
        heeded = Heeded.NO;
        LOG.info(
                "{} bucket '{}' does not compare before it replaces: each key is looked up before it is written",
                options.title(),
                options.bucket());
    }

    private <T> T again(String what, String key, Over over, Function<Over, S3Requests.Request<T>> request, T done)
            throws IOException {
        try {
            T twice = send(what, key, over, request);
            if (heeded == Heeded.UNKNOWN) {
                notHeeded();
            }
            return twice;
        } catch (OccupiedException refused) {
            heeded = Heeded.YES;
            return done;
        } catch (IOException untold) {
            LOG.debug("whether {} heeds conditions is not known yet", options.bucket(), untold);
            tried.set(false);
            return done;
        }
    }
}
