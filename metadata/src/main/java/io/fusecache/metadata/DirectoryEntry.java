package io.fusecache.metadata;

/**
 * One name of a directory with the inode it leads to.
 *
 * @param cookie where readdir goes on after this entry: unique in its directory for as long as the directory lives, never
 *     given again, ascending in the order of listing, above 2 (0, 1 and 2 are the start, "." and "..")
 */
public record DirectoryEntry(FileName name, long cookie, Inode inode) {}
