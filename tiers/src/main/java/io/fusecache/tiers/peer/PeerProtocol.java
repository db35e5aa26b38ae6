package io.fusecache.tiers.peer;

import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The words of the protocol, as both ends write and read them. */
final class PeerProtocol {
    static final String PATH = "/blocks/";
    static final String APPEND = "Fusecache-Append";
    static final String CRC32C = "crc32c";
    static final String HOLDERS = "Fusecache-Holders";
    static final int CRC_BYTES = 4;

    private PeerProtocol() {}

    static String holders(List<NodeAddress> nodes) {
        return nodes.stream().map(n -> n.id() + " " + n.http() + " " + n.grpc()).collect(Collectors.joining(", "));
    }

    /** What cannot be read is left out: it is a hint. */
    static List<NodeAddress> parseHolders(@Nullable String header) {
        return header == null
                ? List.of()
                : Stream.of(header.split(",", -1))
                        .flatMap(entry -> holder(entry).stream())
                        .toList();
    }

    private static Optional<NodeAddress> holder(String entry) {
        String[] words = entry.strip().split(" ", -1);
        try {
            return words.length == 3
                    ? Optional.of(new NodeAddress(new NodeId(words[0]), words[1], words[2]))
                    : Optional.empty();
        } catch (IllegalArgumentException notAnId) {
            return Optional.empty();
        }
    }

    /** A request for bytes {@code first} to {@code last} of a version. */
    record BlockRequest(long ino, long version, long first, long last) {
        /** @throws IllegalArgumentException naming what is wrong */
        static BlockRequest parse(String path, @Nullable String range) {
            String[] parts = path.substring(PATH.length()).split("/", -1);
            if (parts.length != 2) {
                throw new IllegalArgumentException("path " + path + ": expected /blocks/INODE/VERSION");
            }
            if (range == null || !range.startsWith("bytes=")) {
                throw new IllegalArgumentException("header 'Range: bytes=FIRST-LAST' is missing");
            }
            String[] ends = range.substring("bytes=".length()).split("-", -1);
            if (ends.length != 2) {
                throw new IllegalArgumentException("range " + range + ": expected bytes=FIRST-LAST");
            }
            BlockRequest request =
                    new BlockRequest(number(parts[0]), number(parts[1]), number(ends[0]), number(ends[1]));
            if (request.last < request.first) {
                throw new IllegalArgumentException("range " + range + " ends before it begins");
            }
            return request;
        }

        private static long number(String text) {
            try {
                long number = Long.parseLong(text);
                if (number >= 0) {
                    return number;
                }
            } catch (NumberFormatException e) {
                // The same answer as for a negative one.
            }
            throw new IllegalArgumentException("'" + text + "' is not a number that can stand here");
        }

        String path() {
            return PATH + ino + "/" + version;
        }

        String range() {
            return "bytes=" + first + "-" + last;
        }

        long length() {
            return last - first + 1;
        }
    }
}
