package io.fusecache.filesystem;

import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Which incarnation of an inode its names lead to now. Nearly always the first, 0, of which nothing is kept: a second
 * one begins only when another node replaced the content of a file that is open here, and the kernel, which passes all
 * opens of one node id to one backing file, has to be given another node id.
 */
final class Incarnations {
    private final ConcurrentHashMap<Long, Integer> current = new ConcurrentHashMap<>();

    /** Inodes that no name leads to any more, and that this node is about to give up. */
    private final Set<Long> ending = ConcurrentHashMap.newKeySet();

    /** The node id that lookups answer. */
    long nodeId(long ino) {
        return NodeIds.of(current.getOrDefault(ino, 0), ino);
    }

    boolean isCurrent(long nodeId) {
        long ino = NodeIds.ino(nodeId);
        return nodeId(ino) == nodeId && !ending.contains(ino);
    }

    /** None is current from here on, until {@link #goOn}. */
    void end(long ino) {
        ending.add(ino);
    }

    void goOn(long ino) {
        ending.remove(ino);
    }

    /** Begins the next incarnation, where {@code nodeId} is still the current one. */
    void supersede(long nodeId) {
        current.compute(NodeIds.ino(nodeId), (ino, now) -> {
            int incarnation = now == null ? 0 : now;
            return incarnation == NodeIds.incarnation(nodeId) ? Integer.valueOf((incarnation + 1) & 0xFFFF) : now;
        });
    }

    /** All node ids that the kernel may know of the inode and that a change of it concerns. */
    List<Long> known(long ino) {
        Integer now = current.get(ino);
        if (now == null) {
            return List.of(ino);
        }
        // Older ones live as long as a file is open, and are known as such (OpenFiles.used).
        return java.util.stream.IntStream.rangeClosed(Math.max(0, now - 3), now)
                .mapToObj(incarnation -> NodeIds.of(incarnation, ino))
                .toList();
    }

    /** The kernel forgot the current node id and nothing is open: names may begin with 0 again. */
    void forget(long nodeId) {
        current.remove(NodeIds.ino(nodeId), NodeIds.incarnation(nodeId));
    }
}
