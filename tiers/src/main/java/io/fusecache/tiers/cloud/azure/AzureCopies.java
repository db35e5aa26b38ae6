package io.fusecache.tiers.cloud.azure;

import com.azure.core.util.polling.SyncPoller;
import com.azure.storage.blob.BlobContainerClient;
import com.azure.storage.blob.models.BlobBeginCopySourceRequestConditions;
import com.azure.storage.blob.models.BlobCopyInfo;
import com.azure.storage.blob.models.BlobErrorCode;
import com.azure.storage.blob.models.BlobProperties;
import com.azure.storage.blob.models.BlobStorageException;
import com.azure.storage.blob.models.CopyStatusType;
import com.azure.storage.blob.options.BlobBeginCopyOptions;
import io.fusecache.cache.CloudTier.OccupiedException;
import io.fusecache.cache.CloudTier.Over;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.tiers.cloud.ObjectStore.Copy;
import io.fusecache.tiers.cloud.RefusedException;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;

/**
 * The service's own copies ("Copy Blob"): whole, of any size, within the account. A small one is done when the answer comes; a large one
 * goes on, and the properties of the new blob tell how far it is.
 */
final class AzureCopies {
    /** Of the SDK's, which is never used: whoever asks for a copy asks after it. */
    private static final Duration POLL = Duration.ofSeconds(1);

    /** No copy has this id. */
    private static final String ANOTHER_GOES_ON = "";

    /** Nor has it this one. */
    private static final String OCCUPIED = " ";

    private final AzureOptions options;
    private final AzureRequests requests;

    AzureCopies(AzureOptions options, AzureRequests requests) {
        this.options = options;
        this.requests = requests;
    }

    Copy begin(ObjectRef from, String toKey, Over over) throws IOException {
        String what = "copying '" + from.key() + "' to '" + toKey + "'";
        Optional<String> begun = requests.unlessMissed(what, container -> {
            try {
                SyncPoller<BlobCopyInfo, Void> copy = AzureRequests.blob(container, toKey)
                        .beginCopy(new BlobBeginCopyOptions(source(container, from.key()))
                                .setSourceRequestConditions(new BlobBeginCopySourceRequestConditions()
                                        .setIfMatch(AzureRequests.quoted(from.etag())))
                                .setDestinationRequestConditions(AzureRequests.conditions(over))
                                .setPollInterval(POLL));
                return copy.poll().getValue().getCopyId();
            } catch (BlobStorageException failure) {
                if (BlobErrorCode.PENDING_COPY_OPERATION.equals(failure.getErrorCode())) {
                    return ANOTHER_GOES_ON;
                }
                if (!(over instanceof Over.Anything) && AzureFailures.occupied(failure)) {
                    return OCCUPIED;
                }
                throw failure;
            }
        });
        if (begun.isEmpty()) {
            return new Copy.NoSource();
        }
        if (begun.get().equals(OCCUPIED)) {
            return occupied(from, toKey, over);
        }
        return begun.get().equals(ANOTHER_GOES_ON)
                ? begunBefore(from, toKey)
                : follow(from, toKey, new Copy.GoesOn(begun.get()));
    }

    /** One code says that the source is another or that the target is; and the target may be a copy whose answer was lost. */
    private Copy occupied(ObjectRef from, String toKey, Over over) throws IOException {
        Optional<BlobProperties> there = requests.properties(toKey);
        if (there.isPresent() && CopyStatusType.PENDING.equals(there.get().getCopyStatus())) {
            return begunBefore(from, toKey);
        }
        String etag =
                there.map(found -> AzureRequests.unquoted(found.getETag())).orElse(null);
        if (over.covers(etag)) {
            return new Copy.NoSource();
        }
        throw new OccupiedException(toKey);
    }

    /** The answer was lost, or who heard it is gone. */
    private Copy begunBefore(ObjectRef from, String toKey) throws IOException {
        String wanted = requests.send(
                "naming '" + from.key() + "'",
                container -> path(AzureRequests.blob(container, from.key()).getBlobUrl()));
        return requests.properties(toKey)
                .filter(there -> there.getCopySource() != null && wanted.equals(path(there.getCopySource())))
                .<Copy>map(there -> new Copy.GoesOn(there.getCopyId()))
                .orElseThrow(() -> new IOException("something else is being copied to '" + toKey + "'"));
    }

    /** What authorized it is not part of a blob's name. */
    private static String path(String url) {
        return URI.create(url).getPath();
    }

    Copy follow(ObjectRef from, String toKey, Copy.GoesOn begun) throws IOException {
        Optional<BlobProperties> found = requests.properties(toKey);
        if (found.isEmpty() || !begun.id().equals(found.get().getCopyId())) {
            throw new IOException("'%s' was replaced while '%s' was being copied to it".formatted(toKey, from.key()));
        }
        BlobProperties made = found.get();
        CopyStatusType status = made.getCopyStatus();
        if (CopyStatusType.SUCCESS.equals(status)) {
            return new Copy.Done(new ObjectRef(toKey, AzureRequests.unquoted(made.getETag())));
        }
        if (CopyStatusType.PENDING.equals(status)) {
            return begun;
        }
        throw new RefusedException("the copy of '%s' to '%s' ended as %s: %s"
                .formatted(from.key(), toKey, status, made.getCopyStatusDescription()));
    }

    /** Within an account its key and an identity are good for the source too; a signature goes along. */
    private String source(BlobContainerClient container, String key) {
        String url = AzureRequests.blob(container, key).getBlobUrl();
        return options.credentials() instanceof AzureOptions.Credentials.Sas(String token) ? url + "?" + token : url;
    }
}
