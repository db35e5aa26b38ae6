/**
 * System calls through the FFM API: the only downcalls of the whole project.
 *
 * <p>{@link io.fusecache.fuse.sys.Posix} has those on files and descriptors, {@link io.fusecache.fuse.sys.Linux} those that
 * mount, splice, spawn and signal; both answer as the manual says, errors as negated numbers. {@link
 * io.fusecache.fuse.sys.LocalFile} is the face for code that wants objects and exceptions. Handles are static and final,
 * errno is captured by the call that set it, and no call is marked critical: each may wait.
 */
@NullMarked
package io.fusecache.fuse.sys;

import org.jspecify.annotations.NullMarked;
