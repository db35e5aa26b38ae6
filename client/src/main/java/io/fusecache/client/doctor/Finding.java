package io.fusecache.client.doctor;

/** What one check found. */
public record Finding(Weight weight, String subject, String text) {
    /** How much it matters. */
    public enum Weight {
        FINE,
        /** It works, but slower or with less than it could. */
        NOTE,
        /** A node would not start, or would not work. */
        BAD
    }

    static Finding fine(String subject, String text) {
        return new Finding(Weight.FINE, subject, text);
    }

    static Finding note(String subject, String text) {
        return new Finding(Weight.NOTE, subject, text);
    }

    static Finding bad(String subject, String text) {
        return new Finding(Weight.BAD, subject, text);
    }
}
