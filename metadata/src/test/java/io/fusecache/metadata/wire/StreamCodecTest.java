package io.fusecache.metadata.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import io.fusecache.metadata.proto.Wire;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

final class StreamCodecTest {
    private static final int ROUNDS = 30;

    static Stream<Class<?>> operations() {
        return RandomRecord.recordsOf(Operation.class).stream();
    }

    static Stream<Class<?>> results() {
        return RandomRecord.recordsOf(Answer.Result.class).stream();
    }

    @ParameterizedTest
    @MethodSource("operations")
    void everyOperationArrivesAsItLeft(Class<?> type) throws Exception {
        for (long seed = 0; seed < ROUNDS; seed++) {
            Operation operation = (Operation) new RandomRecord(seed).of(type);
            arrives(new Upstream.Request(3, seed + 1, seed % 2 == 0, operation), seed);
        }
    }

    @ParameterizedTest
    @MethodSource("results")
    void everyResultArrivesAsItLeft(Class<?> type) throws Exception {
        for (long seed = 0; seed < ROUNDS; seed++) {
            RandomRecord records = new RandomRecord(seed);
            Answer answer = (Answer) records.of(Answer.class);
            Answer withResult =
                    new Answer(answer.failure(), (Answer.Result) records.of(type), answer.inodes(), answer.names());
            arrives(new Downstream.Reply(1, seed, withResult), seed);
        }
    }

    @Test
    void everyOtherMessageArrivesAsItLeft() throws Exception {
        for (long seed = 0; seed < ROUNDS; seed++) {
            RandomRecord records = new RandomRecord(seed);
            for (Class<?> type : RandomRecord.recordsOf(Upstream.class)) {
                arrives((Upstream) records.of(type), seed);
            }
            for (Class<?> type : RandomRecord.recordsOf(Downstream.class)) {
                arrives((Downstream) records.of(type), seed);
            }
            Hello hello = (Hello) records.of(Hello.class);
            assertThat(StreamCodec.hello(
                            Wire.Upstream.parseFrom(StreamCodec.encode(hello).toByteArray())))
                    .as("seed %d", seed)
                    .isEqualTo(hello);
            Welcome welcome = (Welcome) records.of(Welcome.class);
            assertThat(StreamCodec.welcome(Wire.Downstream.parseFrom(
                            StreamCodec.encode(welcome).toByteArray())))
                    .as("seed %d", seed)
                    .isEqualTo(welcome);
        }
    }

    private static void arrives(Upstream message, long seed) throws Exception {
        same(
                StreamCodec.decode(
                        Wire.Upstream.parseFrom(StreamCodec.encode(message).toByteArray())),
                message,
                seed);
    }

    private static void arrives(Downstream message, long seed) throws Exception {
        same(
                StreamCodec.decode(
                        Wire.Downstream.parseFrom(StreamCodec.encode(message).toByteArray())),
                message,
                seed);
    }

    private static void same(Object arrived, Object sent, long seed) {
        assertThat(arrived).as("seed %d", seed).usingRecursiveComparison().isEqualTo(sent);
    }

