package io.fusecache.tiers.nvme;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.testkit.ChannelDisk;
import io.fusecache.testkit.RandomRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RecordJournalTest {
    private static final int BLOCK = 4096;

    @TempDir
    Path directory;

    private RecordJournal journal(Path path) {
        return new RecordJournal(new ChannelDisk(), path, 5, 2);
    }

    private @Nullable FileRecord read(Path path) throws IOException {
        RecordJournal journal = journal(path);
        FileRecord record = journal.read();
        journal.close();
        return record;
    }

    /** Random changes; returns the length of the file and the record after each of them. */
    private List<FileRecord> write(Path path, RandomGenerator random, int changes) throws IOException {
        FileVersion version = new FileVersion(5, 1, 20L * BLOCK, BLOCK, null, null);
        FileRecord record = new FileRecord(version, 1234);
        RecordJournal journal = journal(path);
        List<FileRecord> states = new ArrayList<>();
        for (int i = 0; i < changes; i++) {
            change(journal, record, random);
            FileRecord now = read(path);
            assertThat(now).isEqualTo(record);
            states.add(java.util.Objects.requireNonNull(now));
        }
        journal.close();
        return states;
    }

    private void change(RecordJournal journal, FileRecord record, RandomGenerator random) throws IOException {
        int block = random.nextInt(20);
        switch (random.nextInt(7)) {
            case 0 -> {
                int[] sealed = record.version.checksums();
                int checksum = sealed != null && block < sealed.length ? sealed[block] : random.nextInt();
                if (block < record.version.blocks()) {
                    record.stored(block, checksum);
                    journal.appendStored(record, block, checksum);
                } else {
                    journal.appendState(record);
                }
            }
            case 1 -> {
                record.dropped(block);
                journal.appendDropped(record, block);
            }
            case 2 -> {
                record.dirtied(block, block + 2);
                journal.appendDirtied(record, block, block + 2);
            }
            case 3 -> {
                record.writing = true;
                record.unpersisted = true;
                journal.appendWriting(record);
            }
            case 4 -> {
                ObjectRef object = new ObjectRef("some/key-" + random.nextInt(), "etag" + random.nextInt());
                record.persisted(object);
                journal.appendPersisted(record, object);
            }
            case 5 -> {
                int[] sums = random.ints(record.version.blocks()).toArray();
                if (!record.version.sealed() && !record.writing) {
                    record.sealed(sums);
                    journal.appendSealed(record, sums);
                } else {
                    journal.appendState(record);
                }
            }
            default -> {
                long size = random.nextLong(30L * BLOCK);
                record.committed(
                        new FileVersion(5, record.version.version() + 1, size, BLOCK, null, null),
                        random.nextBoolean(),
                        random.nextLong(1, 1L << 40));
                journal.appendState(record);
            }
        }
    }

    @Test
    void readsBackWhatWasWritten() {
        RandomRun.of(20, random -> write(directory.resolve("r" + random.nextLong()), random, 300));
    }

    @Test
    void cutAnywhereItSaysWhatOnceWasTrueOrNothing() {
        RandomRun.of(2, random -> {
            Path path = directory.resolve("r" + random.nextLong());
            List<FileRecord> states = write(path, random, 12);
            byte[] whole = Files.readAllBytes(path);
            Path cut = directory.resolve("cut");
            for (int length = 0; length < whole.length; length++) {
                Files.write(cut, Arrays.copyOf(whole, length));
                FileRecord found = read(cut);
                assertThat(found == null || states.contains(found))
                        .as("cut at %d", length)
                        .isTrue();
            }
        });
    }

    @Test
    void withAnyBitFlippedItSaysWhatOnceWasTrueOrNothing() {
        RandomRun.of(1, random -> {
            Path path = directory.resolve("r" + random.nextLong());
            List<FileRecord> states = write(path, random, 6);
            byte[] whole = Files.readAllBytes(path);
            Path flipped = directory.resolve("flipped");
            for (int bit = 0; bit < whole.length * 8; bit++) {
                byte[] bytes = whole.clone();
                bytes[bit / 8] ^= (byte) (1 << (bit % 8));
                Files.write(flipped, bytes);
                FileRecord found = read(flipped);
                assertThat(found == null || states.contains(found))
                        .as("bit %d", bit)
                        .isTrue();
            }
        });
    }

    @Test
    void whatLayBehindATornEntryNeverComesBack() throws IOException {
        Path path = directory.resolve("r");
        RecordJournal journal = journal(path);
        FileRecord record = new FileRecord(new FileVersion(5, 1, 20L * BLOCK, BLOCK, null, null), 1);
        journal.appendState(record);
        int afterState = (int) Files.size(path);
        for (int block = 0; block < 3; block++) {
            record.stored(block, block);
            journal.appendStored(record, block, block);
        }
        journal.close();
        byte[] bytes = Files.readAllBytes(path);
        bytes[afterState + 10] ^= 1;
        Files.write(path, bytes);
        RecordJournal again = journal(path);
        FileRecord found = java.util.Objects.requireNonNull(again.read());
        assertThat(again.tornTail()).isTrue();
        assertThat(found.present.isEmpty()).isTrue();
        // As long as the torn entry was: the valid ones behind it would follow on.
        found.stored(9, 9);
        again.appendStored(found, 9, 9);
        again.close();
        assertThat(read(path)).isEqualTo(found);
    }

    @Test
    void anotherFilesRecordIsNotBelieved() throws IOException {
        Path path = directory.resolve("r");
        RecordJournal journal = new RecordJournal(new ChannelDisk(), path, 6, 2);
        journal.appendState(new FileRecord(FileVersion.empty(6, BLOCK), 1));
        journal.close();
        assertThat(read(path)).isNull();
    }
}
