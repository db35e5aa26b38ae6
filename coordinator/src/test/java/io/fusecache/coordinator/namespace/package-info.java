@NullMarked
package io.fusecache.coordinator.namespace;

import org.jspecify.annotations.NullMarked;
