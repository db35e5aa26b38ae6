package io.fusecache.coordinator.rest;

/** A request that is answered with an error: its status, a code for programs and a message for people. */
final class RestFailure extends Exception {
    private static final long serialVersionUID = 1L;

    private final int status;
    private final String code;

    RestFailure(int status, String code, String message) {
        super(message, null, false, false);
        this.status = status;
        this.code = code;
    }

    int status() {
        return status;
    }

    String code() {
        return code;
    }

    String text() {
        return String.valueOf(getMessage());
    }
}
