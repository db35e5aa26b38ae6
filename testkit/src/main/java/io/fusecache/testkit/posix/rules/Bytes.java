package io.fusecache.testkit.posix.rules;

import io.fusecache.testkit.posix.scene.Scene;

/** Contents of files, a byte for each char, and what calls make of them. */
final class Bytes {
    private Bytes() {}

    /** So many bytes, none of them zero, that tell where they belong and which filling they are of. */
    static String of(int filling, int count) {
        StringBuilder bytes = new StringBuilder(count);
        for (int i = 0; i < count; i++) {
            bytes.append((char) (1 + Math.floorMod(i * 31 + i / 251 + filling * 97, 255)));
        }
        return bytes.toString();
    }

    static String zeros(long count) {
        return "\0".repeat((int) count);
    }

    /** The content after this was written there. */
    static String written(String content, long offset, String bytes) {
        int at = (int) offset;
        String padded = content + zeros(Math.max(0, at - content.length()));
        int end = at + bytes.length();
        return padded.substring(0, at) + bytes + (end < padded.length() ? padded.substring(end) : "");
    }

    /** The part of the content, as far as it reaches. */
    static String part(String content, long offset, long count) {
        int start = (int) Math.min(content.length(), offset);
        return content.substring(start, (int) Math.min(content.length(), start + count));
    }

    /** Whether they are the same, and where they differ first if not, which a whole content would hide. */
    static void same(Scene scene, String what, String expected, String actual) {
        scene.equal("length of " + what, expected.length(), actual.length());
        for (int i = 0; i < expected.length(); i++) {
            if (expected.charAt(i) != actual.charAt(i)) {
                scene.equal("byte " + i + " of " + what, (int) expected.charAt(i), (int) actual.charAt(i));
            }
        }
    }
}
