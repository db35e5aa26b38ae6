package io.fusecache.testkit.posix.scene;

import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** What a check has open and mapped, so that nothing is left when it ends, however it ends. */
final class Descriptors {
    private final Set<Integer> open = new LinkedHashSet<>();
    private final Map<Long, Long> mappings = new LinkedHashMap<>();

    Outcome opened(Outcome outcome) {
        if (outcome.succeeded()) {
            open.add(outcome.okInt());
        }
        return outcome;
    }

    void opened(int fd) {
        open.add(fd);
    }

    void closed(int fd) {
        open.remove(fd);
    }

    Outcome mapped(Outcome outcome, long bytes) {
        if (outcome.succeeded()) {
            mappings.put(outcome.ok(), bytes);
        }
        return outcome;
    }

    void unmapped(long address) {
        mappings.remove(address);
    }

    void closeAll(Caller caller) {
        mappings.forEach((address, bytes) -> caller.call(Syscall.MUNMAP, address, bytes));
        mappings.clear();
        for (int fd : open) {
            caller.call(Syscall.CLOSE, fd);
        }
        open.clear();
    }
}
