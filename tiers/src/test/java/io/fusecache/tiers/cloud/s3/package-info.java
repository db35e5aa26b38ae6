@NullMarked
package io.fusecache.tiers.cloud.s3;

import org.jspecify.annotations.NullMarked;
