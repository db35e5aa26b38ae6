package io.fusecache.filesystem;

import io.fusecache.cache.BlockDirectory;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Holder;
import io.fusecache.metadata.Metadata;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who holds which blocks, by the coordinator. */
public record HolderDirectory(Metadata metadata) implements BlockDirectory {
    @Override
    public List<Holder> holders(long ino, long version) throws IOException {
        try {
            return metadata.holders(ino, version);
        } catch (ErrnoException e) {
            throw new IOException("the holders of inode " + ino + " are not known: " + e.getMessage(), e);
        }
    }

    @Override
    public void advertise(long ino, long version, @Nullable BitSet blocks) {
        metadata.advertise(ino, version, blocks);
    }
}
