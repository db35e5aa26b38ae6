package io.fusecache.client.http;

import io.fusecache.client.http.Exchange.Endpoint;
import java.util.Optional;

/**
 * One path of the API and one method on it.
 *
 * @param template as in OpenAPI: {@code /api/peers/{id}}; a last {@code {path}} takes slashes too
 * @param open needs no API key
 */
record Route(String method, String template, boolean open, Endpoint endpoint) {
    private static final String PATH = "{path}";

    /** What the path has where the template has its parameter; empty where they do not match. */
    Optional<String> match(String path) {
        int begin = template.indexOf('{');
        if (begin < 0) {
            return path.equals(template) ? Optional.of("") : Optional.empty();
        }
        String after = template.substring(template.indexOf('}') + 1);
        if (!path.startsWith(template.substring(0, begin))
                || !path.endsWith(after)
                || path.length() <= begin + after.length()) {
            return Optional.empty();
        }
        String rest = path.substring(begin, path.length() - after.length());
        boolean whole = template.startsWith(PATH, begin) || rest.indexOf('/') < 0;
        return whole ? Optional.of(rest) : Optional.empty();
    }
}
