package io.fusecache.cache;

import io.fusecache.metadata.FileVersion;
import java.io.IOException;
import java.util.List;

/** No source had the blocks, or could give them. The message names each and what it answered. */
public final class FetchFailedException extends IOException {
    private static final long serialVersionUID = 1L;

    FetchFailedException(FileVersion version, int first, int last, List<String> answers) {
        super("blocks %d to %d of %s cannot be had: %s"
                .formatted(
                        first,
                        last,
                        version,
                        answers.isEmpty()
                                ? "no live node holds them and the bucket does not have this version"
                                : String.join("; ", answers)));
    }
}
