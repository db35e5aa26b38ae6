/** The kernel's FUSE protocol, spoken directly on /dev/fuse, as a library of its own. */
@NullMarked
package io.fusecache.fuse;

import org.jspecify.annotations.NullMarked;
