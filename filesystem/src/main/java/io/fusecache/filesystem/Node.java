package io.fusecache.filesystem;

import io.fusecache.metadata.Inode;

/** What a name leads to: the kernel's node id and the attributes as this node sees them, local writes included. */
public record Node(long id, Inode inode) {}
