package io.fusecache.tiers.cloud.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.ObjectRef;
import io.fusecache.tiers.cloud.ObjectStore;
import io.fusecache.tiers.cloud.ObjectStoreContract;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** As on a file system that has none: everything about an object lies beside it. */
final class FolderStoreWithoutExtendedAttributesTest extends ObjectStoreContract {
    @TempDir
    Path folder;

    @Override
    protected Optional<ObjectStore> copyingAtMost(long bytes) {
        return Optional.of(new FolderStore(folder, new FolderStore.Options(false, false, 7, bytes)));
    }

    @Override
    protected ObjectStore open() {
        return new FolderStore(folder, new FolderStore.Options(false, false, 7));
    }

    @Test
    void recordsGoWithTheirObjects() throws Exception {
        ObjectRef first = store.put("k", bytes(1, 1), ATTRIBUTES);
        store.put("k", bytes(1, 2), Map.of("other", "1"));
        copy(store.head("k").orElseThrow().object(), "l");
        assertThat(store.head("l").orElseThrow().attributes()).isEqualTo(Map.of("other", "1"));
        assertThat(first.key()).isEqualTo("k");
        store.delete("k");
        store.delete("l");
        assertThat(folder.resolve(".fusecache/attributes")).isEmptyDirectory();
    }

    @Test
    void attributesThatFitInNoExtendedAttributeLieBesideToo(@TempDir Path other) throws Exception {
        Map<String, String> huge = Map.of("huge", "x".repeat(20_000));
        try (FolderStore extended = new FolderStore(other)) {
            extended.put("k", bytes(1, 1), huge);
            assertThat(extended.head("k").orElseThrow().attributes()).isEqualTo(huge);
            assertThat(Files.exists(other.resolve(".fusecache/attributes")))
                    .as("beside it, unless the file system takes that much")
                    .isIn(true, false);
        }
    }
}
