package io.fusecache.fuse.wire;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.fuse.wire.RequestExtensions.SecurityContext;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class RequestDecoderTest {
    private static FuseRequest decode(byte[] message) throws MalformedRequest {
        try (Arena arena = Arena.ofConfined()) {
            FuseRequest request = new RequestDecoder(true).decode(KernelDumps.message(arena, message), message.length);
            if (request instanceof FuseRequest.Write write) {
                assertThat(write.data().toArray(ValueLayout.JAVA_BYTE)).isEqualTo("hello\n".getBytes(UTF_8));
            }
            return request;
        }
    }

    private static FuseRequest decode(String dump) throws MalformedRequest {
        return decode(KernelDumps.bytes(dump));
    }

    private static RequestHeader header(long unique, long nodeId, int pid) {
        return new RequestHeader(unique, nodeId, 0, 0, pid, RequestExtensions.NONE);
    }

    /** A message with this opcode, of node 9, with a body of little-endian numbers and bytes. */
    private static byte[] message(int opcode, Object... body) {
        ByteBuffer out = ByteBuffer.allocate(4096).order(ByteOrder.LITTLE_ENDIAN);
        out.position(40);
        for (Object part : body) {
            switch (part) {
                case Integer i -> out.putInt(i);
                case Long l -> out.putLong(l);
                case Short s -> out.putShort(s);
                case String s -> out.put(s.getBytes(UTF_8)).put((byte) 0);
                case byte[] b -> out.put(b);
                default -> throw new AssertionError(part);
            }
        }
        int length = out.position();
        out.putInt(0, length)
                .putInt(4, opcode)
                .putLong(8, 77)
                .putLong(16, 9)
                .putInt(24, 1000)
                .putInt(28, 100);
        out.putInt(32, 4242);
        return Arrays.copyOf(out.array(), length);
    }

    private static byte[] withExtensions(byte[] message, int length) {
        ByteBuffer.wrap(message).order(ByteOrder.LITTLE_ENDIAN).putShort(36, (short) (length / 8));
        return message;
    }

    private static RequestHeader handmade() {
        return new RequestHeader(77, 9, 1000, 100, 4242, RequestExtensions.NONE);
    }

    @Test
    void whatTheKernelSendsIsDecodedFieldForField() throws MalformedRequest {
        assertThat(decode(KernelDumps.LOOKUP))
                .isEqualTo(new FuseRequest.Lookup(header(0x74, 1, 0x5ee0), FileName.of("null2")));
        assertThat(decode(KernelDumps.FORGET)).isEqualTo(new FuseRequest.Forget(header(0x70, 3, 0), 2));
        assertThat(decode(KernelDumps.GETATTR)).isEqualTo(new FuseRequest.Getattr(header(0x80, 1, 0x5ee1), 0, 0));
        FuseRequest.Setattr setattr = (FuseRequest.Setattr) decode(KernelDumps.SETATTR);
        assertThat(setattr.sets(FuseRequest.Setattr.ATIME | FuseRequest.Setattr.MTIME))
                .isTrue();
        assertThat(setattr.sets(FuseRequest.Setattr.SIZE)).isFalse();
        assertThat(setattr.mtimeSeconds()).isEqualTo(1_700_000_000L);
        assertThat(setattr.mtimeNanos()).isEqualTo(500_000_000);
        assertThat(decode(KernelDumps.READLINK)).isEqualTo(new FuseRequest.Readlink(header(0x62, 4, 0x5edd)));
        assertThat(decode(KernelDumps.SYMLINK))
                .isEqualTo(new FuseRequest.Symlink(header(0x30, 1, 0x5eb1), FileName.of("s"), Bytes.of("/t/x")));
        assertThat(decode(KernelDumps.MKNOD))
                .isEqualTo(new FuseRequest.Mknod(header(0x6a, 1, 0x5ede), FileName.of("null"), 0020644, 0x103, 0022));
        assertThat(decode(KernelDumps.MKDIR))
                .isEqualTo(new FuseRequest.Mkdir(header(8, 1, 0x5ead), FileName.of("dir"), 0755, 0022));
        assertThat(decode(KernelDumps.UNLINK))
                .isEqualTo(new FuseRequest.Unlink(header(0x6e, 1, 0x5edf), FileName.of("g")));
        assertThat(decode(KernelDumps.OPEN)).isEqualTo(new FuseRequest.Open(header(0x40, 3, 0x5eb4), 0x8002, 0));
        assertThat(decode(KernelDumps.READ))
                .isEqualTo(new FuseRequest.Read(header(0x22, 3, 0x5eaf), 3, 0, 4096, 0, 0, 0x8000));
        FuseRequest.Write write = (FuseRequest.Write) decode(KernelDumps.WRITE);
        assertThat(write.offset()).isZero();
        assertThat(write.fh()).isEqualTo(3);
        assertThat(write.flags()).isEqualTo(0x8001);
        assertThat(decode(KernelDumps.STATFS)).isEqualTo(new FuseRequest.Statfs(header(0x82, 1, 0x5ee1)));
        assertThat(decode(KernelDumps.RELEASE)).isEqualTo(new FuseRequest.Release(header(0x7e, 6, 0), 6, 0x8002, 0, 0));
        assertThat(decode(KernelDumps.SETXATTR))
                .isEqualTo(new FuseRequest.Setxattr(header(0x3e, 3, 0x5eb3), Bytes.of("user.a"), Bytes.of("bc"), 0, 0));
        assertThat(decode(KernelDumps.GETXATTR))
                .isEqualTo(new FuseRequest.Getxattr(header(0x78, 6, 0x5ee0), Bytes.of("security.capability"), 0));
        assertThat(decode(KernelDumps.FLUSH))
                .isEqualTo(new FuseRequest.Flush(header(0x7c, 6, 0x5ee0), 6, 0x98dbbf56914d30e6L));
        assertThat(decode(KernelDumps.OPENDIR)).isEqualTo(new FuseRequest.Opendir(header(0x52, 1, 0x5edd), 0x18800));
        assertThat(decode(KernelDumps.RELEASEDIR))
                .isEqualTo(new FuseRequest.Releasedir(header(0x66, 1, 0), 1, 0x18800));
        assertThat(decode(KernelDumps.SETLK))
                .isEqualTo(new FuseRequest.Setlk(
                        header(0x46, 3, 0x5eb4),
                        3,
                        0x98dbbf56914d30e6L,
                        new FileLock(2, 6, FileLock.WRITE, 0x5eb4),
                        0));
        assertThat(decode(KernelDumps.CREATE))
                .isEqualTo(new FuseRequest.Create(
                        header(0x76, 1, 0x5ee0), FileName.of("null2"), 0x8042, 0100644, 0022, 0));
        FuseRequest.Ioctl ioctl = (FuseRequest.Ioctl) decode(KernelDumps.IOCTL);
        assertThat(ioctl.command()).isEqualTo(0x5401);
        assertThat(ioctl.outSize()).isZero();
        assertThat(decode(KernelDumps.FALLOCATE))
                .isEqualTo(new FuseRequest.Fallocate(header(0x7a, 6, 0x5ee0), 6, 0, 100, 0));
        assertThat(decode(KernelDumps.READDIRPLUS))
                .isEqualTo(new FuseRequest.Readdir(header(0x64, 1, 0x5edd), 1, 3, 32768, 0x18800, true));
        assertThat(decode(KernelDumps.RENAME2))
                .isEqualTo(new FuseRequest.Rename(
                        header(0x2a, 2, 0x5eb0), FileName.of("f"), 1, FileName.of("g"), FuseRequest.Rename.NOREPLACE));
    }

    @Test
    void initCarriesSixtyFourFlags() throws MalformedRequest {
        FuseRequest.Init init = (FuseRequest.Init) decode(KernelDumps.INIT);
        assertThat(init.major()).isEqualTo(7);
        assertThat(init.minor()).isEqualTo(45);
        assertThat(init.maxReadAhead()).isEqualTo(0x20000);
        assertThat(InitFlag.PASSTHROUGH.isIn(init.flags())).isTrue();
        assertThat(InitFlag.HAS_RESEND.isIn(init.flags())).isTrue();
        assertThat(InitFlag.HAS_INODE_DAX.isIn(init.flags())).isFalse();
        // A kernel before 7.36 sends 16 bytes and no upper half.
        FuseRequest old = decode(message(26, 7, 31, 4096, 1));
        assertThat(old).isEqualTo(new FuseRequest.Init(handmade(), 7, 31, 4096, 1));
    }

    @Test
    void whatThisKernelDidNotSendIsDecodedToo() throws MalformedRequest {
        assertThat(decode(message(12, 5L, "from", "to")))
                .isEqualTo(new FuseRequest.Rename(handmade(), FileName.of("from"), 5, FileName.of("to"), 0));
        assertThat(decode(message(13, 12L, "name")))
                .isEqualTo(new FuseRequest.Link(handmade(), 12, FileName.of("name")));
        assertThat(decode(message(20, 3L, 1, 0))).isEqualTo(new FuseRequest.Fsync(handmade(), 3, true));
        assertThat(decode(message(30, 3L, 0, 0))).isEqualTo(new FuseRequest.Fsyncdir(handmade(), 3, false));
        assertThat(decode(message(23, 64, 0))).isEqualTo(new FuseRequest.Listxattr(handmade(), 64));
        assertThat(decode(message(24, "user.x")))
                .isEqualTo(new FuseRequest.Removexattr(handmade(), Bytes.of("user.x")));
        assertThat(decode(message(31, 1L, 2L, 3L, 4L, 0, 6, 1, 0)))
                .isEqualTo(new FuseRequest.Getlk(handmade(), 1, 2, new FileLock(3, 4, 0, 6), 1));
        assertThat(decode(message(33, 1L, 2L, 3L, 4L, 1, 6, 0, 0)))
                .isEqualTo(new FuseRequest.Setlkw(handmade(), 1, 2, new FileLock(3, 4, 1, 6), 0));
        assertThat(decode(message(34, 7, 0))).isEqualTo(new FuseRequest.Access(handmade(), 7));
        assertThat(decode(message(36, 99L))).isEqualTo(new FuseRequest.Interrupt(handmade(), 99));
        assertThat(decode(message(37, 8L, 4096, 0))).isEqualTo(new FuseRequest.Bmap(handmade(), 8, 4096));
        assertThat(decode(message(38))).isEqualTo(new FuseRequest.Destroy(handmade()));
        assertThat(decode(message(40, 1L, 2L, 1, 4))).isEqualTo(new FuseRequest.Poll(handmade(), 1, 2, 1, 4));
        assertThat(decode(message(42, 2, 0, 11L, 1L, 12L, 3L)))
                .isEqualTo(new FuseRequest.BatchForget(
                        handmade(), List.of(new FuseRequest.Forgotten(11, 1), new FuseRequest.Forgotten(12, 3))));
        assertThat(decode(message(28, 1L, 2L, 4096, 0, 0L, 5, 0)))
                .isEqualTo(new FuseRequest.Readdir(handmade(), 1, 2, 4096, 5, false));
        assertThat(decode(message(46, 1L, 2L, 3, 0))).isEqualTo(new FuseRequest.Lseek(handmade(), 1, 2, 3));
        assertThat(decode(message(47, 1L, 2L, 3L, 4L, 5L, 6L, 0L)))
                .isEqualTo(new FuseRequest.CopyFileRange(handmade(), 1, 2, 3, 4, 5, 6, 0, false));
        assertThat(decode(message(53, 1L, 2L, 3L, 4L, 5L, 6L, 0L)))
                .isEqualTo(new FuseRequest.CopyFileRange(handmade(), 1, 2, 3, 4, 5, 6, 0, true));
        assertThat(decode(message(48, 1L, 2L, 3L, 4L, 5L)))
                .isEqualTo(new FuseRequest.Setupmapping(handmade(), 1, 2, 3, 4, 5));
        assertThat(decode(message(49, 1, 7L, 8L)))
                .isEqualTo(new FuseRequest.Removemapping(handmade(), List.of(new FuseRequest.Mapping(7, 8))));
        assertThat(decode(message(50, 0L))).isEqualTo(new FuseRequest.Syncfs(handmade()));
        assertThat(decode(message(51, 2, 0100600, 022, 1, "/")))
                .isEqualTo(new FuseRequest.Tmpfile(handmade(), 2, 0100600, 022, 1));
        assertThat(decode(message(52, 1, 0, 5L, 6, 7))).isEqualTo(new FuseRequest.Statx(handmade(), 1, 5, 6, 7));
        assertThat(decode(message(54, 1L))).isEqualTo(new FuseRequest.Unknown(handmade(), 54));
        assertThat(decode(message(4096))).isEqualTo(new FuseRequest.Unknown(handmade(), 4096));
        assertThat(decode(message(-1))).isEqualTo(new FuseRequest.Unknown(handmade(), -1));
    }

    @Test
    void setxattrIsShorterWhereTheExtensionIsNotAgreed() throws MalformedRequest {
        byte[] message = message(21, 2, 1, "user.a", new byte[] {5, 6});
        try (Arena arena = Arena.ofConfined()) {
            assertThat(new RequestDecoder(false).decode(KernelDumps.message(arena, message), message.length))
                    .isEqualTo(new FuseRequest.Setxattr(
                            handmade(), Bytes.of("user.a"), Bytes.of(new byte[] {5, 6}), 1, 0));
        }
    }

    @Test
    void extensionsCarryGroupsAndSecurityContexts() throws MalformedRequest {
        byte[] groups = withExtensions(message(9, 0755, 0, "dir", new byte[4], 16, 32, 1, 1234), 16);
        // The name ends where it ends: padding before the extension is not the kernel's, and does no harm.
        FuseRequest mkdir = decode(groups);
        assertThat(mkdir.header().extensions()).isEqualTo(new RequestExtensions(List.of(1234), List.of()));

        byte[] contexts = withExtensions(
                message(9, 0755, 0, "dir", 8 + 32, 1, 4, 0, "security.x", new byte[] {1, 2, 3, 4}, new byte[9]), 40);
        assertThat(decode(contexts).header().extensions())
                .isEqualTo(new RequestExtensions(
                        List.of(),
                        List.of(new SecurityContext(Bytes.of("security.x"), Bytes.of(new byte[] {1, 2, 3, 4})))));
    }

    @Test
    void hostileExtensionsAreRefused() {
        assertRefused(withExtensions(message(9, 0755, 0, "dir"), 4096));
        assertRefused(withExtensions(message(9, 0755, 0, "dir", 4, 32, 1, 1), 16));
        assertRefused(withExtensions(message(9, 0755, 0, "dir", 1 << 30, 32, 1, 1), 16));
        assertRefused(withExtensions(message(9, 0755, 0, "dir", 16, 32, Integer.MAX_VALUE, 1), 16));
        assertRefused(withExtensions(message(9, 0755, 0, "dir", 16, 32, -1, 1), 16));
        assertRefused(withExtensions(message(9, 0755, 0, "dir", 16, 31, 1, 1), 16));
        assertRefused(withExtensions(message(9, 0755, 0, "dir", 24, 1, -1, 0, "secu", new byte[3]), 24));
    }

    @Test
    void hostileLengthsAreRefused() {
        assertRefused(message(42, Integer.MAX_VALUE, 0, 1L, 1L));
        assertRefused(message(42, -1, 0, 1L, 1L));
        assertRefused(message(49, 0x10000000, 1L, 1L));
        assertRefused(message(16, 1L, 0L, 7, 0, 0L, 0, 0, new byte[6]));
        assertRefused(message(16, 1L, 0L, -1, 0, 0L, 0, 0, new byte[6]));
        assertRefused(message(21, Integer.MIN_VALUE, 0, 0, 0, "user.a"));
        assertRefused(message(21, 3, 0, 0, 0, "user.a", new byte[2]));
        assertRefused(message(15, 1L, 0L, -1, 0, 0L, 0, 0));
        assertRefused(message(41, 0L, 0L, 100, 0, 0L, 0L));
    }

    @Test
    void hostileNamesAreRefused() {
        assertRefused(message(1, ""));
        assertRefused(message(1, "a/b"));
        assertRefused(message(1, new byte[] {'a', 'b'}));
        assertRefused(message(12, 5L, "from"));
        assertRefused(message(12, 5L, "from", new byte[] {'t'}));
        assertRefused(message(10));
    }

    @Test
    void everyPrefixOfAMessageIsRefusedOrShorterByItsPayloadAlone() {
        for (String dump : KernelDumps.ALL) {
            byte[] whole = KernelDumps.bytes(dump);
            for (int length = 0; length < whole.length; length++) {
                byte[] prefix = Arrays.copyOf(whole, length);
                // As read: shorter than the header says.
                assertThatThrownBy(() -> decode(prefix)).isInstanceOf(MalformedRequest.class);
            }
        }
    }

    @Test
    void aRefusalNamesTheRequestToAnswer() {
        assertThatThrownBy(() -> decode(new byte[39]))
                .isInstanceOfSatisfying(
                        MalformedRequest.class, e -> assertThat(e.unique()).isZero());
        assertThatThrownBy(() -> decode(message(1, "a/b")))
                .isInstanceOfSatisfying(
                        MalformedRequest.class, e -> assertThat(e.unique()).isEqualTo(77))
                .hasMessageContaining("a/b");
    }

    @Test
    void everyOpcodeIsTheirs() {
        for (Opcode opcode : Opcode.values()) {
            assertThat(Opcode.of(opcode.number())).isEqualTo(opcode);
        }
        assertThat(Opcode.of(7)).isNull();
        assertThat(Opcode.of(19)).isNull();
        assertThat(Opcode.of(Integer.MIN_VALUE)).isNull();
    }

    private static void assertRefused(byte[] message) {
        assertThatThrownBy(() -> decode(message))
                .isInstanceOfSatisfying(
                        MalformedRequest.class, e -> assertThat(e.unique()).isEqualTo(77));
    }
}
