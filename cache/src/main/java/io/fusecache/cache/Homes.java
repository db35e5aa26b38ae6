package io.fusecache.cache;

import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * Files that are open for writing on other nodes, their homes, by operation. Beside the tiers, which hold what was committed,
 * this is the way to what is being written.
 */
public interface Homes extends AutoCloseable {
    /**
     * Asks the home. {@code data} is native memory: what a Write or Append writes, what a Read fills, else of no bytes.
     *
     * <p>Blocks for a bounded time. After an exception it is not known whether the request was executed; it may be sent again as it
     * is, since a change is executed once.
     *
     * @throws IOException where no whole and intact answer came
     */
    HomeReply ask(NodeAddress home, Guest guest, HomeRequest request, MemorySegment data) throws IOException;

    @Override
    void close();

    /**
     * A process of another node, as a home knows it.
     *
     * @param process a random number that it gave itself at its start: what an earlier process of that node had open is closed
     */
    record Guest(NodeId node, long process) {}

    /** The other end: a node as a home. */
    @FunctionalInterface
    interface Host {
        /**
         * Executes the request on behalf of {@code guest}. Blocks as the operation would. Whatever is wrong with the request comes
         * back as a reply and changes nothing.
         */
        HomeReply serve(Guest guest, HomeRequest request, MemorySegment data);
    }
}
