package io.fusecache.tiers.cloud.file;

import io.fusecache.tiers.cloud.RefusedException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Keys as paths below one folder, and back.
 *
 * <p>A key's UTF-8 bytes are the path's bytes, whatever the locale of the process: Java would otherwise encode names as
 * the locale says, and refuse most of them in the C locale. Hence names beyond ASCII go through file URIs, which carry bytes.
 * A file whose name is not UTF-8 has no key.
 */
final class KeyPaths {
    /** Where fuse-cache keeps what is not an object, at the root of the folder; and records of its own, which are objects. */
    static final String RESERVED = ".fusecache";

    static final String TEMPORARY = "tmp";
    static final String ATTRIBUTES = "attributes";
    static final String LOCK = "lock";

    private static final int MAX_KEY_BYTES = 1024;
    private static final int MAX_NAME_BYTES = 255;
    private static final String UNRESERVED = "-._~";

    private final Path root;

    /** @param root without a symbolic link in it */
    KeyPaths(Path root) {
        this.root = root;
    }

    Path root() {
        return root;
    }

    Path reserved(String name) {
        return root.resolve(RESERVED).resolve(name);
    }

    static boolean marker(String key) {
        return key.endsWith("/");
    }

    /** The file of a key, or the folder of a marker. Below the root, always. */
    Path path(String key) throws RefusedException {
        String bare = marker(key) ? key.substring(0, key.length() - 1) : key;
        byte[] bytes = check(key, bare);
        return bytes.length == bare.length() ? root.resolve(bare) : resolveBytes(root, bytes);
    }

    /** What has that name, of at most 255 bytes, in a folder. */
    Path entry(Path folder, String name) {
        return ascii(name) ? folder.resolve(name) : resolveBytes(folder, name.getBytes(StandardCharsets.UTF_8));
    }

    /** The folder whose names follow a prefix that is empty or ends in '/'. */
    Path folder(String prefix) throws RefusedException {
        if (!prefix.isEmpty() && !marker(prefix)) {
            throw new RefusedException("prefix '" + prefix + "' does not end in '/'");
        }
        return prefix.isEmpty() ? root : path(prefix);
    }

    private static byte[] check(String key, String bare) throws RefusedException {
        byte[] bytes = utf8(key, bare);
        if (bytes.length > MAX_KEY_BYTES) {
            throw new RefusedException("a key of " + bytes.length + " bytes: at most " + MAX_KEY_BYTES);
        }
        int depth = 0;
        String first = "";
        for (String name : bare.split("/", -1)) {
            if (name.isEmpty() || name.equals(".") || name.equals("..") || name.indexOf('\0') >= 0) {
                throw new RefusedException("key '%s': '%s' can name no file".formatted(key, name));
            }
            if (name.length() * 3 > MAX_NAME_BYTES && utf8(key, name).length > MAX_NAME_BYTES) {
                throw new RefusedException(
                        "key '%s': '%s' is longer than %d bytes".formatted(key, name, MAX_NAME_BYTES));
            }
            if (depth == 0) {
                first = name;
            } else if (depth == 1 && first.equals(RESERVED) && keptOut(name)) {
                throw new RefusedException("key '" + key + "' is where the folder itself keeps records");
            }
            depth++;
        }
        return bytes;
    }

    /** Whether an entry of the reserved folder is no object. */
    static boolean keptOut(String name) {
        return name.equals(TEMPORARY) || name.equals(ATTRIBUTES) || name.equals(LOCK);
    }

    private static byte[] utf8(String key, String text) throws RefusedException {
        try {
            ByteBuffer bytes = StandardCharsets.UTF_8.newEncoder().encode(CharBuffer.wrap(text));
            byte[] array = new byte[bytes.remaining()];
            bytes.get(array);
            return array;
        } catch (CharacterCodingException unpaired) {
            throw new RefusedException("key '" + key + "' is no Unicode text", unpaired);
        }
    }

    private static Path resolveBytes(Path folder, byte[] bytes) {
        StringBuilder uri = new StringBuilder("file://").append(folder.toUri().getRawPath());
        if (uri.charAt(uri.length() - 1) != '/') {
            uri.append('/');
        }
        for (byte b : bytes) {
            char c = (char) (b & 0xff);
            boolean plain = c < 0x80 && (Character.isLetterOrDigit(c) || c == '/' || UNRESERVED.indexOf(c) >= 0);
            if (plain) {
                uri.append(c);
            } else {
                uri.append('%').append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
            }
        }
        return Path.of(URI.create(uri.toString()));
    }

    /** The name of an entry of a folder; empty where its bytes are not UTF-8. */
    static Optional<String> name(Path entry) throws IOException {
        Path last = entry.getFileName();
        if (last == null) {
            throw new IOException("'" + entry + "' has no name");
        }
        String text = last.toString();
        // Every locale of Linux decodes ASCII bytes, and only those, to ASCII.
        if (ascii(text)) {
            return Optional.of(text);
        }
        String raw = entry.toUri().getRawPath();
        int end = raw.endsWith("/") ? raw.length() - 1 : raw.length();
        return decode(raw.substring(raw.lastIndexOf('/', end - 1) + 1, end));
    }

    private static boolean ascii(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return false;
            }
        }
        return true;
    }

    private static Optional<String> decode(String raw) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(raw.length());
        for (int i = 0; i < raw.length(); i++) {
            if (raw.charAt(i) == '%') {
                bytes.write(Integer.parseInt(raw, i + 1, i + 3, 16));
                i += 2;
            } else {
                bytes.write(raw.charAt(i));
            }
        }
        try {
            return Optional.of(StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.toByteArray()))
                    .toString());
        } catch (CharacterCodingException notUtf8) {
            return Optional.empty();
        }
    }
}
