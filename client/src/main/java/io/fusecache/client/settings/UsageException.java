package io.fusecache.client.settings;

/** What the user asked for is unknown, malformed or contradicts itself: exit status 2. The message is one line. */
public final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    public UsageException(String message) {
        super(message);
    }
}
