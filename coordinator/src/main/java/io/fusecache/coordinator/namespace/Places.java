package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.Node;
import io.fusecache.coordinator.state.View;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Timestamp;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The keys that the names of many files give; those of directories are remembered. Used by one thread, on a view that stays as it is. */
public final class Places {
    private static final int MOST_DIRECTORIES = 4_096;

    private final Execution run;
    private final Map<Long, Optional<String>> directories = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Long, Optional<String>> eldest) {
            return size() > MOST_DIRECTORIES;
        }
    };

    public Places(View view) {
        run = new Execution(new Context(Timestamp.EPOCH, 0, null, Map.of(), Set.of()), view);
    }

    /** Where the object of a file belongs. */
    public String ofFile(Node node) {
        FileName name = node.name();
        if (node.inode().links() == 0 || name == null) {
            return ObjectKeys.ofFile(run, node);
        }
        String directory = ofDirectory(node.parent());
        String key = directory == null ? null : ObjectKeys.append(directory, name, "");
        return key == null ? ObjectKeys.aside(run, node.ino()) : key;
    }

    /** What the keys below a directory begin with, which is that of its marker; null where there are none. */
    public @Nullable String ofDirectory(long ino) {
        Optional<String> known = directories.get(ino);
        if (known == null) {
            known = Optional.ofNullable(ObjectKeys.ofDirectory(run, ino));
            directories.put(ino, known);
        }
        return known.orElse(null);
    }
}
