package io.fusecache.client;

/**
 * A node cannot start, or a command cannot do its work. The message is the one line that the user sees: it names the
 * thing, what was expected, and the way out.
 */
public final class StartupException extends Exception {
    private static final long serialVersionUID = 1L;

    public StartupException(String message) {
        super(message);
    }

    public StartupException(String message, Throwable cause) {
        super(message, cause);
    }
}
