package io.fusecache.client.settings;

import io.fusecache.client.NodeConfiguration.Secret;
import io.fusecache.client.NodeConfiguration.Store;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What the portal of Azure gives: {@code DefaultEndpointsProtocol=https;AccountName=...;AccountKey=...;EndpointSuffix=core.windows.net}.
 * Source: "Configure Azure Storage connection strings".
 */
record AzureConnectionString(
        String account,
        @Nullable String endpoint,
        @Nullable Secret key,
        @Nullable Secret sasToken) {
    private static final String FORM =
            "expected AccountName=NAME;AccountKey=KEY;... or BlobEndpoint=URL;SharedAccessSignature=TOKEN";

    /** @throws IllegalArgumentException which shows nothing of the text */
    static AzureConnectionString parse(String text) {
        Map<String, String> parts = new TreeMap<>();
        for (String part : text.split(";")) {
            int equals = part.indexOf('=');
            if (!part.isBlank()) {
                if (equals < 1) {
                    throw new IllegalArgumentException(FORM);
                }
                parts.put(
                        part.substring(0, equals).strip().toLowerCase(Locale.ROOT),
                        part.substring(equals + 1).strip());
            }
        }
        String endpoint = endpoint(parts);
        String account = parts.containsKey("accountname") ? parts.get("accountname") : account(endpoint);
        String key = parts.get("accountkey");
        String signature = parts.get("sharedaccesssignature");
        if (account == null || account.isEmpty() || (key == null && signature == null)) {
            throw new IllegalArgumentException(FORM);
        }
        return new AzureConnectionString(
                account,
                endpoint,
                key == null ? null : new Secret(key),
                signature == null ? null : signature(signature));
    }

    /** As tools give it, with or without the '?' that a URL has before it. */
    static Secret signature(String token) {
        return new Secret(token.startsWith("?") ? token.substring(1) : token);
    }

    private static @Nullable String endpoint(Map<String, String> parts) {
        String own = parts.get("blobendpoint");
        if (own != null) {
            return url(own.endsWith("/") ? own.substring(0, own.length() - 1) : own);
        }
        String suffix = parts.get("endpointsuffix");
        return suffix == null
                ? null
                : url(parts.getOrDefault("defaultendpointsprotocol", "https") + "://"
                        + parts.getOrDefault("accountname", "") + ".blob." + suffix);
    }

    /** What is wrong with it is not said: a signature may be in it. */
    private static String url(String text) {
        try {
            URI uri = new URI(text);
            if (String.valueOf(uri.getScheme()).matches("https?")
                    && uri.getHost() != null
                    && uri.getRawUserInfo() == null
                    && uri.getRawQuery() == null
                    && uri.getRawFragment() == null) {
                return text;
            }
        } catch (URISyntaxException showsTheText) {
            // As any other that is none.
        }
        throw new IllegalArgumentException(FORM);
    }

    /** The first label of {@code https://ACCOUNT.blob.core.windows.net}. */
    private static @Nullable String account(@Nullable String endpoint) {
        if (endpoint == null) {
            return null;
        }
        String host = URI.create(endpoint).getHost();
        return host == null ? null : host.split("\\.")[0];
    }

    Store store(String container) {
        return new Store.Azure(account, container, endpoint, key, sasToken);
    }
}
