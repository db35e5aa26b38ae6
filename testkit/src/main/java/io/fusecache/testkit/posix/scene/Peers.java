package io.fusecache.testkit.posix.scene;

import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;

/** The other processes of a check, which end with it. Their memory is used again by those of the next check. */
final class Peers {
    private final List<Memory> memories = new ArrayList<>();
    private final List<Peer> running = new ArrayList<>();

    Peer start() {
        if (memories.size() == running.size()) {
            // Not the worker's: whoever puts a call together that waits is a thread of its own.
            memories.add(new Memory(Arena.ofAuto()));
        }
        Peer peer = new Peer(memories.get(running.size()));
        running.add(peer);
        return peer;
    }

    void endAll() {
        boolean all = true;
        for (Peer peer : running) {
            all &= peer.end();
        }
        running.clear();
        if (!all) {
            // The memory of who did not end stays in use.
            memories.clear();
        }
    }
}
