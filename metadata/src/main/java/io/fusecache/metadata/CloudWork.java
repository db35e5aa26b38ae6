package io.fusecache.metadata;

/** What the bucket still has to be told after the namespace changed; persistent, done by any node, at least once. */
public sealed interface CloudWork {
    long id();

    /** Remove the object, if it is there and ours: another's stays. */
    record Delete(long id, String key, Expected object) implements CloudWork {}

    /**
     * Copy the object of a renamed file to its new key, on the bucket's side and only while its ETag is
     * {@code from.etag}, then delete the old one. Done with {@link Metadata#finishMove}.
     *
     * @param over what the copy replaces
     */
    record Move(long id, long ino, long version, ObjectRef from, String toKey, Expected over) implements CloudWork {}

    /** Put the zero-byte object that stands for an empty directory (the key ends in '/'). */
    record PutMarker(long id, String key) implements CloudWork {}

    /** Remove the marker of a directory that is gone. */
    record DeleteMarker(long id, String key) implements CloudWork {}
}
