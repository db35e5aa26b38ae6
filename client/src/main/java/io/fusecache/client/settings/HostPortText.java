package io.fusecache.client.settings;

import io.fusecache.client.NodeConfiguration.HostPort;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code host:port}, {@code [::1]:port}, with or without {@code http://} before it. */
public final class HostPortText {
    private static final Pattern FORM =
            Pattern.compile("(?:https?://)?(?:\\[([0-9a-fA-F:.%a-z]+)]|([A-Za-z0-9._-]+)):(\\d{1,5})/?");

    private HostPortText() {}

    /** @throws IllegalArgumentException with what was expected */
    public static HostPort parse(String text) {
        Matcher matcher = FORM.matcher(text.strip());
        if (!matcher.matches()) {
            throw new IllegalArgumentException("expected HOST:PORT, such as localhost:8080");
        }
        int port = Integer.parseInt(matcher.group(3));
        if (port < 1 || port > 65535) {
            throw new IllegalArgumentException("expected a port from 1 to 65535");
        }
        return new HostPort(matcher.group(1) != null ? matcher.group(1) : matcher.group(2), port);
    }
}
