package io.fusecache.cli;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.type;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.lang.foreign.Linker;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Holds the arrows of ARCHITECTURE.md: who may import whom, and which libraries stay in which room. */
final class ArchitectureTest {
    private static final JavaClasses PROJECT = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .importPackages("io.fusecache");

    /** The table of ARCHITECTURE.md. What is not named here may not be imported. */
    private static final Map<String, Set<String>> MAY_IMPORT = Map.of(
            "fuse", Set.of(),
            "metadata", Set.of(),
            "cache", Set.of("metadata"),
            "tiers", Set.of("cache", "metadata"),
            "filesystem", Set.of("cache", "metadata"),
            "coordinator", Set.of("metadata"),
            "client", Set.of("fuse", "metadata", "cache", "tiers", "filesystem"),
            "cli", Set.of("client", "coordinator", "bench", "metadata"),
            "testkit", Set.of("metadata", "cache"),
            "bench", Set.of("fuse", "metadata", "cache", "tiers", "filesystem", "coordinator", "client", "testkit"));

    private static final DescribedPredicate<JavaClass> MEASURED_AGAINST = DescribedPredicate.describe(
            "what the bench measures against", type -> type.getName().equals("io.fusecache.bench.PlainBucket"));

    @TestFactory
    Stream<DynamicTest> modulesImportOnlyWhatTheyMay() {
        return MAY_IMPORT.entrySet().stream()
                .map(room -> dynamicTest(room.getKey(), () -> importsOnly(room.getKey(), room.getValue())));
    }

    private static void importsOnly(String module, Set<String> others) {
        List<String> allowed = new ArrayList<>(List.of(room(module)));
        others.forEach(other -> allowed.add(room(other)));
        noClasses()
                .that()
                .resideInAPackage(room(module))
                .should()
                .dependOnClassesThat(resideInAPackage("io.fusecache..")
                        .and(resideInAnyPackage(allowed.toArray(String[]::new)).negate()))
                .because(module + " may import " + new TreeSet<>(others)
                        + ": let the caller pass what is missing, or move the type to a room both may see")
                .allowEmptyShould(true)
                .check(PROJECT);
    }

    @Test
    void everyClassLivesInARoom() {
        Set<String> rooms = new TreeSet<>();
        PROJECT.forEach(type -> rooms.add(type.getPackageName().split("\\.")[2]));
        assertThat(MAY_IMPORT.keySet()).containsAll(rooms);
    }

    @Test
    void noTierImportsAnother() {
        slices().matching("io.fusecache.tiers.(*)..")
                .should()
                .notDependOnEachOther()
                .because("tiers compose through the contracts in io.fusecache.cache")
                .allowEmptyShould(true)
                .check(PROJECT);
    }

    @Test
    void noCloudProviderImportsAnother() {
        slices().matching("io.fusecache.tiers.cloud.(*)..")
                .should()
                .notDependOnEachOther()
                .because("what providers share lives in io.fusecache.tiers.cloud itself")
                .allowEmptyShould(true)
                .check(PROJECT);
    }

    /** What the bench compares a mount with is the SDK itself, in one class that nothing of the product uses. */
    @Test
    void cloudSdksStayInTheirPackage() {
        onlyIn("io.fusecache.tiers.cloud.s3..", MEASURED_AGAINST, "software.amazon..");
        onlyIn("io.fusecache.tiers.cloud.azure..", "com.azure..");
        onlyIn("io.fusecache.tiers.cloud.gcs..", "com.google.auth..", "com.google.cloud..");
    }

    @Test
    void theDatabaseStaysInTheCoordinator() {
        onlyIn("io.fusecache.coordinator..", "org.rocksdb..", "org.apache.ratis..");
    }

    @Test
    void httpServersStayAtTheEdges() {
        noClasses()
                .that()
                .resideInAnyPackage(
                        room("fuse"), room("metadata"), room("cache"), room("filesystem"), "io.fusecache.tiers.nvme..")
                .should()
                .dependOnClassesThat(resideInAnyPackage("org.eclipse.jetty..", "org.apache.hc.."))
                .because("HTTP is spoken by tiers.peer, tiers.cloud, client and coordinator")
                .allowEmptyShould(true)
                .check(PROJECT);
    }

    @Test
    void systemCallsAreMadeInFuseSysAlone() {
        noClasses()
                .that()
                .resideOutsideOfPackages("io.fusecache.fuse.sys..", "io.fusecache.testkit.posix.scene..")
                .should()
                .dependOnClassesThat(type(Linker.class))
                .because("fuse.sys holds the only downcalls of what we ship: add the call there"
                        + " (the POSIX suite tests any mount, and shares nothing with what it tests)")
                .allowEmptyShould(true)
                .check(PROJECT);
    }

    @Test
    void theWireFormatMakesNoSystemCalls() {
        noClasses()
                .that()
                .resideInAPackage("io.fusecache.fuse.wire..")
                .should()
                .dependOnClassesThat(resideInAnyPackage(
                        "io.fusecache.fuse.sys..", "io.fusecache.fuse.mount..", "io.fusecache.fuse.session.."))
                .because("wire is layouts and codecs, testable with bytes alone")
                .allowEmptyShould(true)
                .check(PROJECT);
    }

    private static void onlyIn(String room, String... libraries) {
        onlyIn(room, DescribedPredicate.alwaysFalse(), libraries);
    }

    private static void onlyIn(String room, DescribedPredicate<JavaClass> allowed, String... libraries) {
        noClasses()
                .that()
                .resideOutsideOfPackage(room)
                .and(DescribedPredicate.not(allowed))
                .should()
                .dependOnClassesThat(resideInAnyPackage(libraries))
                .because("these types stay in " + room + ": hand out our own records instead")
                .allowEmptyShould(true)
                .check(PROJECT);
    }

    private static String room(String module) {
        return "io.fusecache." + module + "..";
    }
}
