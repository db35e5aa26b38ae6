package io.fusecache.tiers.cloud.s3;

import io.fusecache.tiers.cloud.BearerTokens;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.retries.DefaultRetryStrategy;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;

/** The SDK's client of one bucket, made by whoever needs it first. */
final class S3Connection implements AutoCloseable {
    private final S3Options options;
    private final ReentrantLock making = new ReentrantLock();
    private volatile @Nullable S3Client client;
    private boolean closed;

    S3Connection(S3Options options) {
        this.options = options;
    }

    S3Client client() {
        S3Client made = client;
        if (made != null) {
            return made;
        }
        making.lock();
        try {
            S3Client first = client;
            if (first == null) {
                if (closed) {
                    throw new IllegalStateException("the store is closed");
                }
                first = make();
                client = first;
            }
            return first;
        } finally {
            making.unlock();
        }
    }

    private S3Client make() {
        S3ClientBuilder builder = S3Client.builder()
                .region(Region.of(options.region()))
                .credentialsProvider(credentials())
                .forcePathStyle(options.pathStyle())
                // Ours go along as plain headers. What the SDK adds of itself since 2.30 other stores refuse.
                .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
                .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED)
                .serviceConfiguration(service -> service.chunkedEncodingEnabled(false))
                .httpClientBuilder(Apache5HttpClient.builder()
                        .maxConnections(options.connections())
                        .connectionTimeout(options.timeout())
                        .socketTimeout(options.timeout())
                        .tcpKeepAlive(true))
                .overrideConfiguration(override -> {
                    override.retryStrategy(DefaultRetryStrategy.doNotRetry()).apiCallTimeout(options.timeout());
                    tokens().ifPresent(tokens -> override.addExecutionInterceptor(new GoogleDialect(tokens)));
                });
        if (options.endpoint() != null) {
            builder.endpointOverride(options.endpoint());
        }
        return builder.build();
    }

    private Optional<BearerTokens> tokens() {
        return Optional.ofNullable(options.vendor()).map(S3Options.Google::tokens);
    }

    private AwsCredentialsProvider credentials() {
        if (tokens().isPresent()) {
            // Nothing is signed.
            return AnonymousCredentialsProvider.create();
        }
        S3Options.Credentials given = options.credentials();
        if (given == null) {
            return DefaultCredentialsProvider.builder().build();
        }
        String token = given.sessionToken();
        return StaticCredentialsProvider.create(
                token == null
                        ? AwsBasicCredentials.create(given.accessKeyId(), given.secretAccessKey())
                        : AwsSessionCredentials.create(given.accessKeyId(), given.secretAccessKey(), token));
    }

    @Override
    public void close() {
        making.lock();
        try {
            closed = true;
            S3Client made = client;
            if (made != null) {
                made.close();
            }
        } finally {
            making.unlock();
        }
    }
}
