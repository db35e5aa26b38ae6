/**
 * Where the kernel's requests meet the file system: {@code fuse} on one side, {@code filesystem} on the other, and nothing of
 * either known to the other.
 *
 * <p>In come requests on the session's reader threads. Those that can be answered from memory are answered there; all
 * others go on on virtual threads, a bounded number at a time. Out go replies, each exactly once, with errors turned into
 * numbers and logged in one place ({@link io.fusecache.client.bridge.Answering}); and, the other way, what the file system
 * tells the kernel to forget or to read by itself ({@link io.fusecache.client.bridge.SessionPort}).
 * {@link io.fusecache.client.bridge.PosixDisk} is the local disk by system calls.
 */
@NullMarked
package io.fusecache.client.bridge;

import org.jspecify.annotations.NullMarked;
