package io.fusecache.metadata.lock;

import io.fusecache.metadata.ErrnoException;
import org.jspecify.annotations.Nullable;

/**
 * The locks that programs of this node ask the cluster for: flock(2) and fcntl_locking(2).
 *
 * <p>A lock is held by the session with the coordinator, in memory, and known on both sides. It outlives a broken stream, and
 * a coordinator that restarts: then the session says what it holds before anybody else gets anything. It is lost with the
 * session: when this process ends, or when the coordinator had to do without this node for longer than a lease while
 * somebody else wanted the lock. Whoever owned a lost lock gets EIO for further ones on that file until it has unlocked or
 * closed it, as with NFSv4.
 */
public interface FileLocks {
    /**
     * A request to take a lock, or to change or drop one; nothing is asked before {@link Request#send}. Errors are EAGAIN
     * where another owner is in the way, with {@code wait} instead EDEADLK where waiting would never end; ENOLCK where
     * this node has too many; EINTR when it was cancelled; EIO.
     */
    Request request(FileLock lock, boolean wait, Decision decision);

    /** The first lock that keeps the owner of {@code lock} from having it, or null: F_GETLK. */
    @Nullable Obstacle find(FileLock lock) throws ErrnoException;

    /** @param here whether its owner is on this node, so that its pid means something here */
    record Obstacle(FileLock lock, boolean here) {}

    /** One request on its way. */
    interface Request {
        /**
         * Asks, once. Returns when the coordinator has decided or has it in its queue: however long it waits there, no thread
         * does.
         */
        void send();

        /** Whoever asked does not want it any more; the decision says what came first. May block. */
        void cancel();
    }

    /** What becomes of a request: one of the two is called, once, from any thread, which must not be held up. */
    interface Decision {
        void granted();

        void refused(ErrnoException why);
    }
}
