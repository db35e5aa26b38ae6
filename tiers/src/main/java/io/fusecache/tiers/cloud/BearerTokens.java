package io.fusecache.tiers.cloud;

import java.io.IOException;

/** Who we are to a store, as the text that stands in each request's Authorization header behind "Bearer". Never shown. */
public interface BearerTokens {
    /**
     * One that lasts for longer than a request. Blocks where another has to be asked for; called by many threads.
     *
     * @throws RefusedException with the way out, where nobody is there to be, or whoever gives tokens does not know us
     */
    String token() throws IOException;
}
