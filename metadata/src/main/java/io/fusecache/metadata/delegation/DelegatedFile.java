package io.fusecache.metadata.delegation;

import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Inode;
import org.jspecify.annotations.Nullable;

/** Anything but a directory in a {@link DelegatedTree}. */
final class DelegatedFile {
    Inode inode;

    /** Of a regular file, else null; without its object. */
    @Nullable FileVersion content;

    /** That has its name, or had its last one. */
    long directory;

    DelegatedFile(Inode inode, @Nullable FileVersion content, long directory) {
        this.inode = inode;
        this.content = content;
        this.directory = directory;
    }
}
