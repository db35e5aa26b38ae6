/**
 * Provider {@code file}: a folder of plain objects, which every ordinary tool reads and writes too.
 *
 * <p>In come the requests of {@link io.fusecache.tiers.cloud.ObjectStore}; out go calls of {@code java.nio.file} below one
 * folder. {@link io.fusecache.tiers.cloud.file.FolderStore} says how a bucket lies in a folder.
 */
@NullMarked
package io.fusecache.tiers.cloud.file;

import org.jspecify.annotations.NullMarked;
