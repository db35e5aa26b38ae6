/** The file system without a kernel: real coordinator, cache and bucket, and programs that call as a kernel would. */
@NullMarked
package io.fusecache.filesystem;

import org.jspecify.annotations.NullMarked;
