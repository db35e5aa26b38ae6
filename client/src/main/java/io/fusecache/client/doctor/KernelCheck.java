package io.fusecache.client.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** What mounting stands on: /dev/fuse, and the right to mount. */
final class KernelCheck {
    private static final Path DEVICE = Path.of("/dev/fuse");
    private static final int CAP_SYS_ADMIN = 21;

    private KernelCheck() {}

    static List<Finding> examine() {
        List<Finding> findings = new ArrayList<>();
        boolean admin = capable(CAP_SYS_ADMIN);
        if (!Files.exists(DEVICE)) {
            findings.add(Finding.bad(
                    "/dev/fuse",
                    "is not there: modprobe fuse; in a container, give it the device (--device /dev/fuse)"));
        } else if (!Files.isReadable(DEVICE) || !Files.isWritable(DEVICE)) {
            findings.add(Finding.bad("/dev/fuse", "may not be read and written by this user: chmod 666 /dev/fuse"));
        } else {
            findings.add(Finding.fine("/dev/fuse", "can be opened"));
        }
        findings.add(mounting(admin));
        return findings;
    }

    private static Finding mounting(boolean admin) {
        if (admin) {
            return Finding.fine("mount", "by mount(2): this process has CAP_SYS_ADMIN");
        }
        boolean helper = Arrays.stream(System.getenv().getOrDefault("PATH", "").split(":"))
                .anyMatch(directory -> Files.isExecutable(Path.of(directory, "fusermount3")));
        return helper
                ? Finding.fine("mount", "by fusermount3")
                : Finding.bad("mount", "neither CAP_SYS_ADMIN nor fusermount3: install fuse3, or run as root");
    }

    private static boolean capable(int capability) {
        try {
            return Files.readAllLines(Path.of("/proc/self/status")).stream()
                    .filter(line -> line.startsWith("CapEff:"))
                    .map(line -> Long.parseUnsignedLong(line.substring(7).strip(), 16))
                    .anyMatch(effective -> (effective >>> capability & 1) == 1);
        } catch (IOException unreadable) {
            return false;
        }
    }
}
