package io.fusecache.tiers.cloud.azure;

import com.azure.core.http.rest.PagedResponse;
import com.azure.core.util.BinaryData;
import com.azure.core.util.Context;
import com.azure.storage.blob.models.BlobDownloadResponse;
import com.azure.storage.blob.models.BlobItem;
import com.azure.storage.blob.models.BlobListDetails;
import com.azure.storage.blob.models.BlobRange;
import com.azure.storage.blob.models.BlobRequestConditions;
import com.azure.storage.blob.models.BlobStorageException;
import com.azure.storage.blob.models.Block;
import com.azure.storage.blob.models.BlockList;
import com.azure.storage.blob.models.BlockListType;
import com.azure.storage.blob.models.DownloadRetryOptions;
import com.azure.storage.blob.models.ListBlobsOptions;
import com.azure.storage.blob.options.BlockBlobCommitBlockListOptions;
import com.azure.storage.blob.options.BlockBlobSimpleUploadOptions;
import com.azure.storage.blob.options.BlockBlobStageBlockOptions;
import io.fusecache.cache.CloudTier.Over;
import io.fusecache.cache.CloudTier.StoredObject;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.Timestamp;
import io.fusecache.tiers.cloud.GuardedTransport;
import io.fusecache.tiers.cloud.ObjectStore;
import io.fusecache.tiers.cloud.PartBody;
import io.fusecache.tiers.cloud.PartSizes;
import io.fusecache.tiers.cloud.RefusedException;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * A container of Azure Blob Storage, with block blobs.
 *
 * <ul>
 *   <li>A key is the blob's name, an attribute its metadata (whose names have '_' where ours have '-'), an ETag its ETag without the
 *       quotes. Listings carry the metadata.
 *   <li>What is put carries its MD5, which the service checks before the blob is there; so does each part. Ranges are read with
 *       If-Match, so that a version is never mixed with another.
 *   <li>One request is one request: the SDK does not repeat.
 *   <li>The parts of an upload are uncommitted blocks whose ids begin with the upload's own: uploads to one key do not mix, but the one
 *       that completes ends the others. It leaves a mark in the blob's metadata, {@value #UPLOAD_MARK}, which is nobody's
 *       attribute: completing it twice finds out by it that the first time was heard. The service drops blocks that nobody
 *       committed after a week, and has no request to do so earlier.
 *   <li>A copy is the service's own within the account, whole, of any size.
 * </ul>
 *
 * <p>The service takes a backslash for a slash, so a key with one is refused, and none is ever found.
 *
 * <p>Accounts with a hierarchical namespace (Data Lake Storage) are refused by {@link #check}: there a name that ends in '/' is
 * no name of its own, and markers would be lost.
 */
public final class AzureStore implements ObjectStore {
    /** "Scalability targets for Blob storage", of versions from 2019-12-12 on. */
    private static final Limits LIMITS =
            new Limits(5000L << 20, new PartSizes(1, 4000L << 20, 50_000, 50_000 * (4000L << 20)), Long.MAX_VALUE);

    private static final int BLOCK_ID_BYTES = 2 * Long.BYTES + Integer.BYTES + 16;
    private static final String UPLOAD_MARK = "fusecache_upload";

    private final AzureOptions options;
    private final AzureRequests requests;
    private final AzureCopies copies;

    public AzureStore(AzureOptions options) {
        this.options = options;
        this.requests = new AzureRequests(options);
        this.copies = new AzureCopies(options, requests);
    }

    @Override
    public String name() {
        return "Azure container '%s' of account '%s' at %s"
                .formatted(options.container(), options.account(), options.endpoint());
    }

    @Override
    public Limits limits() {
        return LIMITS;
    }

    @Override
    public boolean guardsRanges() {
        return GuardedTransport.to(options.endpoint());
    }

    @Override
    public boolean read(ObjectRef object, long offset, MemorySegment target) throws IOException {
        if (target.byteSize() == 0) {
            return head(object.key())
                    .filter(found -> found.object().equals(object))
                    .isPresent();
        }
        String what = "reading '" + object.key() + "'";
        try (Gate gate = new Gate(target)) {
            Optional<BlobDownloadResponse> answer = requests.unlessMissed(
                    what,
                    container -> AzureRequests.blob(container, object.key())
                            .downloadStreamWithResponse(
                                    gate.output(),
                                    new BlobRange(offset, target.byteSize()),
                                    new DownloadRetryOptions().setMaxRetryRequests(0),
                                    new BlobRequestConditions().setIfMatch(AzureRequests.quoted(object.etag())),
                                    false,
                                    options.timeout(),
                                    Context.NONE));
            if (answer.isEmpty()) {
                return false;
            }
            requireRange(object, offset, answer.get().getDeserializedHeaders().getContentRange());
            if (gate.position() < target.byteSize()) {
                throw new EOFException("'%s' gave %d bytes of the %d that were asked for"
                        .formatted(object.key(), gate.position(), target.byteSize()));
            }
            return true;
        }
    }

    /** Something in between that does not know ranges gives the blob from its beginning. */
    private static void requireRange(ObjectRef object, long offset, @Nullable String given) throws IOException {
        if (offset > 0 && (given == null || !given.startsWith("bytes " + offset + "-"))) {
            throw new IOException("'%s' was asked for from byte %d, and the answer is of %s"
                    .formatted(object.key(), offset, given == null ? "the whole" : given));
        }
    }

    @Override
    public ObjectRef put(String key, MemorySegment bytes, Map<String, String> attributes, Over over)
            throws IOException {
        ObjectStore.requireNoBytesInMarker(key, bytes.byteSize());
        AzureRequests.requireHeld(key);
        PartBody body = PartBody.of(bytes);
        byte[] md5 = body.md5();
        try (InputStream stream = body.stream()) {
            String etag = requests.over(
                    key,
                    "putting '" + key + "'",
                    container -> AzureRequests.blob(container, key)
                            .uploadWithResponse(
                                    new BlockBlobSimpleUploadOptions(BinaryData.fromStream(stream, body.size()))
                                            .setContentMd5(md5)
                                            .setRequestConditions(AzureRequests.conditions(over))
                                            .setMetadata(metadata(attributes)),
                                    options.timeout(),
                                    Context.NONE)
                            .getValue()
                            .getETag());
            return new ObjectRef(key, AzureRequests.unquoted(etag));
        }
    }

    @Override
    public Upload startUpload(String key, long size, long partBytes, Map<String, String> attributes)
            throws IOException {
        ObjectStore.requireNoBytesInMarker(key, Math.max(1, size));
        AzureRequests.requireHeld(key);
        return new Upload(key, UUID.randomUUID().toString(), size, partBytes, attributes);
    }

    /** Which upload, which part, which bytes: all ids of one blob have to be of one length, 64 bytes at most. */
    private static String blockId(Upload upload, int number, byte[] md5) {
        UUID id = UUID.fromString(upload.id());
        byte[] bytes = ByteBuffer.allocate(2 * Long.BYTES + Integer.BYTES + md5.length)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .putInt(number)
                .put(md5)
                .array();
        return Base64.getEncoder().encodeToString(bytes);
    }

    /** The part that a block is, where it is one of this upload's. */
    private static Optional<Part> part(Upload upload, Block block) {
        ByteBuffer id;
        try {
            id = ByteBuffer.wrap(Base64.getDecoder().decode(block.getName()));
        } catch (IllegalArgumentException others) {
            return Optional.empty();
        }
        if (id.remaining() != BLOCK_ID_BYTES
                || !new UUID(id.getLong(), id.getLong()).toString().equals(upload.id())) {
            return Optional.empty();
        }
        int number = id.getInt();
        return number >= 1 && number <= upload.parts() && block.getSizeLong() == upload.bytesInPart(number)
                ? Optional.of(new Part(number, block.getName()))
                : Optional.empty();
    }

    /** An upload is known by its blocks alone: without one it can be gone on with as well. */
    @Override
    public Optional<List<Part>> parts(Upload upload) throws IOException {
        Optional<BlockList> blocks = requests.unlessMissed(
                "listing the parts of '" + upload.key() + "'",
                container -> AzureRequests.blob(container, upload.key())
                        .listBlocksWithResponse(BlockListType.UNCOMMITTED, null, options.timeout(), Context.NONE)
                        .getValue());
        return Optional.of(blocks.stream()
                .flatMap(list -> list.getUncommittedBlocks().stream())
                .flatMap(block -> part(upload, block).stream())
                .toList());
    }

    @Override
    public Optional<Part> same(Upload upload, Part there, PartBody body) throws IOException {
        return there.etag().equals(blockId(upload, there.number(), body.md5())) ? Optional.of(there) : Optional.empty();
    }

    @Override
    public Part putPart(Upload upload, int number, PartBody body, Duration timeout) throws IOException {
        upload.requirePart(number, body.size());
        byte[] md5 = body.md5();
        String block = blockId(upload, number, md5);
        try (InputStream stream = body.stream()) {
            requests.send(
                    "putting part " + number + " of '" + upload.key() + "'",
                    container -> AzureRequests.blob(container, upload.key())
                            .stageBlockWithResponse(
                                    new BlockBlobStageBlockOptions(block, BinaryData.fromStream(stream, body.size()))
                                            .setContentMd5(md5),
                                    timeout,
                                    Context.NONE));
        }
        return new Part(number, block);
    }

    @Override
    public ObjectRef completeUpload(Upload upload, List<Part> parts, Over over) throws IOException {
        upload.requireWhole(parts);
        Optional<ObjectRef> done = completedBefore(upload);
        if (done.isPresent()) {
            return done.get();
        }
        Map<String, String> metadata = metadata(upload.attributes());
        metadata.put(UPLOAD_MARK, upload.id());
        List<String> blocks = parts.stream().map(Part::etag).toList();
        String etag = requests.over(
                upload.key(),
                "completing the upload of '" + upload.key() + "'",
                container -> AzureRequests.blob(container, upload.key())
                        .commitBlockListWithResponse(
                                new BlockBlobCommitBlockListOptions(blocks)
                                        .setRequestConditions(AzureRequests.conditions(over))
                                        .setMetadata(metadata),
                                options.timeout(),
                                Context.NONE)
                        .getValue()
                        .getETag());
        return new ObjectRef(upload.key(), AzureRequests.unquoted(etag));
    }

    /** The same blocks may be committed again and again, and each time makes another ETag. */
    private Optional<ObjectRef> completedBefore(Upload upload) throws IOException {
        return requests.properties(upload.key())
                .filter(found -> upload.id().equals(found.getMetadata().get(UPLOAD_MARK)))
                .map(found -> new ObjectRef(upload.key(), AzureRequests.unquoted(found.getETag())));
    }

    /** Blocks that nobody commits go by themselves. */
    @Override
    public void abortUpload(Upload upload) {}

    @Override
    public Copy copy(ObjectRef from, String toKey, Over over) throws IOException {
        if (from.key().endsWith("/") || toKey.endsWith("/")) {
            throw new RefusedException("'%s' to '%s': markers are put, not copied".formatted(from.key(), toKey));
        }
        AzureRequests.requireHeld(toKey);
        return copies.begin(from, toKey, over);
    }

    @Override
    public Copy followCopy(ObjectRef from, String toKey, Copy.GoesOn begun) throws IOException {
        return copies.follow(from, toKey, begun);
    }

    @Override
    public Optional<Upload> startCopy(ObjectRef from, String toKey, long size, long partBytes) {
        throw new AssertionError("copies of any size are whole here: '" + from.key() + "'");
    }

    @Override
    public Optional<Part> copyPart(Upload upload, int number, ObjectRef from) {
        throw new AssertionError("copies of any size are whole here: '" + from.key() + "'");
    }

    @Override
    public void delete(String key) throws IOException {
        if (!AzureRequests.held(key)) {
            return;
        }
        requests.unlessMissed(
                "removing '" + key + "'",
                container -> AzureRequests.blob(container, key)
                        .deleteWithResponse(null, null, options.timeout(), Context.NONE));
    }

    @Override
    public boolean delete(ObjectRef object) throws IOException {
        boolean removed = requests.unlessMissed(
                        "removing '" + object.key() + "'",
                        container -> AzureRequests.blob(container, object.key())
                                .deleteWithResponse(
                                        null,
                                        AzureRequests.conditions(new Over.Version(object.etag())),
                                        options.timeout(),
                                        Context.NONE))
                .isPresent();
        return removed || requests.properties(object.key()).isEmpty();
    }

    @Override
    public Page list(String prefix, Depth depth, @Nullable String continuation) throws IOException {
        return requests.send("listing '" + prefix + "'", container -> {
            ListBlobsOptions which = new ListBlobsOptions()
                    .setPrefix(prefix.isEmpty() ? null : prefix)
                    .setMaxResultsPerPage(options.pageSize())
                    .setDetails(new BlobListDetails().setRetrieveMetadata(true));
            Iterator<PagedResponse<BlobItem>> pages = (depth == Depth.LEVEL
                            ? container.listBlobsByHierarchy("/", which, options.timeout())
                            : container.listBlobs(which, options.timeout()))
                    .iterableByPage(continuation)
                    .iterator();
            if (!pages.hasNext()) {
                return new Page(List.of(), List.of(), null);
            }
            PagedResponse<BlobItem> page = pages.next();
            List<Listed> objects = new ArrayList<>();
            List<String> directories = new ArrayList<>();
            for (BlobItem item : page.getValue()) {
                if (Boolean.TRUE.equals(item.isPrefix())) {
                    directories.add(item.getName());
                } else {
                    objects.add(listed(item));
                }
            }
            String next = page.getContinuationToken();
            return new Page(objects, directories, next == null || next.isEmpty() ? null : next);
        });
    }

    private static Listed listed(BlobItem item) {
        return new Listed(
                item.getName(),
                item.getProperties().getContentLength(),
                AzureRequests.unquoted(item.getProperties().getETag()),
                Timestamp.of(item.getProperties().getLastModified().toInstant()),
                attributes(item.getMetadata()));
    }

    @Override
    public Optional<StoredObject> head(String key) throws IOException {
        return requests.properties(key)
                .map(found -> new StoredObject(
                        new ObjectRef(key, AzureRequests.unquoted(found.getETag())),
                        found.getBlobSize(),
                        attributes(found.getMetadata())));
    }

    private static Map<String, String> metadata(Map<String, String> attributes) {
        Map<String, String> metadata = new LinkedHashMap<>();
        attributes.forEach((name, value) -> metadata.put(name.replace('-', '_'), value));
        return metadata;
    }

    private static Map<String, String> attributes(@Nullable Map<String, String> metadata) {
        Map<String, String> attributes = new LinkedHashMap<>();
        if (metadata != null) {
            metadata.forEach((name, value) ->
                    attributes.put(name.toLowerCase(Locale.ROOT).replace('_', '-'), value));
        }
        attributes.remove(UPLOAD_MARK.replace('_', '-'));
        return attributes;
    }

    @Override
    public void check() throws IOException {
        requests.send(
                "looking into it",
                container -> container
                        .listBlobs(new ListBlobsOptions().setMaxResultsPerPage(1), options.timeout())
                        .iterableByPage()
                        .iterator()
                        .hasNext());
        if (hierarchical()) {
            throw new RefusedException(name() + " has a hierarchical namespace (Data Lake Storage), which cannot hold"
                    + " what this file system puts there: use an account without it");
        }
    }

    /** Only where we may ask. */
    private boolean hierarchical() throws IOException {
        return requests.send("asking for the kind of account", container -> {
            try {
                return container
                        .getAccountInfoWithResponse(options.timeout(), Context.NONE)
                        .getValue()
                        .isHierarchicalNamespaceEnabled();
            } catch (BlobStorageException failure) {
                if (failure.getStatusCode() >= 400 && failure.getStatusCode() < 500) {
                    return false;
                }
                throw failure;
            }
        });
    }

    @Override
    public void close() {
        requests.close();
    }
}
