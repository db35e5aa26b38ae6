package io.fusecache.cache;

import io.fusecache.metadata.NodeAddress;
import java.util.List;

/**
 * What a source answered to a read that did not fail. Only an exception counts against the health of a source; a miss and
 * a busy do not.
 */
public sealed interface ReadOutcome {
    /** All the bytes asked for are in the target. */
    record Hit(int bytes) implements ReadOutcome {}

    /** The source does not have them, or not of this version. */
    record Miss() implements ReadOutcome {}

    /** The source serves all it can already; these others have the bytes too. */
    record Busy(List<NodeAddress> others) implements ReadOutcome {}
}
