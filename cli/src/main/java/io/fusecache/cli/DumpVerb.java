package io.fusecache.cli;

import io.fusecache.client.StartupException;
import io.fusecache.client.settings.UsageException;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.zip.GZIPInputStream;
import tools.jackson.databind.JsonNode;

/** {@code fusecache dump} and {@code load}: the namespace as lines of JSON, and back into an empty coordinator. */
final class DumpVerb {
    static final String USAGE = "[FILE|-]";
    static final String LOAD_USAGE = "FILE|-";
    private static final List<String> OPTIONS = List.of("coordinator", "api-key");
    private static final VerbLine.Form DUMP = new VerbLine.Form("dump", USAGE, List.of(), OPTIONS, 0, 1);
    private static final VerbLine.Form LOAD = new VerbLine.Form("load", LOAD_USAGE, List.of(), OPTIONS, 1, 1);

    private DumpVerb() {}

    static int dump(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        VerbLine line = DUMP.parse(words);
        String to = line.words().stream().findFirst().orElse("-");
        CoordinatorApi api = CoordinatorApi.of(line, Optional.empty());
        if (to.equals("-")) {
            OutputStream whole = new BufferedOutputStream(out, 1 << 16);
            api.download("/api/dump", whole);
            whole.flush();
            if (out.checkError()) {
                throw new IOException("the dump could not be written");
            }
            return ExitStatus.DONE;
        }
        Path file = Path.of(to).toAbsolutePath();
        Path part = file.resolveSibling(file.getFileName() + ".part");
        try (OutputStream whole = new BufferedOutputStream(Files.newOutputStream(part), 1 << 16)) {
            api.download("/api/dump", whole);
        }
        Files.move(part, file, StandardCopyOption.ATOMIC_MOVE);
        return ExitStatus.DONE;
    }

    static int load(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        VerbLine line = LOAD.parse(words);
        String from = line.words().getFirst();
        CoordinatorApi api = CoordinatorApi.of(line, Optional.empty());
        JsonNode loaded = from.equals("-") ? api.upload("/api/load", () -> System.in) : load(api, Path.of(from));
        out.println(text(loaded));
        return ExitStatus.DONE;
    }

    /** A dump, packed by gzip where its name says so. */
    static JsonNode load(CoordinatorApi api, Path file) throws StartupException, IOException, InterruptedException {
        if (!Files.isReadable(file)) {
            throw new StartupException(file + " cannot be read");
        }
        return api.upload("/api/load", () -> {
            InputStream bytes = Files.newInputStream(file);
            return file.toString().endsWith(".gz") ? new GZIPInputStream(bytes, 1 << 16) : bytes;
        });
    }

    static String text(JsonNode loaded) {
        return "%d inodes are loaded, as namespace %s: nodes that were connected before are to be started anew"
                .formatted(
                        loaded.at("/inodes").asLong(), loaded.at("/namespace").asString(""));
    }
}
