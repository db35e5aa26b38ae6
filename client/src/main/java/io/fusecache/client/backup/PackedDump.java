package io.fusecache.client.backup;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/** A dump on its way into a file, packed, and what its first line says; one that has no end line is not whole. */
final class PackedDump {
    private static final byte[] END = "{\"kind\":\"end\",".getBytes(StandardCharsets.UTF_8);
    private static final int LAST_BYTES = 512;
    private static final int FIRST_BYTES = 4096;
    private static final Pattern NAMESPACE = Pattern.compile("\"namespace\":\"([^\"\\\\]+)\"");

    private PackedDump() {}

    /** Returns the namespace that it is of. */
    static String write(Backups.Source dump, Path file) throws IOException, InterruptedException {
        byte[] first = new byte[0];
        byte[] last = new byte[0];
        byte[] part = new byte[64 << 10];
        try (InputStream in = dump.open();
                OutputStream out = new GZIPOutputStream(Files.newOutputStream(file), 64 << 10)) {
            for (int read = in.read(part); read >= 0; read = in.read(part)) {
                out.write(part, 0, read);
                if (first.length < FIRST_BYTES) {
                    int before = first.length;
                    first = Arrays.copyOf(first, Math.min(FIRST_BYTES, before + read));
                    System.arraycopy(part, 0, first, before, first.length - before);
                }
                last = last(last, part, read);
            }
        }
        if (!endsWhole(last)) {
            throw new IOException("the coordinator's dump broke off: it has no end line");
        }
        return namespace(first).orElseThrow(() -> new IOException("what came is no dump: it names no namespace"));
    }

    /** Of a dump that begins so; empty where that is none. */
    private static Optional<String> namespace(byte[] first) {
        String text = new String(first, StandardCharsets.UTF_8);
        int end = text.indexOf('\n');
        Matcher found = NAMESPACE.matcher(end < 0 ? text : text.substring(0, end));
        return found.find() ? Optional.of(found.group(1)) : Optional.empty();
    }

    /** Of a packed dump that begins so; empty where that is none. */
    static Optional<String> namespaceOfPacked(byte[] packed) {
        ByteArrayOutputStream first = new ByteArrayOutputStream();
        try (InputStream in = new GZIPInputStream(new ByteArrayInputStream(packed))) {
            for (int next = in.read(); next >= 0 && next != '\n' && first.size() < FIRST_BYTES; next = in.read()) {
                first.write(next);
            }
        } catch (IOException cutOrForeign) {
            return Optional.empty();
        }
        return namespace(first.toByteArray());
    }

    private static byte[] last(byte[] before, byte[] part, int bytes) {
        int kept = Math.min(before.length, Math.max(0, LAST_BYTES - bytes));
        int added = Math.min(bytes, LAST_BYTES);
        byte[] last = new byte[kept + added];
        System.arraycopy(before, before.length - kept, last, 0, kept);
        System.arraycopy(part, bytes - added, last, kept, added);
        return last;
    }

    private static boolean endsWhole(byte[] last) {
        String text = new String(last, StandardCharsets.UTF_8);
        int line = text.lastIndexOf('\n', text.length() - 2) + 1;
        return text.endsWith("\n") && text.startsWith(new String(END, StandardCharsets.UTF_8), line);
    }
}
