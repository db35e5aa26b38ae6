/** The daemon of a node: configuration, wiring, the bridge from kernel to file system, peer and admin HTTP. */
@NullMarked
package io.fusecache.client;

import org.jspecify.annotations.NullMarked;
