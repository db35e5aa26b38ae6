package io.fusecache.tiers.cloud.s3;

import io.fusecache.cache.CloudTier.OccupiedException;
import io.fusecache.cache.CloudTier.Over;
import io.fusecache.cache.CloudTier.StoredObject;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.Timestamp;
import io.fusecache.tiers.cloud.GuardedTransport;
import io.fusecache.tiers.cloud.ObjectStore;
import io.fusecache.tiers.cloud.PartBody;
import io.fusecache.tiers.cloud.PartSizes;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.core.sync.ResponseTransformer;
import software.amazon.awssdk.services.s3.model.ChecksumAlgorithm;
import software.amazon.awssdk.services.s3.model.CompleteMultipartUploadResponse;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.CreateMultipartUploadResponse;
import software.amazon.awssdk.services.s3.model.DeleteObjectResponse;
import software.amazon.awssdk.services.s3.model.EncodingType;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.HeadObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.ListPartsResponse;
import software.amazon.awssdk.services.s3.model.PutObjectResponse;
import software.amazon.awssdk.services.s3.model.UploadPartResponse;

/**
 * A bucket of Amazon S3, or of any store that speaks its API.
 *
 * <ul>
 *   <li>A key is the object's key, an attribute its {@code x-amz-meta-} header, an ETag its ETag without the quotes.
 *   <li>What is put carries its CRC32C (or its MD5, where the store does not know that), which the store checks before the
 *       object is there; so does each part. Ranges are read with If-Match, so that a version is never mixed with another.
 *   <li>One request is one request: the SDK does not repeat. A deadline of its own ends one whose server stands still, because
 *       an interrupt does not end a read of a socket on every kind of thread.
 *   <li>An upload in parts carries a mark in its metadata ({@link UploadMark}), which is nobody's attribute: completing it twice finds
 *       out by it that the first time was heard.
 * </ul>
 *
 * <p>A directory bucket (S3 Express One Zone) is one by its name. The SDK signs with the key of a session there; listings have no order, no
 * ETag tells anything of the bytes, and prefixes end in '/'.
 *
 * <p>The SDK takes about a second to begin, so it is begun by the first request, and not by whoever makes the store.
 */
public final class S3Store implements ObjectStore {
    /** "Multipart upload limits" of the S3 user guide. */
    private static final PartSizes PARTS = new PartSizes(5 << 20, 5L << 30, 10_000, 5L << 40);

    private static final long LARGEST_PUT = 5L << 30;

    private static final int READ_BYTES = 64 << 10;

    private final S3Options options;
    private final S3Requests requests;
    private final S3Conditions conditions;
    private final S3Copies copies;

    public S3Store(S3Options options) {
        this.options = options;
        this.requests = new S3Requests(options);
        this.conditions = new S3Conditions(options, requests);
        this.copies = new S3Copies(options, requests);
    }

    @Override
    public String name() {
        return "%s bucket '%s'%s"
                .formatted(
                        options.title(),
                        options.bucket(),
                        options.endpoint() == null ? " in " + options.region() : " at " + options.endpoint());
    }

    @Override
    public Limits limits() {
        return new Limits(LARGEST_PUT, PARTS, options.largestCopy());
    }

    @Override
    public boolean guardsRanges() {
        return options.endpoint() == null || GuardedTransport.to(options.endpoint());
    }

    @Override
    public boolean read(ObjectRef object, long offset, MemorySegment target) throws IOException {
        if (target.byteSize() == 0) {
            return head(object.key())
                    .filter(found -> found.object().equals(object))
                    .isPresent();
        }
        String range = "bytes=" + offset + "-" + (offset + target.byteSize() - 1);
        return requests.send("reading '" + object.key() + "'", client -> {
            try {
                client.getObject(
                        request -> request.bucket(options.bucket())
                                .key(object.key())
                                .range(range)
                                .ifMatch(S3Requests.quoted(object.etag())),
                        (ResponseTransformer<GetObjectResponse, GetObjectResponse>) (response, body) -> {
                            requireRange(object, offset, response.contentRange());
                            fill(object, body, target);
                            return response;
                        });
                return true;
            } catch (SdkException failure) {
                if (S3Failures.miss(failure)) {
                    return false;
                }
                throw failure;
            }
        });
    }

