package io.fusecache.bench;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.model.CompletedPart;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * What a program does that uses a bucket by the vendor's SDK and nothing else: parallel ranges into a file, parallel parts from
 * one, single small objects. It computes no checksum that the store does not demand, and syncs nothing.
 *
 * <p>Endpoint, region and keys come from the environment by the names that the client has for them.
 */
final class PlainBucket implements AutoCloseable {
    private static final int RANGE_BYTES = 8 << 20;
    private static final int COPY_BYTES = 256 << 10;

    private final String bucket;
    private final S3Client client;
    private final int connections;
    private final ExecutorService workers;

    /** @param connections requests at once */
    PlainBucket(String bucket, int connections, Map<String, String> environment) {
        this.bucket = bucket;
        this.connections = connections;
        this.workers = Executors.newFixedThreadPool(connections);
        S3ClientBuilder builder = S3Client.builder()
                .region(Region.of(environment.getOrDefault("S3_REGION", "us-east-1")))
                .forcePathStyle(Boolean.parseBoolean(environment.getOrDefault("FUSE_S3_FORCE_PATH_STYLE", "false")))
                .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                .serviceConfiguration(service -> service.chunkedEncodingEnabled(false))
                .httpClientBuilder(Apache5HttpClient.builder().maxConnections(connections));
        String endpoint = environment.get("S3_ENDPOINT");
        if (endpoint != null) {
            builder.endpointOverride(URI.create(endpoint));
        }
        this.client = builder.build();
    }

    /** Work on one of many pieces. */
    @FunctionalInterface
    interface Piece {
        void work(int index) throws IOException;
    }

    /** Does them all, as many at once as there are connections. */
    void each(int pieces, Piece piece) throws IOException, InterruptedException {
        List<Future<@Nullable Void>> all = new ArrayList<>();
        for (int i = 0; i < pieces; i++) {
            int index = i;
            all.add(workers.submit(() -> {
                piece.work(index);
                return null;
            }));
        }
        for (Future<@Nullable Void> one : all) {
            try {
                one.get();
            } catch (ExecutionException failed) {
                throw new IOException(failed.getCause());
            }
        }
    }

    void read(String key, long size, Path target) throws IOException, InterruptedException {
        try (FileChannel channel = FileChannel.open(target, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            each(pieces(size), index -> {
                long from = (long) index * RANGE_BYTES;
                copy(key, from, Math.min(RANGE_BYTES, size - from), channel);
            });
        }
    }

    private void copy(String key, long from, long bytes, FileChannel target) throws IOException {
        try (ResponseInputStream<GetObjectResponse> body = range(key, from, bytes)) {
            byte[] buffer = new byte[COPY_BYTES];
            long at = from;
            for (int count = body.read(buffer); count >= 0; count = body.read(buffer)) {
                ByteBuffer piece = ByteBuffer.wrap(buffer, 0, count);
                while (piece.hasRemaining()) {
                    at += target.write(piece, at);
                }
            }
            requireBytes(key, at - from, bytes);
        }
    }

    /** One ranged GET, read to its end. */
    void readRange(String key, long from, int bytes) throws IOException {
        try (ResponseInputStream<GetObjectResponse> body = range(key, from, bytes)) {
            requireBytes(key, body.readAllBytes().length, bytes);
        }
    }

    private ResponseInputStream<GetObjectResponse> range(String key, long from, long bytes) {
        return client.getObject(
                request -> request.bucket(bucket).key(key).range("bytes=" + from + "-" + (from + bytes - 1)));
    }

    void readWhole(String key, int bytes) throws IOException {
        try (ResponseInputStream<GetObjectResponse> body =
                client.getObject(request -> request.bucket(bucket).key(key))) {
            requireBytes(key, body.readAllBytes().length, bytes);
        }
    }

    private static void requireBytes(String key, long found, long expected) throws IOException {
        if (found != expected) {
            throw new IOException("'%s' gave %d bytes instead of %d".formatted(key, found, expected));
        }
    }

    void write(String key, byte[] content) {
        client.putObject(request -> request.bucket(bucket).key(key), RequestBody.fromBytes(content));
    }

    void write(String key, Path source) throws IOException, InterruptedException {
        try (FileChannel channel = FileChannel.open(source)) {
            long size = channel.size();
            String upload = client.createMultipartUpload(
                            request -> request.bucket(bucket).key(key))
                    .uploadId();
            CompletedPart[] parts = new CompletedPart[pieces(size)];
            each(parts.length, index -> {
                long from = (long) index * RANGE_BYTES;
                parts[index] = writePart(key, upload, index + 1, channel, from, Math.min(RANGE_BYTES, size - from));
            });
            client.completeMultipartUpload(request ->
                    request.bucket(bucket).key(key).uploadId(upload).multipartUpload(all -> all.parts(parts)));
        }
    }

    private CompletedPart writePart(String key, String upload, int number, FileChannel source, long from, long bytes) {
        RequestBody body = RequestBody.fromContentProvider(
                () -> new Section(source, from, bytes), bytes, "application/octet-stream");
        String etag = client.uploadPart(
                        request ->
                                request.bucket(bucket).key(key).uploadId(upload).partNumber(number),
                        body)
                .eTag();
        return CompletedPart.builder().partNumber(number).eTag(etag).build();
    }

    /** How many objects' keys begin so. */
    long count(String prefix) {
        return client.listObjectsV2Paginator(request -> request.bucket(bucket).prefix(prefix)).contents().stream()
                .count();
    }

    /** Removes what is below a prefix. */
    void clear(String prefix) throws IOException, InterruptedException {
        List<S3Object> objects =
                client.listObjectsV2Paginator(request -> request.bucket(bucket).prefix(prefix)).contents().stream()
                        .toList();
        each(
                objects.size(),
                index -> client.deleteObject(
                        request -> request.bucket(bucket).key(objects.get(index).key())));
    }

    int connections() {
        return connections;
    }

    private static int pieces(long size) {
        return Math.toIntExact((size + RANGE_BYTES - 1) / RANGE_BYTES);
    }

    @Override
    public void close() {
        workers.shutdownNow();
        client.close();
    }

    /** A part of a file as a stream. */
    private static final class Section extends InputStream {
        private final FileChannel source;
        private final long end;
        private long at;

        Section(FileChannel source, long from, long bytes) {
            this.source = source;
            this.at = from;
            this.end = from + bytes;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] target, int offset, int length) throws IOException {
            if (at == end) {
                return -1;
            }
            int count = source.read(ByteBuffer.wrap(target, offset, (int) Math.min(length, end - at)), at);
            at += Math.max(0, count);
            return count;
        }
    }
}
