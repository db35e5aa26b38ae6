package io.fusecache.coordinator.state;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.rocksdb.NativeLibraryLoader;
import org.rocksdb.RocksDB;

/**
 * RocksDB's native part. From {@code java.library.path} where it is installed; else unpacked from its jar beside the state:
 * left to itself it leaves a copy in /tmp for every process that is killed.
 */
final class NativeLibrary {
    private NativeLibrary() {}

    static synchronized void load(Path folder) throws IOException {
        Path unpacked = folder.resolve("native");
        Files.createDirectories(unpacked);
        try {
            NativeLibraryLoader.getInstance().loadLibrary(unpacked.toString());
            RocksDB.loadLibrary();
        } catch (UnsatisfiedLinkError | RuntimeException notOurs) {
            throw new IOException("RocksDB's native library does not load on this machine: " + notOurs, notOurs);
        }
    }
}
