package io.fusecache.fuse.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Messages of the kernel, mutated at random, through the decoder: decoded or refused, never anything else, and never read
 * past their end. A failure names its seed; {@code -Dfuse.fuzz.seed=N} replays it.
 */
class CodecFuzzTest {
    private static final int ROUNDS = 100_000;
    private static final int[] TELLING = {0, 1, -1, 7, 8, 31, 32, 40, 255, 4096, 0x7fffffff, 0x80000000, 0x10000000};

    @Test
    void mutatedMessagesAreDecodedOrRefused() {
        long seed = Long.getLong("fuse.fuzz.seed", System.nanoTime());
        Random random = new Random(seed);
        List<byte[]> seeds = KernelDumps.ALL.stream().map(KernelDumps::bytes).toList();
        int decoded = 0;
        for (int round = 0; round < ROUNDS; round++) {
            byte[] message = mutate(random, seeds.get(random.nextInt(seeds.size())));
            try {
                if (decode(message)) {
                    decoded++;
                }
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError(
                        "seed " + seed + ", round " + round + ": "
                                + java.util.HexFormat.of().formatHex(message),
                        e);
            }
        }
        // Were nearly all refused at the header, nothing behind it would have been tried.
        assertThat(decoded).isGreaterThan(ROUNDS / 20);
    }

    private static byte[] mutate(Random random, byte[] seed) {
        byte[] message =
                Arrays.copyOf(seed, Math.max(0, seed.length + (random.nextInt(4) == 0 ? random.nextInt(65) - 32 : 0)));
        for (int n = random.nextInt(4); n > 0 && message.length >= 4; n--) {
            int at = random.nextInt(message.length);
            if (random.nextBoolean()) {
                message[at] = (byte) random.nextInt();
            } else {
                int value = random.nextBoolean() ? TELLING[random.nextInt(TELLING.length)] : random.nextInt();
                ByteBuffer.wrap(message)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putInt(Math.min(at & ~3, message.length - 4), value);
            }
        }
        if (message.length >= 40 && random.nextInt(10) != 0) {
            ByteBuffer header = ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN);
            header.putInt(0, message.length);
            if (random.nextBoolean()) {
                header.putInt(4, 1 + random.nextInt(54));
            }
            if (random.nextBoolean()) {
                header.putShort(36, (short) random.nextInt(8));
            }
        }
        return message;
    }

    /** Whether it was decoded; the segment ends where the message does, so that reading on would throw. */
    static boolean decode(byte[] message) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment segment = arena.allocateFrom(ValueLayout.JAVA_BYTE, message);
            FuseRequest request = new RequestDecoder(message.length % 2 == 0).decode(segment, message.length);
            return request.header() != null;
        } catch (MalformedRequest e) {
            return false;
        }
    }
}
