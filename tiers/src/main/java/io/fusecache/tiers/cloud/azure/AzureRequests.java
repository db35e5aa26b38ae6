package io.fusecache.tiers.cloud.azure;

import com.azure.core.util.Context;
import com.azure.storage.blob.BlobContainerClient;
import com.azure.storage.blob.models.BlobProperties;
import com.azure.storage.blob.models.BlobRequestConditions;
import com.azure.storage.blob.models.BlobStorageException;
import com.azure.storage.blob.specialized.BlockBlobClient;
import io.fusecache.cache.CloudTier.OccupiedException;
import io.fusecache.cache.CloudTier.Over;
import io.fusecache.tiers.cloud.RefusedException;
import java.io.IOException;
import java.util.Optional;

/** Sends single requests to a container, and tells what is missing from what failed. */
final class AzureRequests implements AutoCloseable {
    private final AzureOptions options;
    private final AzureConnection connection;
    private final AzureFailures failures;

    AzureRequests(AzureOptions options) {
        this.options = options;
        this.connection = new AzureConnection(options);
        this.failures = new AzureFailures(options);
    }

    @FunctionalInterface
    interface Request<T> {
        T send(BlobContainerClient container);
    }

    <T> T send(String what, Request<T> request) throws IOException {
        try {
            T answer = request.send(connection.client());
            failures.answered();
            return answer;
        } catch (RuntimeException failure) {
            throw failures.of(what, failure);
        }
    }

    /** Empty where the blob is not there, or not the one that was asked for. */
    <T> Optional<T> unlessMissed(String what, Request<T> request) throws IOException {
        return send(what, container -> {
            try {
                return Optional.of(request.send(container));
            } catch (BlobStorageException failure) {
                if (AzureFailures.miss(failure)) {
                    return Optional.<T>empty();
                }
                throw failure;
            }
        });
    }

    /** For what replaces something at {@code key}, under {@link #conditions}. */
    <T> T over(String key, String what, Request<T> request) throws IOException {
        Optional<T> done = send(what, container -> {
            try {
                return Optional.of(request.send(container));
            } catch (BlobStorageException failure) {
                if (AzureFailures.occupied(failure)) {
                    return Optional.<T>empty();
                }
                throw failure;
            }
        });
        return done.orElseThrow(() -> new OccupiedException(key));
    }

    static BlobRequestConditions conditions(Over over) {
        BlobRequestConditions conditions = new BlobRequestConditions();
        return switch (over) {
            case Over.Anything() -> conditions;
            case Over.Nothing() -> conditions.setIfNoneMatch("*");
            case Over.Version(String etag) -> conditions.setIfMatch(quoted(etag));
        };
    }

    Optional<BlobProperties> properties(String key) throws IOException {
        if (!held(key)) {
            return Optional.empty();
        }
        return unlessMissed(
                "looking up '" + key + "'",
                container -> blob(container, key)
                        .getPropertiesWithResponse(null, options.timeout(), Context.NONE)
                        .getValue());
    }

    static BlockBlobClient blob(BlobContainerClient container, String key) {
        return container.getBlobClient(key).getBlockBlobClient();
    }

    static void requireHeld(String key) throws RefusedException {
        if (!held(key)) {
            throw new RefusedException(
                    "'" + key + "' has a backslash, which Azure Blob Storage takes for a slash: rename it");
        }
    }

    static boolean held(String key) {
        return key.indexOf('\\') < 0;
    }

    static String quoted(String etag) {
        return '"' + etag + '"';
    }

    /** A listing gives it without quotes, an answer's header with them. */
    static String unquoted(String etag) {
        return etag.length() > 1 && etag.startsWith("\"") && etag.endsWith("\"")
                ? etag.substring(1, etag.length() - 1)
                : etag;
    }

    @Override
    public void close() {
        connection.close();
    }
}
