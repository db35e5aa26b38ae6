/**
 * The kernel's FUSE protocol, spoken directly on /dev/fuse, as a library of its own: no libfuse, no native code.
 *
 * <p>Begin with {@link io.fusecache.fuse.session.FuseSession}. {@code wire} has the bytes, {@code sys} the system calls,
 * {@code mount} the mounting, {@code session} the serving. It knows nothing of caches.
 */
@NullMarked
package io.fusecache.fuse;

import org.jspecify.annotations.NullMarked;
