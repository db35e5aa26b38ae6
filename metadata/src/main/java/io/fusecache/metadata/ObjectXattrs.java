package io.fusecache.metadata;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;

/**
 * The extended attributes of a file as one value of its object's metadata: {@code fusecache-xattrs}, base64url of name and
 * value pairs, each with its length before (one byte, two bytes), in order of names.
 *
 * <p>S3 allows 2 KB of metadata in all, so attributes of more than {@value #MAX_BYTES} bytes do not ride along. A value that
 * does not parse is as absent.
 */
public final class ObjectXattrs {
    static final String KEY = "fusecache-xattrs";
    static final int MAX_BYTES = 1_024;

    private ObjectXattrs() {}

    /** The metadata of {@code object} with those attributes, if they fit. */
    public static Map<String, String> add(Map<String, String> object, Map<FileName, byte[]> attributes) {
        if (attributes.isEmpty()) {
            return object;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (DataOutputStream out = new DataOutputStream(bytes)) {
            for (Map.Entry<FileName, byte[]> attribute : new TreeMap<>(attributes).entrySet()) {
                if (bytes.size() + attribute.getValue().length > MAX_BYTES) {
                    return object;
                }
                out.writeByte(attribute.getKey().length());
                out.write(attribute.getKey().toBytes());
                out.writeShort(attribute.getValue().length);
                out.write(attribute.getValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        if (bytes.size() > MAX_BYTES) {
            return object;
        }
        Map<String, String> with = new TreeMap<>(object);
        with.put(KEY, Base64.getUrlEncoder().withoutPadding().encodeToString(bytes.toByteArray()));
        return Map.copyOf(with);
    }

    /** The attributes that ride with an object; none where it has none, or a stranger's. */
    public static Map<FileName, byte[]> parse(Map<String, String> object) {
        String text = object.get(KEY);
        if (text == null) {
            return Map.of();
        }
        Map<FileName, byte[]> attributes = new TreeMap<>();
        try (DataInputStream in = new DataInputStream(
                new ByteArrayInputStream(Base64.getUrlDecoder().decode(text)))) {
            while (in.available() > 0) {
                byte[] name = new byte[in.readUnsignedByte()];
                in.readFully(name);
                byte[] value = new byte[in.readUnsignedShort()];
                in.readFully(value);
                FileName attribute = FileName.ofAttribute(name);
                if (!AccessControlList.names(attribute) || AccessControlList.parse(value) != null) {
                    attributes.put(attribute, value);
                }
            }
        } catch (IOException | ErrnoException | IllegalArgumentException foreign) {
            return Map.of();
        }
        return attributes;
    }
}
