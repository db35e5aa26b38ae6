@NullMarked
package io.fusecache.coordinator;

import org.jspecify.annotations.NullMarked;
