package io.fusecache.tiers.cloud;

import io.fusecache.cache.CloudTier.Over;
import io.fusecache.cache.CloudTier.StoredObject;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.tiers.cloud.file.FolderStore;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Without a server: a store whose parts outlive its clients. */
@SuppressWarnings("NullAway.Init")
final class ResumedUploadsTest {
    @TempDir
    Path folder;

    @TempDir
    Path notes;

    private final Map<String, Map<Integer, byte[]>> parts = new ConcurrentHashMap<>();
    private ResumedUploads uploads;

    @BeforeEach
    void client() {
        uploads = new ResumedUploads(
                () -> new KeepingStore(new FolderStore(folder, new FolderStore.Options(false, true, 7)), parts), notes);
    }

    @Test
    void theNextProcessSendsTheRest() throws Exception {
        uploads.theNextProcessSendsTheRest();
    }

    @Test
    void thePutAfterAFailureSendsTheRest() throws Exception {
        uploads.thePutAfterAFailureSendsTheRest();
    }

    @Test
    void partsOfOtherBytesAreSentAgain() throws Exception {
        uploads.partsOfOtherBytesAreSentAgain();
    }

    @Test
    void whatNobodyGoesOnWithIsDropped() throws Exception {
        uploads.whatNobodyGoesOnWithIsDropped();
    }

    @Test
    void whatIsOldIsDroppedAtTheStart() throws Exception {
        uploads.whatIsOldIsDroppedAtTheStart();
    }

    /** Objects are a folder's, and parts of uploads those of all clients. */
    private record KeepingStore(ObjectStore objects, Map<String, Map<Integer, byte[]>> uploads) implements ObjectStore {
        @Override
        public String name() {
            return "keeping " + objects.name();
        }

        @Override
        public Limits limits() {
            return objects.limits();
        }

        @Override
        public boolean read(ObjectRef object, long offset, MemorySegment target) throws IOException {
            return objects.read(object, offset, target);
        }

        @Override
        public ObjectRef put(String key, MemorySegment bytes, Map<String, String> attributes, Over over)
                throws IOException {
            return objects.put(key, bytes, attributes, over);
        }

        @Override
        public Upload startUpload(String key, long size, long partBytes, Map<String, String> attributes) {
            String id = UUID.randomUUID().toString();
            uploads.put(id, new ConcurrentSkipListMap<>());
            return new Upload(key, id, size, partBytes, attributes);
        }

        private Map<Integer, byte[]> partsOf(Upload upload) throws IOException {
            Map<Integer, byte[]> found = uploads.get(upload.id());
            if (found == null) {
                throw new RefusedException("the upload has ended");
            }
            return found;
        }

        @Override
        public Part putPart(Upload upload, int number, PartBody body, Duration timeout) throws IOException {
            upload.requirePart(number, body.size());
            try (InputStream bytes = body.stream()) {
                partsOf(upload).put(number, bytes.readAllBytes());
            }
            return new Part(number, HexFormat.of().formatHex(body.md5()));
        }

        @Override
        public ObjectRef completeUpload(Upload upload, List<Part> parts, Over over) throws IOException {
            upload.requireWhole(parts);
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (byte[] part : partsOf(upload).values()) {
                all.write(part);
            }
            try (Arena memory = Arena.ofShared()) {
                MemorySegment bytes = memory.allocateFrom(ValueLayout.JAVA_BYTE, all.toByteArray());
                ObjectRef object = objects.put(upload.key(), bytes, upload.attributes(), over);
                uploads.remove(upload.id());
                return object;
            }
        }

        @Override
        public Optional<List<Part>> parts(Upload upload) throws IOException {
            Map<Integer, byte[]> found = uploads.get(upload.id());
            if (found == null) {
                return Optional.empty();
            }
            List<Part> parts = found.entrySet().stream()
                    .map(part -> new Part(part.getKey(), md5(part.getValue())))
                    .toList();
            return Optional.of(parts);
        }

        private static String md5(byte[] bytes) {
            try (Arena memory = Arena.ofShared()) {
                PartBody body = PartBody.of(memory.allocateFrom(ValueLayout.JAVA_BYTE, bytes));
                return HexFormat.of().formatHex(body.md5());
            } catch (IOException e) {
                throw new AssertionError("it is in memory", e);
            }
        }

        @Override
        public Optional<Part> same(Upload upload, Part there, PartBody body) throws IOException {
            return there.etag().equals(HexFormat.of().formatHex(body.md5())) ? Optional.of(there) : Optional.empty();
        }

        @Override
        public void abortUpload(Upload upload) {
            uploads.remove(upload.id());
        }

        @Override
        public Copy copy(ObjectRef from, String toKey, Over over) throws IOException {
            return objects.copy(from, toKey, over);
        }

        @Override
        public Copy followCopy(ObjectRef from, String toKey, Copy.GoesOn begun) throws IOException {
            return objects.followCopy(from, toKey, begun);
        }

        @Override
        public Optional<Upload> startCopy(ObjectRef from, String toKey, long size, long partBytes) throws IOException {
            return objects.startCopy(from, toKey, size, partBytes);
        }

        @Override
        public Optional<Part> copyPart(Upload upload, int number, ObjectRef from) throws IOException {
            return objects.copyPart(upload, number, from);
        }

        @Override
        public boolean delete(ObjectRef object) throws IOException {
            return objects.delete(object);
        }

        @Override
        public void delete(String key) throws IOException {
            objects.delete(key);
        }

        @Override
        public Page list(String prefix, Depth depth, @Nullable String continuation) throws IOException {
            return objects.list(prefix, depth, continuation);
        }

        @Override
        public Optional<StoredObject> head(String key) throws IOException {
            return objects.head(key);
        }

        @Override
        public void check() throws IOException {
            objects.check();
        }

        @Override
        public void close() {
            objects.close();
        }
    }
}
