package io.fusecache.tiers.cloud;

import io.fusecache.tiers.cloud.ObjectStore.Upload;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.zip.CRC32C;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What this node knows of its uploads that are not complete, one small file each in a directory of its own: so that after a restart it goes
 * on with them, or drops them.
 *
 * <p>A note is on the disk before the first part is sent, and one that a crash tore is told by its checksum and dropped. Losing one costs
 * no bytes of anybody: its upload is begun anew, and the parts of the old one stay in the bucket. One key has one note.
 */
public final class UploadNotes {
    private static final Logger LOG = LoggerFactory.getLogger(UploadNotes.class);
    private static final int FORMAT = 1;
    private static final String SUFFIX = ".upload";

    private final Path directory;
    private final InstantSource clock;
    private final ConcurrentHashMap<String, Note> notes = new ConcurrentHashMap<>();

    /**
     * @param bucket that the upload is in, see {@link ObjectStore#name}
     * @param version of the bytes, see {@code CloudTier.RangeReader}
     * @param used when the upload was begun or gone on with
     */
    record Note(String bucket, String version, Upload upload, Instant used) {}

    private UploadNotes(Path directory, InstantSource clock) {
        this.directory = directory;
        this.clock = clock;
    }

    /** Makes the directory, and reads what is there. */
    public static UploadNotes open(Path directory, InstantSource clock) throws IOException {
        Files.createDirectories(directory);
        UploadNotes notes = new UploadNotes(directory, clock);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
            for (Path file : files) {
                notes.load(file);
            }
        }
        return notes;
    }

    private void load(Path file) throws IOException {
        Optional<Note> note =
                file.toString().endsWith(SUFFIX) ? parse(Files.readAllBytes(file)) : Optional.<Note>empty();
        if (note.isPresent()) {
            notes.put(note.get().upload().key(), note.get());
        } else {
            LOG.warn("{} is no whole note of an upload: it is dropped", file);
            Files.deleteIfExists(file);
        }
    }

    Optional<Note> find(String key) {
        return Optional.ofNullable(notes.get(key));
    }

    List<Note> all() {
        return List.copyOf(notes.values());
    }

    Instant now() {
        return clock.instant();
    }

    /** On the disk when it returns; replaces the note of that key. */
    void write(String bucket, String version, Upload upload) throws IOException {
        Note note = new Note(bucket, version, upload, clock.instant());
        Path file = file(upload.key());
        Path draft = file.resolveSibling(file.getFileName() + ".new");
        try (FileChannel channel = FileChannel.open(
                draft, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE)) {
            ByteBuffer bytes = ByteBuffer.wrap(bytes(note));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
        try (FileChannel parent = FileChannel.open(directory, StandardOpenOption.READ)) {
            parent.force(true);
        }
        notes.put(upload.key(), note);
    }

    /** One that comes back after a crash is of an upload that has ended, which whoever goes on with it finds out. */
    void remove(String key) {
        notes.remove(key);
        try {
            Files.deleteIfExists(file(key));
        } catch (IOException left) {
            LOG.warn("the note of the upload of '{}' stays: {}", key, left.toString());
        }
    }

    private Path file(String key) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(key.getBytes(StandardCharsets.UTF_8));
            return directory.resolve(HexFormat.of().formatHex(digest) + SUFFIX);
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    private static byte[] bytes(Note note) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        Upload upload = note.upload();
        out.writeInt(FORMAT);
        out.writeUTF(note.bucket());
        out.writeUTF(note.version());
        out.writeUTF(upload.key());
        out.writeUTF(upload.id());
        out.writeLong(upload.size());
        out.writeLong(upload.partBytes());
        out.writeLong(note.used().toEpochMilli());
        out.writeInt(upload.attributes().size());
        for (Map.Entry<String, String> attribute : upload.attributes().entrySet()) {
            out.writeUTF(attribute.getKey());
            out.writeUTF(attribute.getValue());
        }
        out.writeInt(checksum(bytes.toByteArray(), bytes.size()));
        return bytes.toByteArray();
    }

    private static Optional<Note> parse(byte[] bytes) throws IOException {
        int length = bytes.length - Integer.BYTES;
        if (length < Integer.BYTES || ByteBuffer.wrap(bytes).getInt(length) != checksum(bytes, length)) {
            return Optional.empty();
        }
        DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes));
        if (in.readInt() != FORMAT) {
            return Optional.empty();
        }
        String bucket = in.readUTF();
        String version = in.readUTF();
        String key = in.readUTF();
        String id = in.readUTF();
        long size = in.readLong();
        long partBytes = in.readLong();
        Instant used = Instant.ofEpochMilli(in.readLong());
        Map<String, String> attributes = new LinkedHashMap<>();
        for (int left = in.readInt(); left > 0; left--) {
            attributes.put(in.readUTF(), in.readUTF());
        }
        return Optional.of(new Note(bucket, version, new Upload(key, id, size, partBytes, attributes), used));
    }

    private static int checksum(byte[] bytes, int length) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }
}
