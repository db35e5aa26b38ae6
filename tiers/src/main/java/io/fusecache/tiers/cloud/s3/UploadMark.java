package io.fusecache.tiers.cloud.s3;

import io.fusecache.tiers.cloud.ObjectStore.Upload;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;

/** By which an object tells the upload that made it: in the object's metadata, and before the store's own id in {@link Upload#id}. */
record UploadMark(String text) {
    private static final String NAME = "fusecache-upload";
    private static final int LENGTH = new UUID(0, 0).toString().length();

    static UploadMark random() {
        return new UploadMark(UUID.randomUUID().toString());
    }

    static UploadMark of(Upload upload) {
        return new UploadMark(upload.id().substring(0, LENGTH));
    }

    /** The store's own id. */
    static String uploadId(Upload upload) {
        return upload.id().substring(LENGTH);
    }

    /** The inverse of {@link #of} and {@link #uploadId}. */
    String before(String uploadId) {
        return text + uploadId;
    }

    Map<String, String> with(Map<String, String> attributes) {
        Map<String, String> marked = new LinkedHashMap<>(attributes);
        marked.put(NAME, text);
        return marked;
    }

    boolean in(Map<String, String> metadata) {
        return text.equals(metadata.get(NAME));
    }

    /** All metadata but the mark. */
    static Map<String, String> without(Map<String, String> metadata) {
        Map<String, String> attributes = new LinkedHashMap<>(metadata);
        attributes.remove(NAME);
        return attributes;
    }
}
