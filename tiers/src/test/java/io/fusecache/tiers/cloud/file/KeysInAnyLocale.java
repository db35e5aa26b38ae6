package io.fusecache.tiers.cloud.file;

import io.fusecache.tiers.cloud.ObjectStore.Depth;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;

/** Run in a process with a locale of its own: puts an object, and finds it in a listing and by its key. */
final class KeysInAnyLocale {
    static final String KEY = "ümläut/日本語/🦊 %41";

    private KeysInAnyLocale() {}

    public static void main(String[] args) throws Exception {
        try (FolderStore store = new FolderStore(Path.of(args[0]))) {
            store.put(KEY, MemorySegment.NULL, Map.of("k", "v"));
            String listed =
                    store.list("", Depth.TREE, null).objects().getFirst().key();
            if (!listed.equals(KEY) || store.head(KEY).isEmpty()) {
                throw new AssertionError("listed as " + listed);
            }
        }
    }
}
