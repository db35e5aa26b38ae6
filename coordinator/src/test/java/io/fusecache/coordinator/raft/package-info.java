/** Tests of replicas in one process. */
@NullMarked
package io.fusecache.coordinator.raft;

import org.jspecify.annotations.NullMarked;
