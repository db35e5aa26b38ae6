package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Programs that nobody wrote for us, on a mount. */
final class ProgramsIT {
    private Cluster cluster;

    private Path mounted(String passthrough) throws IOException, InterruptedException {
        cluster = Cluster.start(1, "-passthrough", passthrough);
        return cluster.node(1).mount();
    }

    @AfterEach
    void stop() throws IOException, InterruptedException {
        cluster.close();
    }

    /** The project's own sources, committed, changed, branched, packed and checked. */
    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void gitWorks(String passthrough) throws Exception {
        Path mount = mounted(passthrough);
        Path project = project();
        String copy = "for module in \"$1\"/*/src; do"
                + " mkdir -p \"repository/$(basename \"$(dirname \"$module\")\")\";"
                + " cp -a \"$module\" \"repository/$(basename \"$(dirname \"$module\")\")/\"; done";
        Shell.run(mount, "sh", "-euc", "mkdir repository && " + copy, "sh", project.toString())
                .orFail();
        Path repository = mount.resolve("repository");
        Shell.sh(repository, """
                git init -q -b main
                git config user.email test@example.com
                git config user.name test
                git add .
                git commit -q -m first
                git checkout -q -b other
                find . -name '*.java' | head -n 50 | while read -r f; do echo '// changed' >> "$f"; done
                git rm -q -r client
                git commit -q -a -m second
                git checkout -q main
                test -d client
                git merge -q other
                test ! -e client
                git tag -a -m marked v1
                git gc -q
                git fsck --full --strict
                test -z "$(git status --porcelain)"
                git clone -q . ../clone
                """);
        assertThat(Shell.sh(
                        mount.resolve("clone"), "git log --format=%s; git fsck --full 2>&1; git status --porcelain"))
                .isEqualTo("second\nfirst\n");
        cluster.node(1).stop();
        cluster.node(1).start();
        Shell.sh(repository, "git fsck --full --strict && test -z \"$(git status --porcelain)\"");
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void mavenBuilds(String passthrough) throws Exception {
        Path work = Files.createDirectories(mounted(passthrough).resolve("build/src/main/java/demo"));
        Files.writeString(work.resolve("Main.java"), """
                package demo;

                public final class Main {
                    public static void main(String[] arguments) {
                        System.out.println("built on the mount");
                    }
                }
                """);
        Path project = work.resolve("../../../..").normalize();
        Files.writeString(project.resolve("pom.xml"), """
                <project xmlns="http://maven.apache.org/POM/4.0.0">
                  <modelVersion>4.0.0</modelVersion>
                  <groupId>demo</groupId>
                  <artifactId>demo</artifactId>
                  <version>1</version>
                  <properties>
                    <maven.compiler.release>25</maven.compiler.release>
                    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
                  </properties>
                  <build>
                    <pluginManagement>
                      <plugins>
                        <plugin><artifactId>maven-resources-plugin</artifactId><version>3.3.1</version></plugin>
                        <plugin><artifactId>maven-compiler-plugin</artifactId><version>3.16.0</version></plugin>
                        <plugin><artifactId>maven-surefire-plugin</artifactId><version>3.6.1</version></plugin>
                        <plugin><artifactId>maven-jar-plugin</artifactId><version>3.4.2</version></plugin>
                      </plugins>
                    </pluginManagement>
                  </build>
                </project>
                """);
        Shell.run(
                        project,
                        Map.of("JAVA_HOME", System.getProperty("java.home")),
                        List.of("mvn", "-o", "-q", "-B", "package"))
                .orFail();
        assertThat(Shell.run(
                                project,
                                Path.of(System.getProperty("java.home"), "bin", "java")
                                        .toString(),
                                "-cp",
                                "target/demo-1.jar",
                                "demo.Main")
                        .orFail())
                .isEqualTo("built on the mount\n");
    }

    /** By turns with passthrough and through the daemon, on two nodes. */
    @Test
    void gitMakesOfTenThousandFilesOnTwoMountsWhatItMakesOnADisk() throws Exception {
        cluster = Cluster.start(0);
        Path one = cluster.addNode("-passthrough", "auto").mount();
        Path two = cluster.addNode("-passthrough", "off").mount();
        Path disk = disk();
        assertThat(Shell.script(one, "git.sh", one, two)).isEqualTo(Shell.script(disk, "git.sh", disk, disk));
    }

    @ParameterizedTest(name = "passthrough {0}")
    @ValueSource(strings = {"auto", "off"})
    void aProgramInCIsBuiltAsOnADisk(String passthrough) throws Exception {
        Path mount = mounted(passthrough);
        assertThat(Shell.script(mount, "c_build.sh")).isEqualTo(Shell.script(disk(), "c_build.sh"));
    }

    private Path disk() throws IOException {
        return Files.createDirectory(cluster.directory().resolve("disk"));
    }

    private static Path project() {
        Path folder = Path.of("").toAbsolutePath();
        while (!Files.isDirectory(folder.resolve(".mvn"))) {
            folder = Objects.requireNonNull(folder.getParent(), "run from within the repository");
        }
        return folder;
    }
}