    /** Something in between that does not know ranges gives the object from its beginning. */
    private static void requireRange(ObjectRef object, long offset, @Nullable String given) throws IOException {
        if (offset > 0 && (given == null || !given.startsWith("bytes " + offset + "-"))) {
            throw new IOException("'%s' was asked for from byte %d, and the answer is of %s"
                    .formatted(object.key(), offset, given == null ? "the whole" : given));
        }
    }

    private static void fill(ObjectRef object, InputStream body, MemorySegment target) throws IOException {
        byte[] buffer = new byte[(int) Math.min(READ_BYTES, target.byteSize())];
        long at = 0;
        while (at < target.byteSize()) {
            int count = body.read(buffer, 0, (int) Math.min(buffer.length, target.byteSize() - at));
            if (count < 0) {
                throw new EOFException("'%s' gave %d bytes of the %d that were asked for"
                        .formatted(object.key(), at, target.byteSize()));
            }
            if (Thread.currentThread().isInterrupted()) {
                throw new InterruptedIOException("reading '" + object.key() + "' was interrupted");
            }
            MemorySegment.copy(buffer, 0, target, ValueLayout.JAVA_BYTE, at, count);
            at += count;
        }
    }

    @Override
    public ObjectRef put(String key, MemorySegment bytes, Map<String, String> attributes, Over over)
            throws IOException {
        ObjectStore.requireNoBytesInMarker(key, bytes.byteSize());
        PartBody body = PartBody.of(bytes);
        String crc = options.checksums() ? crc32c(body) : "";
        String md5 = options.checksums() ? "" : md5(body);
        PutObjectResponse response = conditions.put(
                key,
                over,
                condition -> client -> client.putObject(
                        request -> {
                            request.bucket(options.bucket()).key(key).metadata(attributes);
                            switch (condition) {
                                case Over.Anything() -> {}
                                case Over.Nothing() -> request.ifNoneMatch("*");
                                case Over.Version(String etag) -> request.ifMatch(S3Requests.quoted(etag));
                            }
                            if (options.checksums()) {
                                request.checksumCRC32C(crc);
                            } else {
                                request.contentMD5(md5);
                            }
                        },
                        sent(body)));
        return new ObjectRef(key, S3Requests.unquoted(response.eTag()));
    }

    private static RequestBody sent(PartBody body) {
        return RequestBody.fromContentProvider(body::stream, body.size(), "application/octet-stream");
    }

    @Override
    public Upload startUpload(String key, long size, long partBytes, Map<String, String> attributes)
            throws IOException {
        ObjectStore.requireNoBytesInMarker(key, Math.max(1, size));
        UploadMark mark = UploadMark.random();
        CreateMultipartUploadResponse response = requests.send(
                "starting the upload of '" + key + "'",
                client -> client.createMultipartUpload(request -> {
                    request.bucket(options.bucket()).key(key).metadata(mark.with(attributes));
                    if (options.checksums()) {
                        request.checksumAlgorithm(ChecksumAlgorithm.CRC32_C);
                    }
                }));
        return new Upload(key, mark.before(response.uploadId()), size, partBytes, attributes);
    }

    @Override
    public Part putPart(Upload upload, int number, PartBody body, Duration timeout) throws IOException {
        upload.requirePart(number, body.size());
        String crc = options.checksums() ? crc32c(body) : "";
        String md5 = options.checksums() ? "" : md5(body);
        UploadPartResponse response = requests.send(
                "putting part " + number + " of '" + upload.key() + "'",
                client -> client.uploadPart(
                        request -> {
                            request.bucket(options.bucket())
                                    .key(upload.key())
                                    .uploadId(UploadMark.uploadId(upload))
                                    .partNumber(number)
                                    .overrideConfiguration(override -> override.apiCallTimeout(timeout));
                            if (options.checksums()) {
                                request.checksumCRC32C(crc);
                            } else {
                                request.contentMD5(md5);
                            }
                        },
                        sent(body)));
        return part(number, response.eTag(), crc);
    }

