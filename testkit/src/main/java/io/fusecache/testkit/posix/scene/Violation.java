package io.fusecache.testkit.posix.scene;

/** A rule was broken: what was done, what the rule demands, and what came. */
public final class Violation extends AssertionError {
    private static final long serialVersionUID = 1;

    public Violation(String message) {
        super(message);
    }
}
