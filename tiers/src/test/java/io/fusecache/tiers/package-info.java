/** Tests of the tiers together. */
@NullMarked
package io.fusecache.tiers;

import org.jspecify.annotations.NullMarked;
