package io.fusecache.testkit;

import com.sun.net.httpserver.HttpExchange;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** Checks who signed a request by version 4: "Authenticating Requests: Using the Authorization Header" of the S3 API reference. */
final class SignatureV4 {
    private static final Pattern HEADER = Pattern.compile(
            "AWS4-HMAC-SHA256 Credential=([^/]+)/(\\d{8})/([^/]+)/(s3|s3express)/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})");

    private SignatureV4() {}

    /** The access key that the request names, or empty where it is not signed so. */
    static String accessKey(String authorization) {
        Matcher header = HEADER.matcher(authorization);
        return header.matches() ? header.group(1) : "";
    }

    static boolean matches(HttpExchange request, byte[] body, String secret) throws GeneralSecurityException {
        Matcher header = HEADER.matcher(request.getRequestHeaders().getFirst("Authorization"));
        if (!header.matches()) {
            return false;
        }
        String claimed = request.getRequestHeaders().getFirst("x-amz-content-sha256");
        if (!claimed.equals("UNSIGNED-PAYLOAD") && !claimed.equals(sha256(body))) {
            return false;
        }
        String canonical = String.join(
                "\n",
                request.getRequestMethod(),
                request.getRequestURI().getRawPath(),
                query(request.getRequestURI().getRawQuery()),
                headers(request, header.group(5)),
                header.group(5),
                claimed);
        String scope = String.join("/", header.group(2), header.group(3), header.group(4), "aws4_request");
        String toSign = String.join(
                "\n",
                "AWS4-HMAC-SHA256",
                request.getRequestHeaders().getFirst("x-amz-date"),
                scope,
                sha256(canonical.getBytes(StandardCharsets.UTF_8)));
        byte[] key = ("AWS4" + secret).getBytes(StandardCharsets.UTF_8);
        for (String part : scope.split("/")) {
            key = hmac(key, part);
        }
        return HexFormat.of().formatHex(hmac(key, toSign)).equals(header.group(6));
    }

    private static String query(@org.jspecify.annotations.Nullable String raw) {
        return raw == null
                ? ""
                : Arrays.stream(raw.split("&"))
                        .map(pair -> pair.contains("=") ? pair : pair + "=")
                        .sorted()
                        .collect(Collectors.joining("&"));
    }

    /** Each with a line of its own, and an empty one after them. */
    private static String headers(HttpExchange request, String names) {
        return Arrays.stream(names.split(";"))
                .map(name -> name.toLowerCase(Locale.ROOT) + ":"
                        + String.join(",", request.getRequestHeaders().get(name))
                                .strip() + "\n")
                .collect(Collectors.joining());
    }

    private static String sha256(byte[] bytes) throws GeneralSecurityException {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(key, "HmacSHA256"));
        return mac.doFinal(text.getBytes(StandardCharsets.UTF_8));
    }
}
