package io.fusecache.tiers.cloud.azure;

import java.net.URI;
import java.time.Duration;

/**
 * Which container, and how it is reached.
 *
 * @param endpoint of the account's blob service, without the container
 * @param timeout of one request, its whole answer included
 * @param pageSize keys in one page of a listing, 5000 at most
 */
public record AzureOptions(
        String account, String container, URI endpoint, Credentials credentials, Duration timeout, int pageSize) {
    /** As many keys as the service gives in one page ("List Blobs", maxresults). */
    public static final int LARGEST_PAGE = 5000;

    /** By what requests are authorized. Secrets are never shown. */
    public sealed interface Credentials {
        /** The account's key, which may do everything. */
        record AccountKey(String key) implements Credentials {
            @Override
            public String toString() {
                return "account key, not shown";
            }
        }

        /** A shared access signature, without the '?' before it. */
        record Sas(String token) implements Credentials {
            @Override
            public String toString() {
                return "shared access signature, not shown";
            }
        }

        /**
         * Whoever this machine is: the environment's service principal, a workload identity, a managed identity, who is logged
         * in to the Azure CLI, in this order.
         */
        record Identity() implements Credentials {}
    }
}
