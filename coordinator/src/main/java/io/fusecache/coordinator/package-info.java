/** The namespace and everything the nodes agree on. */
@NullMarked
package io.fusecache.coordinator;

import org.jspecify.annotations.NullMarked;
