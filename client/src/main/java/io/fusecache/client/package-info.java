/**
 * The daemon of one node: its configuration and the wiring of all its parts.
 *
 * <p>In comes a {@link io.fusecache.client.NodeConfiguration}; out comes a mounted file system with its peer and admin
 * HTTP beside it. Command lines are read in {@code cli}, values and their precedence in {@code client.settings}, the
 * kernel is met in {@code client.bridge}, HTTP in {@code client.http}.
 */
@NullMarked
package io.fusecache.client;

import org.jspecify.annotations.NullMarked;
