package io.fusecache.metadata;

/** The lasting name of one client node: {@code -peer-id}, or made once and kept in the node's cache directory. */
public record NodeId(String value) {
    public static final int MAX_LENGTH = 128;

    public NodeId {
        if (!value.matches("[A-Za-z0-9._:-]{1," + MAX_LENGTH + "}")) {
            throw new IllegalArgumentException(
                    "node id '" + value + "': expected 1 to " + MAX_LENGTH + " of letters, digits, '.', '_', ':', '-'");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
