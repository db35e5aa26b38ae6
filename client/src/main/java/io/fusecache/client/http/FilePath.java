package io.fusecache.client.http;

import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A path below the mount, from the percent-encoded path of a URI: names of any bytes, never "." or "..". */
public record FilePath(List<FileName> names) {
    /** PATH_MAX without its NUL. */
    static final int MAX_BYTES = 4095;

    public FilePath {
        names = List.copyOf(names);
    }

    /**
     * @param encoded without the route before it: {@code a/b%20c}
     * @throws HttpFailure 400 where it names nothing that could exist
     */
    static FilePath decode(String encoded) throws HttpFailure {
        List<FileName> names = new ArrayList<>();
        int bytes = 0;
        for (String part : encoded.split("/", -1)) {
            if (part.isEmpty() && names.isEmpty()) {
                continue;
            }
            byte[] name = decodeName(part);
            bytes += name.length + 1;
            try {
                names.add(FileName.of(name));
            } catch (ErrnoException wrong) {
                throw new HttpFailure(400, "invalid_path", wrong.getMessage());
            }
        }
        if (names.isEmpty()) {
            throw new HttpFailure(400, "invalid_path", "a path below /api/files/ is expected");
        }
        if (bytes > MAX_BYTES) {
            throw new HttpFailure(400, "path_too_long", "a path of " + bytes + " bytes: at most " + MAX_BYTES);
        }
        return new FilePath(names);
    }

    private static byte[] decodeName(String part) throws HttpFailure {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(part.length());
        byte[] raw = part.getBytes(StandardCharsets.UTF_8);
        for (int i = 0; i < raw.length; i++) {
            if (raw[i] != '%') {
                bytes.write(raw[i]);
                continue;
            }
            int high = i + 2 <= raw.length - 1 ? Character.digit(raw[i + 1], 16) : -1;
            int low = i + 2 <= raw.length - 1 ? Character.digit(raw[i + 2], 16) : -1;
            if (high < 0 || low < 0) {
                throw new HttpFailure(400, "invalid_path", "a '%' that two hexadecimal digits do not follow");
            }
            bytes.write(high << 4 | low);
            i += 2;
        }
        return bytes.toByteArray();
    }

    public FileName last() {
        return names.getLast();
    }

    public List<FileName> parents() {
        return names.subList(0, names.size() - 1);
    }

    @Override
    public String toString() {
        return "/" + String.join("/", names.stream().map(FileName::toString).toList());
    }
}
