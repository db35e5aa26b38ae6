package io.fusecache.cli;

/** What the programs end with. */
final class ExitStatus {
    static final int DONE = 0;
    /** The work could not be done; one line on standard error says why. */
    static final int FAILURE = 1;
    /** What was asked for is unknown or contradicts itself. */
    static final int USAGE = 2;

    private ExitStatus() {}
}
