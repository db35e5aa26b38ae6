@NullMarked
package io.fusecache.tiers.cloud.azure;

import org.jspecify.annotations.NullMarked;
