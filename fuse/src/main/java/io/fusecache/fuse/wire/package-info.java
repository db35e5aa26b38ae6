/**
 * The kernel's FUSE protocol, 7.31 to 7.45, as bytes: requests decoded into records, answers and notifications laid out.
 *
 * <p>In come {@link java.lang.foreign.MemorySegment}s as read from /dev/fuse; out go records, and segments to write back.
 * Pure: no system call, no thread, no state but a decoder's cursor. Kernel spellings live here and nowhere else. The layout
 * is that of include/uapi/linux/fuse.h; no length in a message is trusted ({@link
 * io.fusecache.fuse.wire.MalformedRequest}).
 */
@NullMarked
package io.fusecache.fuse.wire;

import org.jspecify.annotations.NullMarked;
