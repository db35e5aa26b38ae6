package io.fusecache.coordinator.dump;

import io.fusecache.metadata.Timestamp;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** Bytes, numbers and times as a dump's fields have them, and back; IllegalArgumentException for what is none. */
public final class DumpText {
    /** Before bytes that are no UTF-8, in base64, and before a text that begins so itself. */
    private static final String BASE64 = "base64:";

    private DumpText() {}

    public static String of(byte[] bytes) {
        try {
            String text = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
            if (!text.startsWith(BASE64)) {
                return text;
            }
        } catch (CharacterCodingException bytesOfNoText) {
            return BASE64 + base64(bytes);
        }
        return BASE64 + base64(bytes);
    }

    static byte[] bytes(String text) {
        return text.startsWith(BASE64)
                ? Base64.getDecoder().decode(text.substring(BASE64.length()))
                : text.getBytes(StandardCharsets.UTF_8);
    }

    public static String base64(byte[] bytes) {
        return Base64.getEncoder().encodeToString(bytes);
    }

    static String of(int[] words) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * words.length);
        for (int word : words) {
            bytes.putInt(word);
        }
        return base64(bytes.array());
    }

    static int[] words(String text) {
        byte[] bytes = Base64.getDecoder().decode(text);
        if (bytes.length % 4 != 0) {
            throw new IllegalArgumentException("words of four bytes are expected, and there are " + bytes.length);
        }
        int[] words = new int[bytes.length / 4];
        ByteBuffer.wrap(bytes).asIntBuffer().get(words);
        return words;
    }

    public static String time(Timestamp time) {
        return "%d.%09d".formatted(time.seconds(), time.nanos());
    }

    static Timestamp time(String text) {
        int dot = text.indexOf('.');
        if (dot < 1 || text.length() - dot != 10) {
            throw new IllegalArgumentException("'" + text + "' is no time: expected seconds.nanoseconds");
        }
        return new Timestamp(Long.parseLong(text.substring(0, dot)), Integer.parseInt(text.substring(dot + 1)));
    }
}
