package io.fusecache.fuse.session;

import io.fusecache.fuse.wire.FuseRequest;

/**
 * The file system behind a session: it is asked, and answers by {@link Reply}.
 *
 * <p>{@link #handle} is called by the session's reader threads, several at a time. It may answer at once, which is the
 * fastest, or keep the reply and answer later from any thread; while it runs, its reader reads nothing else, so whatever
 * may wait belongs elsewhere. What it throws answers EIO and is logged.
 */
public interface FuseHandler {
    /** Called once, before the first request, with what INIT agreed on. */
    default void init(Capabilities negotiated) {}

    /**
     * Answers one request.
     *
     * <p>Init, Interrupt, NotifyReply, Destroy and Unknown never come here: the session looks after them. Forget and
     * BatchForget have no answer; their reply takes {@link Reply#none} or nothing.
     */
    void handle(FuseRequest request, Reply reply);

    /**
     * Called once, after the last request, when the mount is gone. RELEASE is sent in the background, so handles may be
     * left that no RELEASE will come for: they are closed by this.
     */
    default void destroy() {}
}
