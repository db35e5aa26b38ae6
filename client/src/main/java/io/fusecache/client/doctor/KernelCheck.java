package io.fusecache.client.doctor;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** The kernel's side: /dev/fuse, the right to mount, the right to pass files through. */
final class KernelCheck {
    private static final Path DEVICE = Path.of("/dev/fuse");
    private static final int CAP_SYS_ADMIN = 21;
    private static final int[] PASSTHROUGH_SINCE = {6, 9};

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
        findings.add(passthrough(admin));
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

    private static Finding passthrough(boolean admin) {
        String release = System.getProperty("os.version", "");
        if (!sincePassthrough(release)) {
            return Finding.note(
                    "passthrough",
                    "kernel " + release + " has none (6.9 and later do): reads and writes go through the daemon");
        }
        return admin
                ? Finding.fine("passthrough", "kernel " + release + " and CAP_SYS_ADMIN allow it")
                : Finding.note(
                        "passthrough",
                        "needs CAP_SYS_ADMIN: run as root; reads and writes go through the daemon meanwhile");
    }

    static boolean sincePassthrough(String release) {
        String[] parts = release.split("[.-]");
        try {
            int major = Integer.parseInt(parts[0]);
            int minor = parts.length > 1 ? Integer.parseInt(parts[1]) : 0;
            return major > PASSTHROUGH_SINCE[0] || (major == PASSTHROUGH_SINCE[0] && minor >= PASSTHROUGH_SINCE[1]);
        } catch (NumberFormatException foreign) {
            return false;
        }
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
