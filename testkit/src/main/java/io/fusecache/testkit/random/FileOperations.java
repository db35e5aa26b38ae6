package io.fusecache.testkit.random;

import io.fusecache.testkit.random.FileOperation.*;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.random.RandomGenerator;

/**
 * The operations of a seed. They come in stretches, each within a size of its own, because a file of some bytes, one of a block
 * and one of several blocks are kept in different ways. Places near the borders of pages and blocks are more likely.
 */
final class FileOperations {
    static final int PAGE_BYTES = 4096;

    private static final int STRETCH = 400;
    private static final int BORDER_BYTES = 1 << 20;
    private static final int MAX_LENGTH = 256 << 10;
    private static final int[] REACHES = {3_000, 70_000, 1 << 20, (1 << 20) + 5000, 0, 0};

    private final RandomGenerator random;
    private final int maxBytes;
    private int reach;

    private FileOperations(long seed, int maxBytes) {
        this.random = new SplittableRandom(seed);
        this.maxBytes = maxBytes;
    }

    static List<FileOperation> of(long seed, int count, int maxBytes, Surroundings surroundings) {
        return new FileOperations(seed, maxBytes).list(count, surroundings);
    }

    private List<FileOperation> list(int count, Surroundings surroundings) {
        List<FileOperation> all = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            if (i % STRETCH == 0) {
                int chosen = REACHES[random.nextInt(REACHES.length)];
                reach = chosen == 0 ? maxBytes : Math.min(chosen, maxBytes);
                all.add(new Truncate(random.nextInt(reach), random.nextBoolean()));
            } else {
                all.add(next(i));
            }
        }
        for (Surroundings.Incident incident : surroundings.incidents()) {
            all.set(random.nextInt(count), new Happen(incident.name(), incident.closed()));
        }
        return all;
    }

    private FileOperation next(int fill) {
        int choice = random.nextInt(1000);
        if (choice < 180) {
            int offset = offset();
            return new Write(offset, length(offset), fill);
        } else if (choice < 350) {
            int offset = offset();
            return new Read(offset, length(offset));
        } else if (choice < 390) {
            return new Append(length(0), fill);
        } else if (choice < 450) {
            int offset = offset();
            return new MapRead(offset, length(offset), random.nextBoolean());
        } else if (choice < 540) {
            int offset = offset();
            Sync[] syncs = Sync.values();
            Sync sync = random.nextInt(4) > 0 ? Sync.NONE : syncs[random.nextInt(syncs.length)];
            return new MapWrite(offset, length(offset), fill, sync);
        } else if (choice < 600) {
            return new Truncate(offset(), random.nextInt(3) == 0);
        } else if (choice < 780) {
            return spacious(choice, fill);
        } else {
            return rarer(choice);
        }
    }

    private FileOperation spacious(int choice, int fill) {
        int offset = offset();
        int length = length(offset);
        if (choice < 640) {
            return new Punch(offset, length);
        } else if (choice < 670) {
            return new Zero(offset, length, random.nextBoolean());
        } else if (choice < 700) {
            return new Allocate(offset, length, random.nextInt(3) == 0);
        } else if (choice < 740) {
            int from = offset();
            return new Copy(from, offset, Math.min(length, maxBytes - from));
        }
        int page = offset / PAGE_BYTES * PAGE_BYTES;
        int pages = Math.min(Math.ceilDiv(length, PAGE_BYTES) * PAGE_BYTES, maxBytes - page);
        return choice < 765 ? new DirectWrite(page, pages, fill) : new DirectRead(page, pages);
    }

    private FileOperation rarer(int choice) {
        Handle[] handles = Handle.values();
        Handle handle = handles[random.nextInt(handles.length)];
        if (choice < 860) {
            return new Status();
        } else if (choice < 920) {
            return new Holes();
        } else if (choice < 935) {
            return new DropPages();
        } else if (choice < 943) {
            return new Fsync(handle, random.nextBoolean());
        } else if (choice < 968) {
            return new Close(handle);
        } else if (choice < 984) {
            return new CloseAll();
        } else if (choice < 988) {
            return new OpenTruncated();
        } else if (choice < 992) {
            return new Rename();
        } else {
            return new ReadAll();
        }
    }

    /** Below the reach of the stretch. */
    private int offset() {
        int anywhere = random.nextInt(reach);
        int border = switch (random.nextInt(6)) {
            case 0 -> PAGE_BYTES;
            case 1 -> BORDER_BYTES;
            default -> 1;
        };
        int near = border == 1 ? 0 : random.nextInt(-3, 4);
        return Math.clamp(anywhere / border * (long) border + near, 0, reach - 1);
    }

    /** At least one byte, and no more than fit; short ones are as likely as long ones. */
    private int length(int offset) {
        int bound = 1 << random.nextInt(1, 32 - Integer.numberOfLeadingZeros(MAX_LENGTH));
        int length = random.nextInt(8) == 0 ? bound : 1 + random.nextInt(bound);
        return Math.min(length, reach - offset);
    }
}
