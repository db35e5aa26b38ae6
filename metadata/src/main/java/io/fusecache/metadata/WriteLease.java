package io.fusecache.metadata;

/** What came of asking for the right to write a file. */
public sealed interface WriteLease {
    /** This node has it, and writes on top of {@code base}. */
    record Granted(FileVersion base) implements WriteLease {}

    /** That node has it: it is the file's home, and whoever opens the file elsewhere does so there. */
    record HeldBy(NodeId home) implements WriteLease {}
}
