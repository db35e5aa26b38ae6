package io.fusecache.cache;

import io.fusecache.metadata.Holder;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Who holds which blocks: what {@link BlockFetcher} needs of the namespace. */
public interface BlockDirectory {
    /** Live nodes, this one left out, that said they have blocks of the version. */
    List<Holder> holders(long ino, long version) throws IOException;

    /** This node has these blocks now ({@code null}: all). Does not wait. */
    void advertise(long ino, long version, @Nullable BitSet blocks);
}
