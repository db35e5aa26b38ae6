package io.fusecache.tiers.cloud;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class GuardedTransportTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://s3.example.org",
                "HTTPS://10.0.0.1:9000/",
                "http://localhost:9000",
                "http://127.0.0.1:1",
                "http://127.1.2.3",
                "http://[::1]:80"
            })
    void guards(String endpoint) {
        assertThat(GuardedTransport.to(URI.create(endpoint))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://s3.example.org",
                "http://10.0.0.1:9000",
                "http://localhost.example.org",
                "http://127.0.0.1.example.org",
                "http://127.example.org"
            })
    void doesNotGuard(String endpoint) {
        assertThat(GuardedTransport.to(URI.create(endpoint))).isFalse();
    }
}
