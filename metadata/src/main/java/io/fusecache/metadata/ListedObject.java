package io.fusecache.metadata;

import java.util.Map;

/**
 * One name that a listing of a directory's key prefix shows.
 *
 * @param name the component below the directory, without a trailing slash
 * @param directory a common prefix or a marker
 * @param size bytes; 0 for a directory
 * @param etag empty for a directory
 * @param modified as the bucket says
 * @param attributes object metadata where the listing carries it, else empty
 */
public record ListedObject(
        FileName name, boolean directory, long size, String etag, Timestamp modified, Map<String, String> attributes) {}
