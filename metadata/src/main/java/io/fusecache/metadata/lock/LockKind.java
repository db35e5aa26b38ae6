package io.fusecache.metadata.lock;

/** Which call a lock belongs to: the two know nothing of each other, as on a local disk of Linux. */
public enum LockKind {
    /** flock(2): the whole file, owned by an open file description. */
    WHOLE_FILE,
    /** fcntl(2): bytes, owned by a process (F_SETLK) or an open file description (F_OFD_SETLK). */
    BYTES
}
