package io.fusecache.coordinator.rest;

import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileName;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A path of the volume: names of any bytes, never "." or ".."; empty for the root. */
record FilePath(List<FileName> names) {
    /** PATH_MAX without its NUL. */
    private static final int MAX_BYTES = 4095;

    FilePath {
        names = List.copyOf(names);
    }

    static FilePath of(String path) throws RestFailure {
        return of(path.getBytes(StandardCharsets.UTF_8));
    }

    /** With or without a slash before it; RestFailure 400 where it could name nothing. */
    static FilePath of(byte[] path) throws RestFailure {
        if (path.length > MAX_BYTES) {
            throw new RestFailure(400, "path_too_long", "a path of " + path.length + " bytes: at most " + MAX_BYTES);
        }
        List<FileName> names = new ArrayList<>();
        int begin = path.length > 0 && path[0] == '/' ? 1 : 0;
        for (int i = begin; i < path.length; i++) {
            if (path[i] == '/') {
                names.add(name(path, begin, i));
                begin = i + 1;
            }
        }
        if (begin < path.length || !names.isEmpty()) {
            names.add(name(path, begin, path.length));
        }
        return new FilePath(names);
    }

    private static FileName name(byte[] path, int begin, int end) throws RestFailure {
        try {
            return FileName.of(Arrays.copyOfRange(path, begin, end));
        } catch (ErrnoException wrong) {
            throw new RestFailure(400, "invalid_path", "path: " + wrong.getMessage());
        }
    }

    FilePath with(FileName name) {
        List<FileName> longer = new ArrayList<>(names);
        longer.add(name);
        return new FilePath(longer);
    }

    boolean root() {
        return names.isEmpty();
    }

    @Override
    public String toString() {
        return "/" + String.join("/", names.stream().map(FileName::toString).toList());
    }
}
