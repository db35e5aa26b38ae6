/** What is pure in the cache; what needs a local tier is tested in {@code tiers}. */
@NullMarked
package io.fusecache.cache;

import org.jspecify.annotations.NullMarked;
