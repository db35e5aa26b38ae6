package io.fusecache.testkit;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Azurite over a folder, in a process of its own on a port of loopback: Azure Blob Storage that checks signatures, checksums and
 * conditions. The module {@code stores} has it.
 */
public final class AzureServer implements AutoCloseable {
    public static final String ACCOUNT = "devstoreaccount1";

    /** Of the account above, known to everybody: "Use the Azurite emulator", well-known storage account and key. */
    public static final String KEY =
            "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    private static final Pattern LISTENS = Pattern.compile("listens on http://127\\.0\\.0\\.1:(\\d+)");

    private final ServerProcess process;

    private AzureServer(ServerProcess process) {
        this.process = process;
    }

    /** @param folder where it keeps its blobs, in a form of its own */
    public static AzureServer start(Path folder) throws IOException, InterruptedException {
        return new AzureServer(ServerProcess.start(
                "azurite",
                List.of(
                        ServerProcess.installed("target/azurite") + "/node_modules/.bin/azurite-blob",
                        "--blobHost",
                        "127.0.0.1",
                        "--blobPort",
                        "0",
                        "--location",
                        folder.toString(),
                        "--silent",
                        "--disableTelemetry",
                        "--skipApiVersionCheck"),
                LISTENS));
    }

    /** Of the account. */
    public URI endpoint() {
        return process.endpoint().resolve("/" + ACCOUNT);
    }

    @Override
    public void close() throws InterruptedException {
        process.close();
    }
}
