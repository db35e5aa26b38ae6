package io.fusecache.tiers.cloud.gcs;

import com.google.auth.Retryable;
import com.google.auth.oauth2.AccessToken;
import com.google.auth.oauth2.GoogleCredentials;
import io.fusecache.tiers.cloud.BearerTokens;
import io.fusecache.tiers.cloud.RefusedException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Date;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Tokens of Google's own library: of a credentials file, or by application default credentials, which are a file that
 * GOOGLE_APPLICATION_CREDENTIALS names (a service account's key, or the description of a workload identity), whoever is logged in with
 * gcloud, or the service account of the machine or pod. The library asks for another some minutes before one expires.
 */
public final class GoogleTokens implements BearerTokens {
    /** What a node does with a bucket, and nothing else. */
    private static final String SCOPE = "https://www.googleapis.com/auth/devstorage.read_write";

    /** Until so long before its end a token is taken as it is; the library's own margin is shorter. */
    private static final Duration UNHURRIED = Duration.ofMinutes(5);

    private final @Nullable Path file;
    private final InstantSource clock = InstantSource.system();
    private final ReentrantLock finding = new ReentrantLock();
    private volatile @Nullable GoogleCredentials credentials;
    private volatile boolean known;

    /** @param file of the credentials; null: application default credentials */
    public GoogleTokens(@Nullable Path file) {
        this.file = file;
    }

    @Override
    public String token() throws IOException {
        GoogleCredentials found = credentials;
        AccessToken token = found == null ? null : found.getAccessToken();
        return token != null && lastsLong(token) ? token.getTokenValue() : asked();
    }

    private boolean lastsLong(AccessToken token) {
        Date end = token.getExpirationTime();
        return end != null && end.toInstant().isAfter(clock.instant().plus(UNHURRIED));
    }

    /** On a thread of its own, because the library repeats, and an interrupt ends neither that nor a read of its socket. */
    private String asked() throws IOException {
        FutureTask<String> asking = new FutureTask<>(this::ask);
        Thread.ofVirtual().name("google-token").start(asking);
        try {
            return asking.get();
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            InterruptedIOException ended = new InterruptedIOException("waiting for a token was interrupted");
            ended.initCause(interrupted);
            throw ended;
        } catch (ExecutionException failed) {
            switch (failed.getCause()) {
                case RefusedException refused ->
                    throw new RefusedException(String.valueOf(refused.getMessage()), refused);
                case IOException failure -> throw failed(failure);
                case null, default -> throw new AssertionError(failed);
            }
        }
    }

    private String ask() throws IOException {
        GoogleCredentials found = credentials();
        found.refreshIfExpired();
        AccessToken token = found.getAccessToken();
        if (token == null) {
            throw new IOException("the answer has none in it");
        }
        known = true;
        return token.getTokenValue();
    }

    private GoogleCredentials credentials() throws IOException {
        GoogleCredentials found = credentials;
        if (found != null) {
            return found;
        }
        finding.lock();
        try {
            GoogleCredentials first = credentials;
            if (first == null) {
                first = find().createScoped(SCOPE);
                credentials = first;
            }
            return first;
        } finally {
            finding.unlock();
        }
    }

    private GoogleCredentials find() throws RefusedException {
        if (file == null) {
            try {
                return GoogleCredentials.getApplicationDefault();
            } catch (IOException missing) {
                throw new RefusedException(
                        "no credentials were found: set GCP_ACCESS_KEY_ID and GCP_SECRET_ACCESS_KEY (an HMAC key), or"
                                + " GOOGLE_APPLICATION_CREDENTIALS (a file), or give the machine or pod a service account",
                        missing);
            }
        }
        try (InputStream in = Files.newInputStream(file)) {
            return GoogleCredentials.fromStream(in);
        } catch (IOException | IllegalArgumentException unreadable) {
            // What the file says is secret, and some messages quote it.
            throw new RefusedException(
                    "%s is no readable file of Google credentials (%s): check GOOGLE_APPLICATION_CREDENTIALS"
                            .formatted(file, unreadable.getClass().getSimpleName()),
                    unreadable);
        }
    }

    /** Whoever has had a token is known, and will be again. */
    private IOException failed(IOException failure) {
        String message =
                "no token was given: " + String.valueOf(failure.getMessage()).replaceAll("\\s+", " ");
        boolean passing = known || (failure instanceof Retryable asked && asked.isRetryable());
        boolean refused = failure.getMessage() != null && failure.getMessage().contains("invalid_grant");
        return refused && !passing
                ? new RefusedException(
                        message + ": check the key in GOOGLE_APPLICATION_CREDENTIALS, and this machine's clock",
                        failure)
                : gone(message, failure);
    }

    /** Its message says all: what lies beneath is of no use to whoever shows the innermost one. */
    private static IOException gone(String message, IOException failure) {
        IOException gone = new IOException(message);
        gone.addSuppressed(failure);
        return gone;
    }
}
