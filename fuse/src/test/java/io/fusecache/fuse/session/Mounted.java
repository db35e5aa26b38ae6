package io.fusecache.fuse.session;

import io.fusecache.fuse.mount.MountException;
import io.fusecache.fuse.mount.MountOptions;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;

/** A file system mounted for a test, on a directory of its own that goes with it. */
final class Mounted implements AutoCloseable {
    private final Arena arena = Arena.ofShared();
    private final Path directory;
    final Path path;
    final FuseSession session;

    private Mounted(FuseHandler handler, UnaryOperator<SessionOptions> adjust) throws IOException {
        directory = Files.createTempDirectory("fusecache-test");
        path = Files.createDirectory(directory.resolve("mnt"));
        SessionOptions options = SessionOptions.of(MountOptions.of("test", "fusecache"))
                .withBuffers(4, 16)
                .withDrainTimeout(Duration.ofSeconds(2));
        session = FuseSession.start(path, adjust.apply(options), handler, arena);
    }

    static Mounted of(FuseHandler handler) throws IOException {
        return new Mounted(handler, UnaryOperator.identity());
    }

    static Mounted of(FuseHandler handler, UnaryOperator<SessionOptions> adjust) throws IOException {
        return new Mounted(handler, adjust);
    }

    /** A place on disk beside the mount. */
    Path beside(String name) {
        return directory.resolve(name);
    }

    Path resolve(String name) {
        return path.resolve(name);
    }

    /** Runs a shell script with the mount in $M; its standard output, or an AssertionError with all it said. */
    String shell(String script) throws IOException, InterruptedException {
        Process process = start(script);
        // Out of the mount's reach for good: a script stuck in a dead mount must not hang the test.
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(30, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new AssertionError(script + " ended with " + process.exitValue() + ": " + said);
        }
        return said;
    }

    Process start(String script) throws IOException {
        ProcessBuilder builder = new ProcessBuilder("sh", "-ec", script).redirectErrorStream(true);
        builder.environment().put("M", path.toString());
        return builder.start();
    }

    @Override
    public void close() throws MountException, IOException {
        session.close();
        arena.close();
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted((a, b) -> b.compareTo(a)).toList()) {
                Files.delete(file);
            }
        }
    }
}
