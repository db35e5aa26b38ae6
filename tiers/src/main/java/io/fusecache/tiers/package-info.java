/** Where bytes are: this node's NVMe, the other nodes, and the bucket. */
@NullMarked
package io.fusecache.tiers;

import org.jspecify.annotations.NullMarked;
