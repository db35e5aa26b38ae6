package io.fusecache.tiers.cloud.s3;

import java.io.IOException;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.EncodingType;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;

/** Sends single requests to a bucket, and tells what is missing from what failed. */
final class S3Requests implements AutoCloseable {
    private static final String MD5_OF_NOTHING = "d41d8cd98f00b204e9800998ecf8427e";

    private final S3Options options;
    private final S3Failures failures;
    private final S3Connection connection;

    S3Requests(S3Options options) {
        this.options = options;
        this.failures = new S3Failures(options);
        this.connection = new S3Connection(options);
    }

    @FunctionalInterface
    interface Request<T> {
        T send(S3Client client);
    }

    <T> T send(String what, Request<T> request) throws IOException {
        try {
            T answer = request.send(connection.client());
            failures.answered();
            return answer;
        } catch (SdkException failure) {
            throw failures.of(what, failure);
        } catch (IllegalStateException | NullPointerException unexpected) {
            // Closed meanwhile, or an answer without what every answer has.
            throw new IOException(what + ": " + unexpected.getMessage(), unexpected);
        }
    }

    /** Empty where the object is not there, or not the one that was asked for. */
    <T, R> Optional<R> unlessMissed(String what, Request<T> request, Function<T, R> result) throws IOException {
        return send(what, client -> {
            try {
                return Optional.of(result.apply(request.send(client)));
            } catch (SdkException failure) {
                if (S3Failures.miss(failure)) {
                    return Optional.<R>empty();
                }
                throw failure;
            }
        });
    }

    /** Two requests where the object is not there: an answer without a body cannot say why. */
    Optional<HeadObjectResponse> head(String key) throws IOException {
        Optional<HeadObjectResponse> found = unlessMissed(
                "looking up '" + key + "'",
                client -> client.headObject(
                        request -> request.bucket(options.bucket()).key(key)),
                response -> response);
        if (found.isEmpty()) {
            requireAbsent(key);
        }
        return found;
    }

    /**
     * Fails where there is no bucket, or nobody who knows of it: whoever answers then finds no object either. (A directory bucket takes no
     * key for a prefix: there the key's directory is asked for.)
     */
    private void requireAbsent(String key) throws IOException {
        String prefix = options.directoryBucket() ? key.substring(0, key.lastIndexOf('/') + 1) : key;
        ListObjectsV2Response listed = send(
                "looking for '" + key + "'",
                client -> client.listObjectsV2(request -> request.bucket(options.bucket())
                        .prefix(prefix)
                        .maxKeys(1)
                        .encodingType(EncodingType.URL)));
        if (listed.contents().stream().anyMatch(object -> object.key().equals(key))) {
            throw new IOException("'" + key + "' is listed, and was not found: it has come just now, or is going");
        }
    }

    static String quoted(String etag) {
        return '"' + etag + '"';
    }

    static String unquoted(@Nullable String etag) {
        if (etag == null) {
            // Some stores keep markers as folders, which have none.
            return MD5_OF_NOTHING;
        }
        return etag.length() > 1 && etag.startsWith("\"") && etag.endsWith("\"")
                ? etag.substring(1, etag.length() - 1)
                : etag;
    }

    @Override
    public void close() {
        connection.close();
    }
}
