package io.fusecache.metadata;

/** Where the bucket holds the bytes of a version: the whole object key, prefix included, and the ETag it had. */
public record ObjectRef(String key, String etag) {}
