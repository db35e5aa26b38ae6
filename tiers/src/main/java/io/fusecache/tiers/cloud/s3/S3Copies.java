package io.fusecache.tiers.cloud.s3;

import io.fusecache.metadata.ObjectRef;
import io.fusecache.tiers.cloud.ObjectStore.Copy;
import io.fusecache.tiers.cloud.ObjectStore.Part;
import io.fusecache.tiers.cloud.ObjectStore.Upload;
import io.fusecache.tiers.cloud.RefusedException;
import java.io.IOException;
import java.util.Optional;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.MetadataDirective;

/** Copies on the store's side: in one request, or in parts where the object is too large for one. */
final class S3Copies {
    private final S3Options options;
    private final S3Requests requests;

    S3Copies(S3Options options, S3Requests requests) {
        this.options = options;
        this.requests = requests;
    }

    /**
     * What came in one request has no '-' in its ETag, and what did not may be more than one request copies; in a directory bucket an ETag
     * does not tell.
     */
    Copy copy(ObjectRef from, String toKey) throws IOException {
        if (from.key().endsWith("/") || toKey.endsWith("/")) {
            throw new RefusedException("'%s' to '%s': markers are put, not copied".formatted(from.key(), toKey));
        }
        boolean mayBeLarge = from.etag().indexOf('-') >= 0 || options.directoryBucket();
        if (mayBeLarge && options.largestCopy() < Long.MAX_VALUE) {
            Optional<HeadObjectResponse> source = source(from);
            if (source.isEmpty()) {
                return new Copy.NoSource();
            }
            if (source.get().contentLength() > options.largestCopy()) {
                return new Copy.TooLarge(source.get().contentLength());
            }
        }
        try {
            return requests.unlessMissed(
                            "copying '" + from.key() + "' to '" + toKey + "'",
                            client -> client.copyObject(request -> request.sourceBucket(options.bucket())
                                            .sourceKey(from.key())
                                            .copySourceIfMatch(S3Requests.quoted(from.etag()))
                                            .destinationBucket(options.bucket())
                                            .destinationKey(toKey)
                                            .metadataDirective(MetadataDirective.COPY))
                                    .copyObjectResult()
                                    .eTag(),
                            etag -> (Copy) new Copy.Done(new ObjectRef(toKey, S3Requests.unquoted(etag))))
                    .orElseGet(Copy.NoSource::new);
        } catch (RefusedException refused) {
            return tooLarge(from, refused);
        }
    }

    private Copy tooLarge(ObjectRef from, RefusedException refused) throws IOException {
        boolean mayBe = refused.getCause() instanceof SdkException sdk
                && (S3Failures.code(sdk).equals("InvalidRequest")
                        || S3Failures.code(sdk).equals("EntityTooLarge"));
        Optional<HeadObjectResponse> source = mayBe ? source(from) : Optional.empty();
        if (source.isEmpty() || source.get().contentLength() <= options.largestCopy()) {
            throw refused;
        }
        return new Copy.TooLarge(source.get().contentLength());
    }

    private Optional<HeadObjectResponse> source(ObjectRef from) throws IOException {
        return requests.head(from.key())
                .filter(found -> S3Requests.unquoted(found.eTag()).equals(from.etag()));
    }

    Optional<Upload> start(ObjectRef from, String toKey, long size, long partBytes) throws IOException {
        Optional<HeadObjectResponse> source = source(from);
        if (source.isEmpty()) {
            return Optional.empty();
        }
        HeadObjectResponse like = source.get();
        UploadMark mark = UploadMark.random();
        // Parts of a copy have no checksums of ours. Headers that a copy in one request takes along go along.
        String id = requests.send(
                "starting the copy to '" + toKey + "'",
                client -> client.createMultipartUpload(request -> request.bucket(options.bucket())
                                .key(toKey)
                                .metadata(mark.with(like.metadata()))
                                .contentType(like.contentType())
                                .contentEncoding(like.contentEncoding())
                                .contentLanguage(like.contentLanguage())
                                .contentDisposition(like.contentDisposition())
                                .cacheControl(like.cacheControl()))
                        .uploadId());
        return Optional.of(new Upload(toKey, mark.before(id), size, partBytes, UploadMark.without(like.metadata())));
    }

    Optional<Part> part(Upload upload, int number, ObjectRef from) throws IOException {
        long at = upload.offsetOf(number);
        String range = "bytes=" + at + "-" + (at + upload.bytesInPart(number) - 1);
        return requests.unlessMissed(
                "copying part " + number + " of '" + from.key() + "' to '" + upload.key() + "'",
                client -> client.uploadPartCopy(request -> request.sourceBucket(options.bucket())
                                .sourceKey(from.key())
                                .copySourceIfMatch(S3Requests.quoted(from.etag()))
                                .copySourceRange(range)
                                .destinationBucket(options.bucket())
                                .destinationKey(upload.key())
                                .uploadId(UploadMark.uploadId(upload))
                                .partNumber(number))
                        .copyPartResult()
                        .eTag(),
                etag -> new Part(number, S3Requests.unquoted(etag)));
    }
}
