import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipOutputStream;

/**
 * Takes the native libraries out of a jar that carries one for every platform: writes the jar without them, and this
 * platform's library into a folder of its own for {@code java.library.path}. Usage: JAR STRIPPED-JAR FOLDER.
 *
 * <p>Without it rocksdbjni alone is 92 MB, and every start unpacks 17 MB into /tmp, which a killed process leaves there.
 */
void main(String[] args) throws IOException {
    Path stripped = Path.of(args[1]);
    Path libraries = Path.of(args[2]);
    Files.createDirectories(libraries);
    boolean found = false;
    try (ZipFile jar = new ZipFile(args[0]);
            ZipOutputStream out = new ZipOutputStream(Files.newOutputStream(stripped))) {
        for (ZipEntry entry : (Iterable<ZipEntry>) jar.stream().map(ZipEntry.class::cast)::iterator) {
            String name = entry.getName();
            if (name.endsWith(".so") || name.endsWith(".jnilib") || name.endsWith(".dll")) {
                if (name.equals(ownLibrary())) {
                    Files.copy(jar.getInputStream(entry), libraries.resolve(name), StandardCopyOption.REPLACE_EXISTING);
                    found = true;
                }
                continue;
            }
            ZipEntry copy = new ZipEntry(name);
            copy.setTime(entry.getTime());
            out.putNextEntry(copy);
            jar.getInputStream(entry).transferTo(out);
        }
    }
    if (!found) {
        Files.delete(stripped);
        throw new IOException(args[0] + " has no " + ownLibrary());
    }
}

/** The name under which rocksdbjni carries the library for this machine. */
String ownLibrary() {
    String platform = switch (System.getProperty("os.arch")) {
        case "amd64", "x86_64" -> "linux64";
        case String other -> "linux-" + other;
    };
    boolean musl = Files.exists(Path.of("/lib/ld-musl-" + System.getProperty("os.arch").replace("amd64", "x86_64") + ".so.1"));
    return "librocksdbjni-" + platform + (musl ? "-musl" : "") + ".so";
}
