package io.fusecache.coordinator.namespace;

import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a command is given beside itself.
 *
 * @param now the one time of everything that it changes
 * @param session that asks; 0 for the coordinator itself
 * @param node of that session, or null
 * @param inUse inodes that other sessions said they have open when they were recalled for this command
 * @param live nodes with a session
 */
public record Context(
        Timestamp now, long session, @Nullable NodeId node, Map<Long, Set<Long>> inUse, Set<NodeId> live) {
    long nowMillis() {
        return now.seconds() * 1000 + now.nanos() / 1_000_000;
    }
}
