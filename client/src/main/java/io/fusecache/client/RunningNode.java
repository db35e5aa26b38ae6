package io.fusecache.client;

import io.fusecache.client.NodeConfiguration.HostPort;
import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;

/**
 * A node that runs on this machine, as the commands find it: a small file in {@link #directory()}, written once it is
 * mounted and removed when it ends. A file whose process is gone is removed by whoever sees it.
 *
 * @param http where it can be reached from this machine
 */
public record RunningNode(long pid, String id, Path mount, HostPort http) {
    private static final String SUFFIX = ".node";

    /** Of this user: {@code /run/fusecache} for root, else below {@code XDG_RUNTIME_DIR} or {@code /tmp}. */
    public static Path directory() {
        String own = System.getenv("FUSECACHE_RUN_DIR");
        if (own != null && !own.isEmpty()) {
            return Path.of(own);
        }
        String user = System.getProperty("user.name", "");
        if (user.equals("root")) {
            return Path.of("/run/fusecache");
        }
        String session = System.getenv("XDG_RUNTIME_DIR");
        return session == null || session.isEmpty()
                ? Path.of("/tmp/fusecache-" + user.toLowerCase(Locale.ROOT))
                : Path.of(session, "fusecache");
    }

    /** Makes this node known. */
    public void enter() throws IOException {
        Path directory = directory();
        Files.createDirectories(
                directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        Properties properties = new Properties();
        properties.setProperty("id", id);
        properties.setProperty("mount", mount.toString());
        properties.setProperty("host", http.host());
        properties.setProperty("port", Integer.toString(http.port()));
        properties.setProperty("started", started(ProcessHandle.current()));
        Path fresh = Files.createTempFile(directory, "entering-", ".tmp");
        try (Writer writer = Files.newBufferedWriter(fresh)) {
            properties.store(writer, null);
        }
        Files.move(fresh, file(), java.nio.file.StandardCopyOption.ATOMIC_MOVE);
    }

    public void leave() throws IOException {
        Files.deleteIfExists(file());
    }

    private Path file() {
        return directory().resolve(pid + SUFFIX);
    }

    /** Those that are alive, by mount point. */
    public static List<RunningNode> all() throws IOException {
        Path directory = directory();
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        List<RunningNode> nodes = new ArrayList<>();
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(SUFFIX)).toList()) {
                read(file).ifPresent(nodes::add);
            }
        }
        nodes.sort(java.util.Comparator.comparing(RunningNode::mount));
        return nodes;
    }

    private static Optional<RunningNode> read(Path file) throws IOException {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(file)) {
            properties.load(reader);
            String name = Objects.requireNonNull(file.getFileName()).toString();
            long pid = Long.parseLong(name.substring(0, name.length() - SUFFIX.length()));
            Optional<ProcessHandle> process = ProcessHandle.of(pid).filter(ProcessHandle::isAlive);
            if (process.isPresent() && started(process.get()).equals(properties.getProperty("started"))) {
                return Optional.of(new RunningNode(
                        pid,
                        properties.getProperty("id", ""),
                        Path.of(properties.getProperty("mount", "/")),
                        new HostPort(
                                properties.getProperty("host", ""),
                                Integer.parseInt(properties.getProperty("port", "0")))));
            }
        } catch (NumberFormatException foreign) {
            return Optional.empty();
        }
        Files.deleteIfExists(file);
        return Optional.empty();
    }

    /** Tells a process from a later one of the same number. */
    private static String started(ProcessHandle process) {
        return process.info().startInstant().map(Object::toString).orElse("");
    }
}
