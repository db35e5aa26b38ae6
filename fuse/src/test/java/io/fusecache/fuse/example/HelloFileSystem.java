package io.fusecache.fuse.example;

import io.fusecache.fuse.mount.MountOptions;
import io.fusecache.fuse.session.FuseHandler;
import io.fusecache.fuse.session.FuseSession;
import io.fusecache.fuse.session.Reply;
import io.fusecache.fuse.session.SessionOptions;
import io.fusecache.fuse.wire.Attributes;
import io.fusecache.fuse.wire.AttributesReply;
import io.fusecache.fuse.wire.DirectoryBuffer;
import io.fusecache.fuse.wire.EntryReply;
import io.fusecache.fuse.wire.Errno;
import io.fusecache.fuse.wire.FileName;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.fuse.wire.OpenReply;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** A whole file system: one directory with one file in it. Mount it: {@code HelloFileSystem /mnt/hello}. */
public final class HelloFileSystem implements FuseHandler {
    private static final long SECOND = 1_000_000_000L;
    private static final FileName NAME = FileName.of("hello");
    private static final byte[] TEXT = "Hello, world!\n".getBytes(StandardCharsets.UTF_8);
    private static final Attributes ROOT = attributes(1, 0, 0040555);
    private static final Attributes HELLO = attributes(2, TEXT.length, 0100444);

    private static Attributes attributes(long ino, long size, int mode) {
        return new Attributes(ino, size, (size + 511) / 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0);
    }

    @Override
    public void handle(FuseRequest request, Reply reply) {
        switch (request) {
            case FuseRequest.Lookup lookup
            when lookup.name().equals(NAME) -> reply.entry(new EntryReply(2, 0, SECOND, SECOND, HELLO));
            case FuseRequest.Lookup _ -> reply.error(Errno.ENOENT);
            case FuseRequest.Getattr getattr ->
                reply.attributes(new AttributesReply(SECOND, getattr.nodeId() == 1 ? ROOT : HELLO));
            case FuseRequest.Opendir _, FuseRequest.Open _ -> reply.opened(OpenReply.of(0, OpenReply.KEEP_CACHE));
            case FuseRequest.Readdir readdir -> {
                DirectoryBuffer listing = reply.directory(readdir.size(), readdir.plus());
                if (readdir.offset() == 0 && readdir.plus()) {
                    listing.add(new EntryReply(2, 0, SECOND, SECOND, HELLO), NAME, 1);
                } else if (readdir.offset() == 0) {
                    listing.add(2, HELLO.mode(), NAME, 1);
                }
                reply.listing(listing);
            }
            case FuseRequest.Read read -> {
                int from = (int) Math.min(read.offset(), TEXT.length);
                int to = (int) Math.min((long) from + read.size(), TEXT.length);
                reply.data(MemorySegment.ofArray(TEXT).asSlice(from, to - from));
            }
            case FuseRequest.Flush _, FuseRequest.Release _, FuseRequest.Releasedir _ -> reply.ok();
            case FuseRequest.Forget _, FuseRequest.BatchForget _ -> reply.none();
            default -> reply.error(Errno.ENOSYS);
        }
    }

    /** The second argument {@code private} keeps other users out, as an ordinary user must without /etc/fuse.conf. */
    public static void main(String[] arguments) throws Exception {
        boolean shared = arguments.length < 2 || !arguments[1].equals("private");
        SessionOptions options =
                SessionOptions.of(MountOptions.of("hello", "hello").withAllowOther(shared));
        Arena arena = Arena.ofShared();
        FuseSession session = FuseSession.start(Path.of(arguments[0]), options, new HelloFileSystem(), arena);
        session.closeAtExit();
        System.out.println(session.negotiated().describe());
        session.awaitUnmount();
    }
}
