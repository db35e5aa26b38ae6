package io.fusecache.testkit.posix.scene;

/**
 * What getdents64(2) says about one name.
 *
 * @param offset where the next entry stands, for lseek(2)
 * @param type a DT constant
 */
public record Entry(String name, long ino, long offset, int type) {}
