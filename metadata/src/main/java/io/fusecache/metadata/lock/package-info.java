/**
 * File locks of programs: what is asked for, what one owner holds, and the seam by which a node asks the coordinator.
 *
 * <p>In come the lock calls of programs, as the kernel passes them on ({@link FileLocks}); out go operations of the session.
 * {@link LockedRanges} is the arithmetic that both ends share. Nothing here knows of the kernel's protocol or of the wire.
 */
@NullMarked
package io.fusecache.metadata.lock;

import org.jspecify.annotations.NullMarked;
