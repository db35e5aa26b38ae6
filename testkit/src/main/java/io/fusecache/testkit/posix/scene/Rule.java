package io.fusecache.testkit.posix.scene;

/**
 * One rule of a man page, and how it is checked.
 *
 * @param page such as {@code rename(2)}
 * @param text what must hold, for which file and which user
 * @param slow takes more than a moment, and is checked where that is asked for
 */
public record Rule(String page, String text, boolean slow, Body body) {
    /** Fails with a {@link Violation}, or ends with {@link NotApplicable}. */
    @FunctionalInterface
    public interface Body {
        void check(Scene scene);
    }

    /** Page and text: unique in a suite. */
    public String name() {
        return page + ": " + text;
    }
}
