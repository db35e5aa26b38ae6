package io.fusecache.coordinator.state;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;

/**
 * Which layout a database has: its record F, as {@code fuse-cache coordinator N}. One without has the first.
 *
 * <p>A number grows when older releases could not use what is written any more. Its fixture for {@code UpgradeTest} is kept then.
 */
public final class StateFormat {
    static final int NEWEST = 1;

    private static final String NAME = "fuse-cache coordinator ";
    private static final Pattern FORM = Pattern.compile(NAME + "([1-9]\\d{0,8})");
    /** A table or a log, which come behind CURRENT. */
    private static final Pattern OF_A_DATABASE = Pattern.compile("\\d+\\.(sst|log)");

    private static final int MOST_SHOWN = 60;

    private StateFormat() {}

    static byte[] record(int number) {
        return (NAME + number).getBytes(StandardCharsets.UTF_8);
    }

    /**
     * Refuses a database that this release does not know, or that has lost what was durable ({@link DurableMark}), and changes
     * nothing in it. Whatever else is wrong with one is found by whoever opens it.
     *
     * @param database a folder; nothing is asked of one that has no database
     * @param library a folder that takes RocksDB's library, where it is not installed
     * @throws IOException with one line that names the folder and the format
     */
    public static void check(Path database, Path library) throws IOException {
        if (!Files.exists(database.resolve("CURRENT"))) {
            checkEmpty(database);
            return;
        }
        NativeLibrary.load(library);
        byte[] found;
        long last;
        // Not even the log that was left is made part of the tables.
        try (Options options = new Options();
                RocksDB db = RocksDB.openReadOnly(options, database.toString())) {
            found = db.get(Keys.format());
            last = db.getLatestSequenceNumber();
        } catch (RocksDBException unreadable) {
            return;
        }
        check(database, found);
        DurableMark.check(database, last);
    }

    /** RocksDB would begin anew, and remove tables that belong to nothing. */
    private static void checkEmpty(Path database) throws IOException {
        if (!Files.isDirectory(database)) {
            return;
        }
        try (Stream<Path> files = Files.list(database)) {
            Optional<Path> left = files.filter(file ->
                            OF_A_DATABASE.matcher(file.getFileName().toString()).matches())
                    .min(Comparator.naturalOrder());
            if (left.isPresent()) {
                throw new IOException("data directory " + database + " is damaged: its file CURRENT is gone, and "
                        + left.get().getFileName() + " is there: bring the namespace back from a backup");
            }
        }
    }

    private static void check(Path database, byte @Nullable [] record) throws IOException {
        if (record == null) {
            return;
        }
        String text = new String(record, StandardCharsets.UTF_8);
        Matcher form = FORM.matcher(text);
        if (!form.matches()) {
            String shown = text.replaceAll("[^ -~]", "?");
            throw new IOException("data directory " + database + " is damaged: its format is '"
                    + shown.substring(0, Math.min(MOST_SHOWN, shown.length())) + "', and '" + NAME
                    + "N' is expected: bring the namespace back from a backup");
        }
        if (Integer.parseInt(form.group(1)) > NEWEST) {
            throw new IOException("data directory " + database + " has the format '" + text
                    + "', and this release knows formats up to " + NEWEST
                    + ": use the release that wrote it, or a newer one");
        }
    }
}
