package io.fusecache.metadata.lock;

/** How much a lock keeps others out. In order: each allows its owner more than the one before. */
public enum LockType {
    UNLOCKED,
    SHARED,
    EXCLUSIVE;

    /** Whether locks of two owners on the same bytes exclude each other. */
    public boolean excludes(LockType other) {
        return this != UNLOCKED && other != UNLOCKED && (this == EXCLUSIVE || other == EXCLUSIVE);
    }

    LockType weaker(LockType other) {
        return compareTo(other) <= 0 ? this : other;
    }
}