    @Override
    public ObjectRef completeUpload(Upload upload, List<Part> parts, Over over) throws IOException {
        upload.requireWhole(parts);
        List<CompletedPart> completed = parts.stream().map(S3Store::completed).toList();
        try {
            CompleteMultipartUploadResponse response = conditions.complete(
                    upload.key(),
                    over,
                    condition -> client -> client.completeMultipartUpload(request -> {
                        request.bucket(options.bucket())
                                .key(upload.key())
                                .uploadId(UploadMark.uploadId(upload))
                                .multipartUpload(all -> all.parts(completed));
                        switch (condition) {
                            case Over.Anything() -> {}
                            case Over.Nothing() -> request.ifNoneMatch("*");
                            case Over.Version(String etag) -> request.ifMatch(S3Requests.quoted(etag));
                        }
                    }));
            return new ObjectRef(upload.key(), S3Requests.unquoted(response.eTag()));
        } catch (IOException failure) {
            if (failure instanceof OccupiedException
                    || (failure.getCause() instanceof SdkException sdk
                            && S3Failures.code(sdk).equals("NoSuchUpload"))) {
                Optional<ObjectRef> done = completedBefore(upload);
                if (done.isPresent()) {
                    return done.get();
                }
            }
            throw failure;
        }
    }

    private Optional<ObjectRef> completedBefore(Upload upload) throws IOException {
        return requests.head(upload.key())
                .filter(found -> UploadMark.of(upload).in(found.metadata()))
                .map(found -> new ObjectRef(upload.key(), S3Requests.unquoted(found.eTag())));
    }

    private static CompletedPart completed(Part part) {
        String[] words = part.etag().split(" ", 2);
        CompletedPart.Builder completed =
                CompletedPart.builder().partNumber(part.number()).eTag(S3Requests.quoted(words[0]));
        return (words.length > 1 ? completed.checksumCRC32C(words[1]) : completed).build();
    }

    @Override
    public Optional<List<Part>> parts(Upload upload) throws IOException {
        List<Part> parts = new ArrayList<>();
        Integer after = null;
        do {
            Integer from = after;
            Optional<ListPartsResponse> page = requests.send("listing the parts of '" + upload.key() + "'", client -> {
                try {
                    return Optional.of(client.listParts(request -> request.bucket(options.bucket())
                            .key(upload.key())
                            .uploadId(UploadMark.uploadId(upload))
                            .partNumberMarker(from)));
                } catch (SdkException failure) {
                    if (S3Failures.code(failure).equals("NoSuchUpload")) {
                        return Optional.<ListPartsResponse>empty();
                    }
                    throw failure;
                }
            });
            if (page.isEmpty()) {
                return Optional.empty();
            }
            page.get().parts().stream()
                    .filter(part ->
                            part.partNumber() <= upload.parts() && part.size() == upload.bytesInPart(part.partNumber()))
                    .map(part -> part(part.partNumber(), part.eTag(), part.checksumCRC32C()))
                    .forEach(parts::add);
            after = Boolean.TRUE.equals(page.get().isTruncated()) ? page.get().nextPartNumberMarker() : null;
        } while (after != null);
        return Optional.of(parts);
    }

    private static Part part(int number, String etag, @Nullable String crc) {
        return new Part(number, S3Requests.unquoted(etag) + (crc == null || crc.isEmpty() ? "" : " " + crc));
    }

    /** By the CRC32C where the store gives it; by the ETag where that is the MD5, as it is without encryption by a key of the caller's. */
    @Override
    public Optional<Part> same(Upload upload, Part there, PartBody body) throws IOException {
        String[] words = there.etag().split(" ", 2);
        String crc = crc32c(body);
        boolean same = words.length > 1
                ? words[1].equals(crc)
                : words[0].equals(HexFormat.of().formatHex(body.md5()));
        return same ? Optional.of(part(there.number(), words[0], options.checksums() ? crc : null)) : Optional.empty();
    }

