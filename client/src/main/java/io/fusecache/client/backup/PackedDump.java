package io.fusecache.client.backup;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.GZIPOutputStream;

/** A dump on its way into a file, packed; one that has no end line is not whole. */
final class PackedDump {
    private static final byte[] END = "{\"kind\":\"end\",".getBytes(StandardCharsets.UTF_8);
    private static final int LAST_BYTES = 512;

    private PackedDump() {}

    static void write(Backups.Source dump, Path file) throws IOException, InterruptedException {
        byte[] last = new byte[0];
        byte[] part = new byte[64 << 10];
        try (InputStream in = dump.open();
                OutputStream out = new GZIPOutputStream(Files.newOutputStream(file), 64 << 10)) {
            for (int read = in.read(part); read >= 0; read = in.read(part)) {
                out.write(part, 0, read);
                last = last(last, part, read);
            }
        }
        if (!endsWhole(last)) {
            throw new IOException("the coordinator's dump broke off: it has no end line");
        }
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
