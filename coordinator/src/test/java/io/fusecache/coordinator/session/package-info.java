/** Tests of what is kept for sessions in memory. */
@NullMarked
package io.fusecache.coordinator.session;

import org.jspecify.annotations.NullMarked;
