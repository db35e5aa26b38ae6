package io.fusecache.client.doctor;

import io.fusecache.client.Buckets;
import io.fusecache.client.NodeConfiguration;
import io.fusecache.client.NodeConfiguration.HostPort;
import io.fusecache.client.NodeConfiguration.Store;
import io.fusecache.client.StartupException;
import io.fusecache.client.settings.ByteSize;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** Runs all checks, in the order in which a node would stumble over them. Leaves nothing behind. */
public final class Doctor {
    private static final int CONNECT_MILLIS = 3_000;
    private static final long OPEN_FILES_WANTED = 4_096;

    private final NodeConfiguration configuration;
    private final List<Finding> findings = new ArrayList<>();

    private Doctor(NodeConfiguration configuration) {
        this.configuration = configuration;
    }

    public static List<Finding> examine(NodeConfiguration configuration) {
        Doctor doctor = new Doctor(configuration);
        doctor.examine();
        return doctor.findings;
    }

    private void examine() {
        findings.add(Finding.fine("java", Runtime.version() + " on " + System.getProperty("os.arch")));
        List<Finding> kernel = KernelCheck.examine();
        findings.addAll(kernel);
        if (kernel.stream().noneMatch(finding -> finding.weight() == Finding.Weight.BAD)) {
            findings.addAll(TrialMount.examine(configuration.cache().directories()));
        }
        openFiles();
        mountPoint();
        configuration.cache().directories().forEach(this::cacheDirectory);
        for (HostPort address : configuration.coordinator().http()) {
            reach("coordinator http", address, "start bin/coordinator there, or give its -coordinator");
        }
        for (HostPort address : configuration.coordinator().grpc()) {
            reach("coordinator grpc", address, "start bin/coordinator there, or give its -coordinator-grpc");
        }
        bucket();
    }

    private void openFiles() {
        try {
            long limit = Files.readAllLines(Path.of("/proc/self/limits")).stream()
                    .filter(line -> line.startsWith("Max open files"))
                    .map(line -> line.split("\\s+")[4])
                    .mapToLong(hard -> hard.equals("unlimited") ? Long.MAX_VALUE : Long.parseLong(hard))
                    .findFirst()
                    .orElse(Long.MAX_VALUE);
            findings.add(
                    limit < OPEN_FILES_WANTED
                            ? Finding.note(
                                    "open files",
                                    limit + " at most: every open cached file takes one: ulimit -Hn "
                                            + OPEN_FILES_WANTED)
                            : Finding.fine("open files", limit + " at most"));
        } catch (IOException e) {
            findings.add(Finding.note("open files", "the limit cannot be read: " + e.getMessage()));
        }
    }

    private void mountPoint() {
        Path mount = configuration.mount().directory();
        String subject = "mount point " + mount;
        if (!Files.isDirectory(mount)) {
            findings.add(Finding.bad(subject, "is no directory: mkdir -p " + mount));
            return;
        }
        try (var entries = Files.list(mount)) {
            findings.add(
                    entries.findAny().isEmpty()
                            ? Finding.fine(subject, "is there and empty")
                            : Finding.bad(
                                    subject, "is mounted already or not empty: name an empty directory with -mount"));
        } catch (IOException e) {
            findings.add(Finding.bad(
                    subject, "cannot be read (" + e.getMessage() + "): if a dead mount is there, umount -l " + mount));
        }
    }

    private void cacheDirectory(Path directory) {
        String subject = "cache " + directory;
        Path existing = nearestExisting(directory);
        try {
            if (!Files.isDirectory(existing) || !Files.isWritable(existing)) {
                findings.add(Finding.bad(subject, existing + " cannot be written: give another -nvme"));
                return;
            }
            FileStore store = Files.getFileStore(existing);
            long free = store.getUsableSpace();
            long reserve = configuration.cache().reserveBytes();
            String space =
                    store.type() + ", " + ByteSize.text(free) + " free of " + ByteSize.text(store.getTotalSpace());
            if (free <= reserve) {
                findings.add(Finding.bad(
                        subject,
                        space + ", not more than the reserve of " + ByteSize.text(reserve)
                                + ": free some, or give a smaller -cache-reserve"));
            } else if (free < configuration.cache().capacityBytes()) {
                findings.add(Finding.note(
                        subject,
                        space + ", less than -nvme-max-gb "
                                + ByteSize.text(configuration.cache().capacityBytes()) + ": the cache stays smaller"));
            } else {
                findings.add(Finding.fine(subject, space));
            }
        } catch (IOException e) {
            findings.add(Finding.bad(subject, "cannot be examined: " + e.getMessage()));
        }
    }

    private static Path nearestExisting(Path directory) {
        Path path = directory;
        while (!Files.exists(path)) {
            path = Objects.requireNonNull(path.getParent(), "/ exists");
        }
        return path;
    }

    private void reach(String subject, HostPort address, String wayOut) {
        try (Socket socket = new Socket()) {
            InetSocketAddress resolved = new InetSocketAddress(address.host(), address.port());
            if (resolved.isUnresolved()) {
                findings.add(Finding.bad(subject + " " + address, "its name is not known here: " + wayOut));
                return;
            }
            socket.connect(resolved, CONNECT_MILLIS);
            findings.add(Finding.fine(subject + " " + address, "answers"));
        } catch (IOException e) {
            findings.add(Finding.bad(subject + " " + address, e.getMessage() + ": " + wayOut));
        }
    }

    private void bucket() {
        switch (configuration.bucket().store()) {
            case Store.FileFolder(Path root) -> {
                Path existing = nearestExisting(root);
                findings.add(
                        Files.isDirectory(existing) && Files.isWritable(existing)
                                ? Finding.fine("bucket " + root, "can be written")
                                : Finding.bad(
                                        "bucket " + root, existing + " cannot be written: give another -file-root"));
            }
            case Store.S3 s3 -> remote("s3 " + s3.bucket());
            case Store.Azure azure -> remote("azure " + azure.container());
            case Store.Gcp gcp -> remote("gcp " + gcp.bucket());
        }
    }

    private void remote(String name) {
        try {
            Buckets.check(configuration.bucket());
            findings.add(Finding.fine("bucket " + name, "answers, and lets us in"));
        } catch (IOException | StartupException e) {
            findings.add(Finding.bad("bucket " + name, String.valueOf(e.getMessage())));
        }
    }
}
