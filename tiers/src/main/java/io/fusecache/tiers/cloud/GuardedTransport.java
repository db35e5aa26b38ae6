package io.fusecache.tiers.cloud;

import java.net.URI;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Whether bytes can change unnoticed between a server and this process. */
public final class GuardedTransport {
    private GuardedTransport() {}

    /** True of TLS, which authenticates each record, and of what does not leave the machine. Looks no name up. */
    public static boolean to(URI endpoint) {
        return "https".equalsIgnoreCase(endpoint.getScheme()) || isLoopback(endpoint.getHost());
    }

    private static boolean isLoopback(@Nullable String host) {
        if (host == null) {
            return false;
        }
        String name = host.toLowerCase(Locale.ROOT);
        return name.equals("localhost") || name.equals("[::1]") || name.matches("127(\\.\\d{1,3}){3}");
    }
}
