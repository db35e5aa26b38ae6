package io.fusecache.testkit;

import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Gives access tokens: for assertions that a service account's key signed ("Using OAuth 2.0 for Server to Server Applications"), and to the
 * machine itself ("Access VM metadata").
 */
final class GoogleIdentities {
    private static final Pattern ASSERTION = Pattern.compile("(?:^|&)assertion=([^&]+)");
    private static final int KEY_BITS = 2048;

    private final KeyPair key;
    private final Map<String, Instant> tokens = new ConcurrentHashMap<>();
    private final AtomicInteger issued = new AtomicInteger();
    private volatile Duration lifetime = Duration.ofHours(1);

    GoogleIdentities() {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
            generator.initialize(KEY_BITS);
            this.key = generator.generateKeyPair();
        } catch (GeneralSecurityException missing) {
            throw new AssertionError(missing);
        }
    }

    /** The file that the console gives for a service account. */
    String serviceAccountKey(URI tokens) {
        String pem = Base64.getMimeEncoder(64, new byte[] {'\n'})
                .encodeToString(key.getPrivate().getEncoded());
        return """
                {
                  "type": "service_account",
                  "project_id": "tests",
                  "private_key_id": "1",
                  "private_key": "-----BEGIN PRIVATE KEY-----\\n%s\\n-----END PRIVATE KEY-----\\n",
                  "client_email": "node@tests.iam.gserviceaccount.com",
                  "client_id": "1",
                  "token_uri": "%s"
                }
                """.formatted(pem.replace("\n", "\\n"), tokens);
    }

    int issued() {
        return issued.get();
    }

    void lifetime(Duration time) {
        lifetime = time;
    }

    void revokeAll() {
        tokens.clear();
    }

    boolean knows(String token) {
        Instant end = tokens.get(token);
        return end != null && Instant.now().isBefore(end);
    }

    /** Empty where the assertion is not signed with the service account's key. */
    String exchanged(String form) throws GeneralSecurityException {
        Matcher assertion = ASSERTION.matcher(form);
        if (!assertion.find()) {
            return "";
        }
        String[] parts =
                URLDecoder.decode(assertion.group(1), StandardCharsets.UTF_8).split("\\.");
        Signature signature = Signature.getInstance("SHA256withRSA");
        signature.initVerify(key.getPublic());
        signature.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
        String claims = new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8);
        return signature.verify(Base64.getUrlDecoder().decode(parts[2])) && claims.contains("devstorage.")
                ? fresh()
                : "";
    }

    /** As JSON, with its lifetime. */
    String fresh() {
        String token = "ya29.test-" + issued.incrementAndGet();
        Duration time = lifetime;
        tokens.put(token, Instant.now().plus(time));
        return "{\"access_token\": \"%s\", \"expires_in\": %d, \"token_type\": \"Bearer\"}"
                .formatted(token, time.toSeconds());
    }
}
