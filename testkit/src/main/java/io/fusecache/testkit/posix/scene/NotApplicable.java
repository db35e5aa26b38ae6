package io.fusecache.testkit.posix.scene;

/** The rule cannot be tried here: the message says why. */
public final class NotApplicable extends RuntimeException {
    private static final long serialVersionUID = 1;

    public NotApplicable(String why) {
        super(why, null, false, false);
    }
}
