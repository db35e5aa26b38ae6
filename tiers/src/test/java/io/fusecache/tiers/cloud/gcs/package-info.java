@NullMarked
package io.fusecache.tiers.cloud.gcs;

import org.jspecify.annotations.NullMarked;
