/** Both ends of the peer tier, over real sockets and a proxy that spoils what goes through it. */
@NullMarked
package io.fusecache.tiers.peer;

import org.jspecify.annotations.NullMarked;
