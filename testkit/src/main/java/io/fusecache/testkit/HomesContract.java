package io.fusecache.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.cache.Disk;
import io.fusecache.cache.HomeReply;
import io.fusecache.cache.HomeRequest;
import io.fusecache.cache.Homes;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every {@link Homes} does: requests arrive as they were sent, and so do their answers. */
public abstract class HomesContract {
    protected static final Homes.Guest GUEST = new Homes.Guest(new NodeId("guest-1"), Long.MIN_VALUE + 7);
    private static final Disk.Stat STAT = new Disk.Stat(
            1L << 40, 4096, new Timestamp(1, 2), new Timestamp(-3, 999_999_999), new Timestamp(Long.MAX_VALUE, 0));

    protected final Arena memory = Arena.ofShared();
    protected final RecordingHost host = new RecordingHost();
    protected NodeAddress home;
    protected Homes homes;

    /** What a host was asked, and what it is to answer. */
    protected static final class RecordingHost implements Homes.Host {
        public final List<HomeRequest> requests = new CopyOnWriteArrayList<>();
        public final List<byte[]> written = new CopyOnWriteArrayList<>();
        public volatile byte[] content = {};
        public volatile HomeReply reply = new HomeReply.Done(0, null);

        @Override
        public HomeReply serve(Homes.Guest guest, HomeRequest request, MemorySegment data) {
            assertThat(guest).isEqualTo(GUEST);
            requests.add(request);
            if (request instanceof HomeRequest.Write || request instanceof HomeRequest.Append) {
                written.add(data.toArray(ValueLayout.JAVA_BYTE));
            } else if (request instanceof HomeRequest.Read(long ino, long handle, long offset)) {
                int count = (int) Math.max(0, Math.min(data.byteSize(), content.length - offset));
                MemorySegment.copy(content, (int) offset, data, ValueLayout.JAVA_BYTE, 0, count);
                return new HomeReply.Done(count, STAT);
            }
            return reply;
        }
    }

    /** Starts a node that serves this host. */
    protected abstract NodeAddress serve(Homes.Host served) throws Exception;

    protected abstract Homes open() throws Exception;

    @BeforeEach
    void startBoth() throws Exception {
        home = serve(host);
        homes = open();
    }

    @AfterEach
    void closeHomes() throws Exception {
        homes.close();
        memory.close();
    }

    protected final HomeReply ask(HomeRequest request) throws Exception {
        return homes.ask(home, GUEST, request, MemorySegment.NULL);
    }

    protected final MemorySegment bytes(int size, long seed) {
        byte[] bytes = new byte[size];
        new Random(seed).nextBytes(bytes);
        MemorySegment segment = memory.allocate(Math.max(1, size)).asSlice(0, size);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, size);
        return segment;
    }

    @Test
    void everyRequestArrivesAsItIs() throws Exception {
        List<HomeRequest> all = List.of(
                new HomeRequest.Open(1, 1, false),
                new HomeRequest.Open((1L << 48) - 1, Long.MAX_VALUE, true),
                new HomeRequest.Truncate(2, 3, 4, 1L << 50),
                new HomeRequest.Allocate(2, 3, 4, 0x13, 5, Long.MAX_VALUE),
                new HomeRequest.Seek(2, 3, -1, 4),
                new HomeRequest.Sync(2, 3, true),
                new HomeRequest.Sync(2, 3, false),
                new HomeRequest.Flush(2, 3),
                new HomeRequest.Release(2, 3),
                new HomeRequest.Inspect(2),
                new HomeRequest.SetTimes(2, null, null),
                new HomeRequest.SetTimes(2, new Timestamp(-1, 5), new Timestamp(7, 0)),
                new HomeRequest.KeepAlive(0, List.of()),
                new HomeRequest.KeepAlive(
                        70_000,
                        LongStream.rangeClosed(1, HomeRequest.MAX_HANDLES)
                                .boxed()
                                .toList()));
        for (HomeRequest request : all) {
            assertThat(ask(request)).isEqualTo(new HomeReply.Done(0, null));
        }
        assertThat(host.requests).isEqualTo(all);
    }

    @Test
    void everyReplyArrivesAsItIs() throws Exception {
        for (HomeReply reply : List.of(
                new HomeReply.Done(Long.MAX_VALUE, STAT),
                new HomeReply.Done(0, null),
                new HomeReply.NotHome(),
                new HomeReply.Failed(Errno.ENOSPC, "the disk is full, \u00e4hm"),
                new HomeReply.Failed(Errno.EDQUOT, ""))) {
            host.reply = reply;
            assertThat(ask(new HomeRequest.Inspect(2))).isEqualTo(reply);
        }
    }

    @Test
    void bytesArriveInBothDirections() throws Exception {
        for (int size : new int[] {0, 1, 65_535, 65_536, 65_537, HomeRequest.MAX_BYTES}) {
            MemorySegment sent = bytes(size, size);
            byte[] expected = sent.toArray(ValueLayout.JAVA_BYTE);
            assertThat(homes.ask(home, GUEST, new HomeRequest.Write(2, 3, size, 9), sent))
                    .isEqualTo(new HomeReply.Done(0, null));
            assertThat(homes.ask(home, GUEST, new HomeRequest.Append(2, 3, size), sent))
                    .isEqualTo(new HomeReply.Done(0, null));
            assertThat(host.written.removeFirst()).isEqualTo(expected);
            assertThat(host.written.removeFirst()).isEqualTo(expected);

            host.content = expected;
            MemorySegment target = memory.allocate(Math.max(1, size)).asSlice(0, size);
            assertThat(homes.ask(home, GUEST, new HomeRequest.Read(2, 3, 0), target))
                    .isEqualTo(new HomeReply.Done(size, STAT));
            assertThat(target.toArray(ValueLayout.JAVA_BYTE)).isEqualTo(expected);
        }
    }

    @Test
    void aReadAtTheEndBringsWhatThereIs() throws Exception {
        host.content = new byte[] {1, 2, 3, 4, 5};
        MemorySegment target = memory.allocate(10);
        assertThat(homes.ask(home, GUEST, new HomeRequest.Read(2, 3, 3), target))
                .isEqualTo(new HomeReply.Done(2, STAT));
        assertThat(target.toArray(ValueLayout.JAVA_BYTE)).startsWith(4, 5, 0);
        host.content = new byte[] {};
        assertThat(homes.ask(home, GUEST, new HomeRequest.Read(2, 3, 0), target))
                .isEqualTo(new HomeReply.Done(0, STAT));
    }

    @Test
    void manyAskAtOnce() throws Exception {
        try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<HomeReply>> answers = new ArrayList<>();
            for (int i = 1; i <= 200; i++) {
                HomeRequest request = new HomeRequest.Append(2, i, 1);
                MemorySegment data = bytes(1000, i);
                answers.add(threads.submit(() -> homes.ask(home, GUEST, request, data)));
            }
            for (Future<HomeReply> answer : answers) {
                assertThat(answer.get(60, TimeUnit.SECONDS)).isEqualTo(new HomeReply.Done(0, null));
            }
        }
        assertThat(host.written).hasSize(200);
    }
}
