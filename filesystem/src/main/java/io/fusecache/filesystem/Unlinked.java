package io.fusecache.filesystem;

import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BooleanSupplier;

/**
 * Inodes without a name that this session keeps alive: removed while open, or made by O_TMPFILE. They end when nothing
 * here has them open and the kernel has forgotten them, which it does at once for an inode without links. The bytes of one
 * that the trash keeps are wanted nevertheless.
 */
final class Unlinked {
    private final Set<Long> held = ConcurrentHashMap.newKeySet();
    private final Set<Long> forgotten = ConcurrentHashMap.newKeySet();

    /** Those of them that the trash had when they were removed. */
    private final Set<Long> kept = ConcurrentHashMap.newKeySet();

    /** Those that never had one: no other node knows of them. */
    private final Set<Long> neverNamed = ConcurrentHashMap.newKeySet();

    /** Open here while something about them changed elsewhere: their last name may have gone with that. */
    private final Set<Long> suspected = ConcurrentHashMap.newKeySet();

    private final Metadata metadata;
    private final Incarnations incarnations;
    private final Departed departed;

    Unlinked(Metadata metadata, Incarnations incarnations, Departed departed) {
        this.metadata = metadata;
        this.incarnations = incarnations;
        this.departed = departed;
    }

    void add(Inode inode) {
        if (inode.links() == 0) {
            if (inode.kept()) {
                kept.add(inode.ino());
            } else {
                kept.remove(inode.ino());
            }
            held.add(inode.ino());
        }
    }

    /** Made by O_TMPFILE. */
    void addNeverNamed(Inode made) {
        add(made);
        neverNamed.add(made.ino());
    }

    /** It has a name again (linkat of an O_TMPFILE). */
    void linked(long ino) {
        left(ino);
    }

    /** True where it was held. */
    private boolean left(long ino) {
        forgotten.remove(ino);
        kept.remove(ino);
        neverNamed.remove(ino);
        return held.remove(ino);
    }

    boolean contains(long ino) {
        return held.contains(ino);
    }

    /** Whether nobody will want its bytes when it is open nowhere any more. */
    boolean worthless(long ino) {
        return held.contains(ino) && !kept.contains(ino);
    }

    /** Whether nobody will want its bytes after the last close here, since no other node can have it open. */
    boolean worthlessElsewhere(long ino) {
        return neverNamed.contains(ino) && worthless(ino);
    }

    /** The kernel has no more use of it; {@code open}: a handle has. */
    void forget(long ino, boolean open) {
        if (!held.contains(ino)) {
            return;
        }
        if (open) {
            forgotten.add(ino);
        } else {
            release(ino);
        }
    }

    void closed(long ino) {
        if (forgotten.contains(ino)) {
            release(ino);
        }
    }

    void suspect(long ino) {
        suspected.add(ino);
    }

    /** Whether to look, after the last close, if it was removed elsewhere meanwhile. */
    boolean suspected(long ino) {
        return suspected.contains(ino);
    }

    /** Who is told true looks. */
    boolean takeSuspicion(long ino) {
        return suspected.remove(ino);
    }

    /**
     * It was: where nothing here uses it, nothing keeps it. Whoever opens it says that he uses it, and looks then whether it is current:
     * one of the two sees the other. False where it is used.
     *
     * @param last does what is to be done before nothing keeps it
     */
    boolean releaseRemoved(long ino, BooleanSupplier used, Runnable last) {
        incarnations.end(ino);
        CompletableFuture<?> answer = CompletableFuture.completedFuture(null);
        try {
            if (used.getAsBoolean()) {
                return false;
            }
            last.run();
            boolean ignored = left(ino);
            answer = metadata.releaseUnlinked(Set.of(ino));
        } finally {
            CompletableFuture<?> ignored = answer.whenComplete((done, failure) -> incarnations.goOn(ino));
        }
        departed.released(ino);
        return true;
    }

    private void release(long ino) {
        if (left(ino)) {
            CompletableFuture<?> ignored = metadata.releaseUnlinked(Set.of(ino));
            departed.released(ino);
        }
    }
}
