package io.fusecache.testkit;

/** In what stores that speak S3's XML differ. */
enum XmlDialect {
    /** Google's own: with a bearer token. */
    GOOGLE_TOKEN("x-goog-"),
    /** Google's, signed as for S3 with an HMAC key. */
    GOOGLE_KEY("x-amz-"),
    /** A directory bucket of S3 Express One Zone. */
    DIRECTORY("x-amz-");

    private final String family;

    XmlDialect(String family) {
        this.family = family;
    }

    /** With which names of headers begin. */
    String family() {
        return family;
    }

    boolean google() {
        return this != DIRECTORY;
    }
}
