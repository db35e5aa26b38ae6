package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Keeps the habits of CONTRIBUTING.md that no formatter or compiler check knows. Messages name the way out. */
final class StyleTest {
    private static final int MAX_LINES = 500;

    /** Files that may be longer, each with the reason, by their path under the repository. */
    private static final Map<String, String> LONGER_FOR_A_REASON = Map.of(
            "coordinator/src/main/java/io/fusecache/coordinator/session/Sessions.java",
            "the life of a session, whose every step is one turn over leases, registry and namespace",
            "coordinator/src/test/java/io/fusecache/coordinator/namespace/BucketWorkTest.java",
            "names change and the bucket follows: the cases of one state machine, over one bucket of keys",
            "coordinator/src/main/java/io/fusecache/coordinator/session/LockTable.java",
            "who has which lock and who waits for whom: one change is a change of both",
            "fuse/src/main/java/io/fusecache/fuse/sys/Posix.java",
            "every downcall of the project, in one class by rule",
            "metadata/src/main/java/io/fusecache/metadata/SessionClient.java",
            "requests, stream and coming back: one state under two locks in one order",
            "tiers/src/main/java/io/fusecache/tiers/nvme/BackingFile.java",
            "one lock, one record: the rules of what it says stay in one place");

    private static final Pattern EMPTY_NAME =
            Pattern.compile("(?:Manager|Helpers?|Impl|Utils?|Utility|Utilities|Data|Info)$");
    private static final Pattern EMPTY_PACKAGE = Pattern.compile("\\.(common|utils?|helpers?|impl|misc|shared)(\\.|$)");
    private static final Pattern GETTER = Pattern.compile("get[A-Z].*");
    private static final Pattern LEFT_OVER = Pattern.compile("(?://|\\*).*\\b(?:TODO|FIXME|XXX|HACK)\\b");

    private static final List<JavaClass> OURS = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests()).importPackages("io.fusecache").stream()
                    .filter(type -> !type.getPackageName().startsWith("io.fusecache.metadata.proto"))
                    .toList();

    @Test
    void filesStayShortEnoughToReadInOneGo() throws IOException {
        List<String> tooLong = new ArrayList<>();
        for (Path file : sources()) {
            long lines = Files.readAllLines(file).size();
            if (lines > MAX_LINES && !LONGER_FOR_A_REASON.containsKey(relative(file))) {
                tooLong.add(relative(file) + " has " + lines + " lines, more than " + MAX_LINES
                        + ": split it by concern, or list it with its reason in StyleTest.LONGER_FOR_A_REASON");
            }
        }
        assertThat(tooLong).isEmpty();
    }

    @Test
    void everyPackageSaysWhatLivesThere() throws IOException {
        TreeSet<String> silent = new TreeSet<>();
        for (Path file : sources()) {
            if (!relative(file).contains("/src/main/java/")) {
                continue;
            }
            Path info = file.resolveSibling("package-info.java");
            if (!Files.exists(info)) {
                silent.add(relative(info) + " is missing: say what lives there, what may come in and what goes out");
            } else if (!Files.readString(info).contains("@NullMarked")) {
                silent.add(relative(info) + " lacks @NullMarked: without it nobody checks its nulls");
            } else if (!Files.readString(info).startsWith("/**")) {
                silent.add(relative(info) + " opens without a doc: say what lives there");
            }
        }
        assertThat(silent).isEmpty();
    }

    @Test
    void typesAreNamedForWhatTheyAre() {
        List<String> vague = new ArrayList<>();
        for (JavaClass type : OURS) {
            Matcher ending = EMPTY_NAME.matcher(type.getSimpleName());
            if (ending.find() && !type.getSimpleName().equals("package-info")) {
                vague.add(type.getName() + ": '" + ending.group()
                        + "' says nothing: name the trait that sets it apart, such as SparseBlockFile or HedgedRead");
            }
            if (EMPTY_PACKAGE.matcher(type.getPackageName()).find()) {
                vague.add(type.getName() + ": its package is a drawer: move it to the room of its one user");
            }
        }
        assertThat(vague).isEmpty();
    }

    @Test
    void accessorsAreNamedForTheirAnswer() {
        List<String> getters = OURS.stream()
                .flatMap(type -> type.getMethods().stream())
                .filter(method -> GETTER.matcher(method.getName()).matches())
                .filter(method -> !method.getName().contains("$") && !overridesForeign(method))
                .map(method -> method.getFullName() + ": call it " + withoutPrefix(method.getName()) + "()")
                .toList();
        assertThat(getters).isEmpty();
    }

    @Test
    void nothingIsLeftForLater() throws IOException {
        List<String> leftOver = new ArrayList<>();
        for (Path file : sources()) {
            List<String> lines = Files.readAllLines(file);
            for (int line = 0; line < lines.size(); line++) {
                if (LEFT_OVER.matcher(lines.get(line)).find() && !file.endsWith("StyleTest.java")) {
                    leftOver.add(relative(file) + ":" + (line + 1) + ": do it now, or file it as an issue");
                }
            }
        }
        assertThat(leftOver).isEmpty();
    }

    /** Whether a supertype that is not ours forces the name. */
    private static boolean overridesForeign(JavaMethod method) {
        return Stream.concat(
                        method.getOwner().getAllRawSuperclasses().stream(),
                        method.getOwner().getAllRawInterfaces().stream())
                .filter(type -> !type.getPackageName().startsWith("io.fusecache"))
                .flatMap(type -> type.getMethods().stream())
                .anyMatch(inherited -> inherited.getName().equals(method.getName())
                        && inherited.getRawParameterTypes().size()
                                == method.getRawParameterTypes().size());
    }

    private static String withoutPrefix(String getter) {
        return Character.toLowerCase(getter.charAt(3)) + getter.substring(4);
    }

    private static List<Path> sources() throws IOException {
        List<Path> sources = new ArrayList<>();
        try (Stream<Path> modules = Files.list(root())) {
            for (Path source : modules.map(module -> module.resolve("src"))
                    .filter(Files::isDirectory)
                    .toList()) {
                try (Stream<Path> files = Files.walk(source)) {
                    files.filter(file -> file.toString().endsWith(".java")).forEach(sources::add);
                }
            }
        }
        assertThat(sources).as("Java files under " + root()).isNotEmpty();
        return sources;
    }

    private static String relative(Path file) {
        return root().relativize(file).toString();
    }

    /** The repository: the nearest folder above with a .mvn. */
    private static Path root() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(folder.resolve(".mvn"))) {
            folder = Objects.requireNonNull(folder.getParent(), "run from within the repository");
        }
        return folder;
    }
}
