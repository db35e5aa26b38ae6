/** Tests of what is kept for states in memory. */
@NullMarked
package io.fusecache.coordinator.state;

import org.jspecify.annotations.NullMarked;
