/** The file system: inodes, handles, open modes, write staging and commit, without any kernel type. */
@NullMarked
package io.fusecache.filesystem;

import org.jspecify.annotations.NullMarked;
