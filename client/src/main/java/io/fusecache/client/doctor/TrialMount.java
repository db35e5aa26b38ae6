package io.fusecache.client.doctor;

import io.fusecache.fuse.mount.MountException;
import io.fusecache.fuse.mount.MountOptions;
import io.fusecache.fuse.session.BackingFile;
import io.fusecache.fuse.session.Capabilities;
import io.fusecache.fuse.session.FuseHandler;
import io.fusecache.fuse.session.FuseSession;
import io.fusecache.fuse.session.Reply;
import io.fusecache.fuse.session.SessionOptions;
import io.fusecache.fuse.sys.LocalFile;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.wire.Errno;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.fuse.wire.InitFlag;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Mounts an empty file system on a temporary directory for a moment: what the kernel agrees to is known only then. */
final class TrialMount {
    private TrialMount() {}

    /** @param caches directories whose file systems would have to back passed-through files; those that exist are tried */
    static List<Finding> examine(List<Path> caches) {
        List<Finding> findings = new ArrayList<>();
        try {
            Path directory = Files.createTempDirectory("fusecache-doctor");
            SessionOptions options = SessionOptions.of(
                    MountOptions.of("fusecache-doctor", "fusecache").withAllowOther(false));
            try (Arena arena = Arena.ofShared();
                    FuseSession session = FuseSession.start(directory, options, new Nothing(), arena)) {
                describe(session.negotiated(), findings);
                if (session.negotiated().passthrough()) {
                    caches.stream().filter(Files::isDirectory).forEach(cache -> findings.add(backing(session, cache)));
                }
            } finally {
                Files.delete(directory);
            }
        } catch (MountException refused) {
            findings.add(Finding.bad("trial mount", String.valueOf(refused.getMessage())));
        } catch (IOException failed) {
            findings.add(Finding.bad("trial mount", failed.toString()));
        }
        return findings;
    }

    private static void describe(Capabilities agreed, List<Finding> findings) {
        findings.add(Finding.fine(
                "kernel protocol",
                "FUSE 7.%d by %s, requests up to %d KiB, read-ahead %d KiB"
                        .formatted(
                                agreed.minor(),
                                agreed.mountedByFusermount() ? "fusermount3" : "mount(2)",
                                agreed.maxWriteBytes() >> 10,
                                agreed.readAheadKib())));
        findings.add(
                agreed.passthrough()
                        ? Finding.fine("passthrough", "the kernel reads and writes whole cached files itself")
                        : Finding.note(
                                "passthrough",
                                "off (" + agreed.whyOff(InitFlag.PASSTHROUGH).orElse("")
                                        + "): reads and writes go through the daemon"));
        if (!agreed.epochs()) {
            findings.add(
                    Finding.note("epochs", "off (they begin with Linux 6.16): names are asked for again at every use"));
        }
    }

    private static Finding backing(FuseSession session, Path cache) {
        String subject = "passthrough from " + cache;
        try {
            Path file = Files.createTempFile(cache, "doctor", ".tmp");
            try (LocalFile open = LocalFile.open(file, Posix.O_RDWR, 0);
                    BackingFile registered = session.registerBacking(open.fd())) {
                return Finding.fine(subject, "the kernel takes its files (backing id " + registered.id() + ")");
            } finally {
                Files.delete(file);
            }
        } catch (IOException refused) {
            return Finding.note(
                    subject,
                    "the kernel refuses its files (" + refused.getMessage()
                            + "): put -nvme on a disk of its own, such as ext4 or XFS");
        }
    }

    /** Answers every request that it knows nothing. */
    private static final class Nothing implements FuseHandler {
        @Override
        public void handle(FuseRequest request, Reply reply) {
            reply.error(Errno.ENOSYS);
        }
    }
}