    @Override
    public void abortUpload(Upload upload) throws IOException {
        requests.send("dropping the upload of '" + upload.key() + "'", client -> {
            try {
                return client.abortMultipartUpload(request ->
                        request.bucket(options.bucket()).key(upload.key()).uploadId(UploadMark.uploadId(upload)));
            } catch (SdkException failure) {
                if (S3Failures.miss(failure) || S3Failures.code(failure).equals("NoSuchUpload")) {
                    return upload;
                }
                throw failure;
            }
        });
    }

    @Override
    public Copy copy(ObjectRef from, String toKey, Over over) throws IOException {
        conditions.require(toKey, over);
        return copies.copy(from, toKey);
    }

    @Override
    public Copy followCopy(ObjectRef from, String toKey, Copy.GoesOn begun) {
        throw new AssertionError("no copy goes on here: " + begun);
    }

    @Override
    public Optional<Upload> startCopy(ObjectRef from, String toKey, long size, long partBytes) throws IOException {
        return copies.start(from, toKey, size, partBytes);
    }

    @Override
    public Optional<Part> copyPart(Upload upload, int number, ObjectRef from) throws IOException {
        return copies.part(upload, number, from);
    }

    @Override
    public void delete(String key) throws IOException {
        // Google says so where it is not there, Amazon does not.
        Optional<DeleteObjectResponse> ignored = requests.unlessMissed(
                "removing '" + key + "'",
                client -> client.deleteObject(
                        request -> request.bucket(options.bucket()).key(key)),
                response -> response);
    }

    @Override
    public boolean delete(ObjectRef object) throws IOException {
        Optional<HeadObjectResponse> there = requests.head(object.key());
        if (there.isEmpty()) {
            return true;
        }
        if (!S3Requests.unquoted(there.get().eTag()).equals(object.etag())) {
            return false;
        }
        delete(object.key());
        return true;
    }

    @Override
    public Page list(String prefix, Depth depth, @Nullable String continuation) throws IOException {
        ListObjectsV2Response response = requests.send(
                "listing '" + prefix + "'",
                client -> client.listObjectsV2(request -> {
                    request.bucket(options.bucket())
                            .prefix(prefix)
                            .maxKeys(options.pageSize())
                            .encodingType(EncodingType.URL)
                            .continuationToken(continuation);
                    if (depth == Depth.LEVEL) {
                        request.delimiter("/");
                    }
                }));
        List<Listed> objects = response.contents().stream()
                .map(object -> new Listed(
                        object.key(),
                        object.size(),
                        S3Requests.unquoted(object.eTag()),
                        object.lastModified() == null ? Timestamp.EPOCH : Timestamp.of(object.lastModified()),
                        Map.of()))
                .toList();
        List<String> directories = response.commonPrefixes().stream()
                .map(common -> common.prefix())
                .toList();
        boolean more = Boolean.TRUE.equals(response.isTruncated());
        String next = response.nextContinuationToken();
        if (more && (next == null || next.isEmpty())) {
            throw new IOException("a listing of '" + prefix + "' goes on, but " + name() + " does not say where");
        }
        return new Page(objects, directories, more ? next : null);
    }

    @Override
    public boolean listsInOrder() {
        return !options.directoryBucket();
    }

    @Override
    public Optional<StoredObject> head(String key) throws IOException {
        return requests.head(key)
                .map(found -> new StoredObject(
                        new ObjectRef(key, S3Requests.unquoted(found.eTag())),
                        found.contentLength(),
                        UploadMark.without(found.metadata())));
    }

    /** A listing of one key, because a refusal of it says why, which one of a HEAD request cannot. */
    @Override
    public void check() throws IOException {
        requests.send(
                "looking into it",
                client -> client.listObjectsV2(
                        request -> request.bucket(options.bucket()).maxKeys(1)));
    }

    @Override
    public void close() {
        requests.close();
    }

    private static String crc32c(PartBody body) throws IOException {
        byte[] big = ByteBuffer.allocate(4).putInt(body.crc32c()).array();
        return Base64.getEncoder().encodeToString(big);
    }

    private static String md5(PartBody body) throws IOException {
        return Base64.getEncoder().encodeToString(body.md5());
    }
}
