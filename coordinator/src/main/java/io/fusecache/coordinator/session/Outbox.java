package io.fusecache.coordinator.session;

import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Welcome;
import java.util.ArrayDeque;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a session is to hear, in the order in which it was executed, each item once the log is durable up to its position.
 *
 * <p>Items are added under the sequencer's lock, which makes their order that of execution, and sent outside of it, by
 * whichever thread finds something to send: one at a time, so the order stays. An answer and a recall of the same inode
 * therefore reach the client in the order in which they were true. What has nothing to do with the log (file locks) goes
 * ahead of what waits for it, in an order of its own.
 */
final class Outbox {
    private record Item(
            long position,
            @Nullable Welcome welcome,
            @Nullable Downstream message) {}

    private final ArrayDeque<Item> items = new ArrayDeque<>();
    private final ArrayDeque<Downstream> prompt = new ArrayDeque<>();
    private final LongSupplier durable;
    private @Nullable Sink sink;
    private boolean welcomed;
    private long recalledUpTo;
    private boolean draining;
    private boolean again;

    /** @param durable up to where the log is, negative while nothing at all may be said */
    Outbox(LongSupplier durable) {
        this.durable = durable;
    }

    synchronized boolean connected() {
        return sink != null;
    }

    @SuppressWarnings("ReferenceEquality") // a stream is itself and no other
    synchronized boolean connectedTo(Sink candidate) {
        return sink == candidate;
    }

    /** A new stream: what was not sent on the one before is void. Returns that one, to be closed. */
    synchronized @Nullable Sink connect(@Nullable Sink next) {
        Sink before = sink;
        sink = next;
        items.clear();
        prompt.clear();
        welcomed = false;
        recalledUpTo = 0;
        return before;
    }

    /** The last recall that left on this stream, 0 for none: one with a higher number waits, maybe for the right to speak. */
    synchronized long recalledUpTo() {
        return recalledUpTo;
    }

    synchronized void add(long position, Welcome welcome) {
        items.add(new Item(position, welcome, null));
    }

    synchronized void add(long position, Downstream message) {
        if (sink != null) {
            items.add(new Item(position, null, message));
        }
    }

    /** Goes out as soon as the session is welcomed, whatever the log is at. */
    synchronized void addPrompt(Downstream message) {
        if (sink != null) {
            prompt.add(message);
        }
    }

    /** Sends what may be sent. */
    void drain() {
        synchronized (this) {
            if (draining) {
                again = true;
                return;
            }
            draining = true;
        }
        while (true) {
            Item item;
            Sink to;
            synchronized (this) {
                to = sink;
                Item head = to == null ? null : next();
                if (to == null || head == null) {
                    if (!again) {
                        draining = false;
                        return;
                    }
                    again = false;
                    continue;
                }
                item = head;
                welcomed |= item.welcome() != null;
                if (item.message() instanceof Downstream.RecallRequest recall) {
                    recalledUpTo = recall.recall();
                }
            }
            if (item.welcome() != null) {
                to.welcome(item.welcome());
            } else if (item.message() != null) {
                to.send(item.message());
            }
        }
    }

    /** Takes what may go now; null where nothing may. The log is asked only where something waits: to ask may make it write. */
    private @Nullable Item next() {
        boolean promptly = welcomed && !prompt.isEmpty();
        Item head = items.peek();
        if (!promptly && head == null) {
            return null;
        }
        long upTo = durable.getAsLong();
        if (promptly && upTo >= 0) {
            return new Item(0, null, prompt.remove());
        }
        return head == null || head.position() > upTo ? null : items.remove();
    }
}
