package io.fusecache.tiers.cloud.gcs;

import io.fusecache.tiers.cloud.RefusedException;

/** Run in a process with an environment of its own: prints the token that application default credentials give, or why there is none. */
final class TokenOfThisProcess {
    private TokenOfThisProcess() {}

    public static void main(String[] args) throws Exception {
        try {
            System.out.println(new GoogleTokens(null).token());
        } catch (RefusedException nobody) {
            System.out.println(nobody.getMessage());
        }
    }
}
