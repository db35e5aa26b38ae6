/** Measurements: micro-benchmarks, and the side-by-side bench of a mount against its backing file system. */
@NullMarked
package io.fusecache.bench;

import org.jspecify.annotations.NullMarked;