    @Test
    void whatIsNoRecordIsRefusedByName() {
        refused(Wire.Upstream.getDefaultInstance(), "no known kind");
        refused(upstream(Wire.Request.newBuilder()), "without a known operation");
        refused(upstream(Wire.Request.newBuilder().setReadInode(1L << 48)), "inode number");
        refused(upstream(Wire.Request.newBuilder().setReadInode(-1)), "inode number");
        refused(upstream(Wire.Request.newBuilder().setSlot(-1).setReadInode(1)), "slot 4294967295");
        refused(upstream(Wire.Request.newBuilder().setLookup(named("a/b"))), "EINVAL");
        refused(upstream(Wire.Request.newBuilder().setLookup(named(".."))), "EINVAL");
        refused(upstream(Wire.Request.newBuilder().setLookup(named(""))), "EINVAL");
        refused(upstream(Wire.Request.newBuilder().setLookup(named("x".repeat(256)))), "ENAMETOOLONG");
        refused(
                upstream(Wire.Request.newBuilder()
                        .setCreate(Wire.Create.newBuilder().setParent(1).setName(ByteString.copyFromUtf8("f")))),
                "names no file type");
        refused(
                upstream(Wire.Request.newBuilder()
                        .setCommit(Wire.Commit.newBuilder()
                                .setContent(Wire.FileVersion.newBuilder()
                                        .setSize(1)
                                        .setBlockBytes(4096)
                                        .setSealed(true)))),
                "0 checksums for 1 blocks");
        refused(
                upstream(Wire.Request.newBuilder()
                        .setCommit(Wire.Commit.newBuilder()
                                .setContent(Wire.FileVersion.newBuilder()
                                        .setSize(Long.MAX_VALUE)
                                        .setBlockBytes(4096)
                                        .setSealed(true)))),
                "overflow");
        refused(
                upstream(Wire.Request.newBuilder()
                        .setBeginWrite(Wire.BeginWrite.newBuilder().setIno(1).setWaitNanos(-1))),
                "nanoseconds");
        assertThatThrownBy(() -> StreamCodec.hello(Wire.Upstream.newBuilder()
                        .setHello(Wire.Hello.getDefaultInstance())
                        .build()))
                .isInstanceOf(MalformedException.class)
                .hasMessageContaining("node id ''");
        assertThatThrownBy(() -> StreamCodec.welcome(Wire.Downstream.getDefaultInstance()))
                .isInstanceOf(MalformedException.class);
        assertThatThrownBy(() -> StreamCodec.decode(Wire.Downstream.newBuilder()
                        .setReply(Wire.Reply.newBuilder())
                        .build()))
                .isInstanceOf(MalformedException.class)
                .hasMessageContaining("without a known result");
    }

    private static Wire.Name named(String name) {
        return Wire.Name.newBuilder()
                .setInode(1)
                .setName(ByteString.copyFromUtf8(name))
                .build();
    }

    private static Wire.Upstream upstream(Wire.Request.Builder request) {
        return Wire.Upstream.newBuilder().setRequest(request).build();
    }

    private static void refused(Wire.Upstream message, String naming) {
        assertThatThrownBy(() -> StreamCodec.decode(message))
                .isInstanceOf(MalformedException.class)
                .hasMessageContaining(naming);
    }

    /** Bytes of real messages, changed, cut and mixed: a record or a refusal, never another exception. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void mangledBytesAreRecordsOrRefusals(long seed) throws Exception {
        Random random = new Random(seed);
        RandomRecord records = new RandomRecord(seed);
        List<Class<?>> kinds = RandomRecord.recordsOf(Upstream.class);
        List<Class<?>> answers = RandomRecord.recordsOf(Downstream.class);
        for (int round = 0; round < 1500; round++) {
            Upstream up = (Upstream) records.of(kinds.get(random.nextInt(kinds.size())));
            survives(mangled(StreamCodec.encode(up).toByteArray(), random), StreamCodecTest::decodeUpstream);
            Downstream down = (Downstream) records.of(answers.get(random.nextInt(answers.size())));
            survives(mangled(StreamCodec.encode(down).toByteArray(), random), StreamCodecTest::decodeDownstream);
        }
    }

    private static byte[] mangled(byte[] bytes, Random random) {
        byte[] mangled =
                random.nextInt(4) == 0 ? java.util.Arrays.copyOf(bytes, random.nextInt(bytes.length + 1)) : bytes;
        for (int i = random.nextInt(4); i > 0 && mangled.length > 0; i--) {
            mangled[random.nextInt(mangled.length)] = (byte) random.nextInt(256);
        }
        return mangled;
    }

    private static void survives(byte[] bytes, Function<byte[], Object> decode) {
        assertThat(decode.apply(bytes)).isNotNull();
    }

    private static Object decodeUpstream(byte[] bytes) {
        try {
            return StreamCodec.decode(Wire.Upstream.parseFrom(bytes));
        } catch (InvalidProtocolBufferException | MalformedException refused) {
            return refused;
        }
    }

    private static Object decodeDownstream(byte[] bytes) {
        try {
            return StreamCodec.decode(Wire.Downstream.parseFrom(bytes));
        } catch (InvalidProtocolBufferException | MalformedException refused) {
            return refused;
        }
    }
}
