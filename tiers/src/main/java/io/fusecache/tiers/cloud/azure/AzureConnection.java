package io.fusecache.tiers.cloud.azure;

import com.azure.core.http.HttpClient;
import com.azure.core.http.jdk.httpclient.JdkHttpClientBuilder;
import com.azure.identity.DefaultAzureCredentialBuilder;
import com.azure.storage.blob.BlobContainerClient;
import com.azure.storage.blob.BlobContainerClientBuilder;
import com.azure.storage.common.StorageSharedKeyCredential;
import com.azure.storage.common.policy.RequestRetryOptions;
import com.azure.storage.common.policy.RetryPolicyType;
import io.fusecache.tiers.cloud.BucketOptions;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** The SDK's client of one container, made by whoever needs it first. */
final class AzureConnection implements AutoCloseable {
    private final AzureOptions options;
    private final ReentrantLock making = new ReentrantLock();
    private volatile @Nullable BlobContainerClient client;
    private boolean closed;

    AzureConnection(AzureOptions options) {
        this.options = options;
    }

    BlobContainerClient client() {
        BlobContainerClient made = client;
        if (made != null) {
            return made;
        }
        making.lock();
        try {
            BlobContainerClient first = client;
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

    private BlobContainerClient make() {
        Duration timeout = options.timeout();
        // It counts from when a request begins. Each call has a bound of its own below this one.
        Duration longest = timeout.compareTo(BucketOptions.LONGEST_PART) > 0 ? timeout : BucketOptions.LONGEST_PART;
        // The service speaks HTTP/1.1 alone.
        java.net.http.HttpClient.Builder builder =
                java.net.http.HttpClient.newBuilder().version(java.net.http.HttpClient.Version.HTTP_1_1);
        HttpClient http = new JdkHttpClientBuilder(builder)
                .connectionTimeout(timeout)
                .writeTimeout(timeout)
                .responseTimeout(longest)
                .readTimeout(timeout)
                .build();
        BlobContainerClientBuilder container = new BlobContainerClientBuilder()
                .endpoint(options.endpoint().toString())
                .containerName(options.container())
                .httpClient(http)
                .retryOptions(new RequestRetryOptions(RetryPolicyType.FIXED, 1, longest, null, null, null));
        switch (options.credentials()) {
            case AzureOptions.Credentials.AccountKey(String key) ->
                container.credential(new StorageSharedKeyCredential(options.account(), key));
            case AzureOptions.Credentials.Sas(String token) -> container.sasToken(token);
            case AzureOptions.Credentials.Identity() ->
                container.credential(
                        new DefaultAzureCredentialBuilder().httpClient(http).build());
        }
        return container.buildClient();
    }

    /** What is under way goes on; nothing begins any more. The SDK's client has nothing that is to be closed. */
    @Override
    public void close() {
        making.lock();
        try {
            closed = true;
        } finally {
            making.unlock();
        }
    }
}
