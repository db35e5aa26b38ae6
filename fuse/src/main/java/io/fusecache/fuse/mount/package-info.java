/**
 * Putting a FUSE file system on a directory and taking it off again.
 *
 * <p>In come a directory and options; out comes a device descriptor, or one line that names the thing and the way out.
 * By mount(2) as root, by fusermount3 otherwise.
 */
@NullMarked
package io.fusecache.fuse.mount;

import org.jspecify.annotations.NullMarked;
