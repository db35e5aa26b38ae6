package io.fusecache.metadata.delegation;

import io.fusecache.metadata.Recall;
import io.fusecache.metadata.RecallListener;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hears the coordinator's recalls before the file system does, from the session's first moment on: before the delegations are there. */
public final class DelegationRecalls implements RecallListener, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(DelegationRecalls.class);

    private final RecallListener next;
    private final CompletableFuture<Delegations> delegations = new CompletableFuture<>();

    public DelegationRecalls(RecallListener next) {
        this.next = next;
    }

    void bind(Delegations here) {
        delegations.complete(here);
    }

    /** There will be none, where there are none yet: the node does not start. */
    @Override
    public void close() {
        delegations.cancel(false);
    }

    @Override
    public void recallBegins() {
        next.recallBegins();
    }

    @Override
    public Set<Long> namesLeft(Recall recall) {
        return next.namesLeft(recall);
    }

    @Override
    public void recallEnds() {
        next.recallEnds();
    }

    @Override
    public Set<Long> recalled(Recall recall) {
        Set<Long> all = new HashSet<>(recall.inodes());
        try {
            // What a process of before did in these directories goes to the coordinator first.
            all.addAll(delegations.join().giveBack(recall.inodes()));
        } catch (CompletionException | CancellationException e) {
            LOG.debug("a node that does not start has nothing to give back", e);
        }
        boolean more = all.size() > recall.inodes().size();
        return next.recalled(more ? new Recall(all, true) : recall);
    }

    @Override
    public void reset(boolean fenced) {
        Delegations here = delegations.isCompletedExceptionally() ? null : delegations.getNow(null);
        if (fenced && here != null) {
            here.lose("the node was cut off for longer than its lease");
        }
        next.reset(fenced);
    }
}
