package io.fusecache.coordinator.dump;

import java.io.IOException;

/** What was given is no dump that can be loaded; the message names the line. */
public final class DumpException extends IOException {
    private static final long serialVersionUID = 1L;

    DumpException(long line, String message) {
        super("line " + line + ": " + message);
    }
}
