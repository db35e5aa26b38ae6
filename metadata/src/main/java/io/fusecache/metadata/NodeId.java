package io.fusecache.metadata;

/** The lasting name of one client node: {@code -peer-id}, or made once and kept in the node's cache directory. */
public record NodeId(String value) {
    public static final int MAX_LENGTH = 128;

    public NodeId {
        if (!valid(value)) {
            throw new IllegalArgumentException(
                    "node id '" + value + "': expected 1 to " + MAX_LENGTH + " of letters, digits, '.', '_', ':', '-'");
        }
    }

    // By hand: node ids are decoded with every inode that is being written.
    private static boolean valid(String value) {
        if (value.isEmpty() || value.length() > MAX_LENGTH) {
            return false;
        }
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            boolean letterOrDigit = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!letterOrDigit && c != '.' && c != '_' && c != ':' && c != '-') {
                return false;
            }
        }
        return true;
    }

    @Override
    public String toString() {
        return value;
    }
}
