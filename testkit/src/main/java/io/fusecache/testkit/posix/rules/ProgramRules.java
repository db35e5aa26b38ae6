package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.ETXTBSY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_TRUNC;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;

import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import io.fusecache.testkit.posix.scene.Violation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/** What execve(2) and open(2) say of programs: ETXTBSY, who may run them, and a process that may open no more files. */
final class ProgramRules {
    /** A program that ends when its input does. */
    private static final Path PROGRAM = Path.of("/bin/cat");

    private static final int MOST_STARTS = 1000;

    private ProgramRules() {}

    static void add(Rules rules) {
        running(rules);
        rights(rules);
        rules.add("open(2)", "EMFILE makes no file", scene -> {
            Process process = start(scene, "/bin/sh", "-c", "ulimit -n 3; : > new");
            scene.expect("the shell was refused", end(process) != 0);
            scene.absent("new");
        });
    }

    private static void running(Rules rules) {
        for (String way : List.of("O_WRONLY", "O_RDWR", "O_RDONLY|O_TRUNC")) {
            int flags = way.equals("O_WRONLY") ? O_WRONLY : way.equals("O_RDWR") ? O_RDWR : O_TRUNC;
            rules.add("open(2)", "ETXTBSY for " + way + " of a running program", scene -> {
                copy(scene, 0755);
                Process process = start(scene, "./program");
                scene.root().open("program", flags).fails(ETXTBSY);
                scene.root().open("program", O_RDONLY).ok();
                scene.equal("exit", 0, end(process));
                scene.root().open("program", flags).ok();
            });
        }
        rules.add("truncate(2)", "ETXTBSY for a running program", scene -> {
            copy(scene, 0755);
            Process process = start(scene, "./program");
            scene.root().truncate("program", 10).fails(ETXTBSY);
            scene.equal("exit", 0, end(process));
            scene.root().truncate("program", 10).ok();
        });
        rules.add("unlink(2)", "a running program is removed and renamed like any file", scene -> {
            copy(scene, 0755);
            Process process = start(scene, "./program");
            scene.root().rename("program", "renamed").ok();
            scene.root().unlink("renamed").ok();
            scene.equal("exit", 0, end(process));
        });
        rules.add("execve(2)", "ETXTBSY for a program that is open for writing", scene -> {
            copy(scene, 0755);
            int fd = scene.root().open("program", O_WRONLY).okInt();
            refused(scene, ETXTBSY);
            scene.root().close(fd).ok();
            scene.equal("exit", 0, end(start(scene, "./program")));
        });
    }

    private static void rights(Rules rules) {
        for (int mode : List.of(0, 0644, 0666)) {
            rules.add("execve(2)", "EACCES even for root with permissions 0%o".formatted(mode), scene -> {
                copy(scene, mode);
                refused(scene, EACCES);
            });
        }
        for (int mode : List.of(0100, 0010, 0001)) {
            rules.add("execve(2)", "root may run what anybody may: 0%o".formatted(mode), scene -> {
                copy(scene, mode);
                scene.equal("exit", 0, end(start(scene, "./program")));
            });
        }
    }

    private static void copy(Scene scene, int mode) {
        try {
            Files.copy(PROGRAM, scene.path().resolve("program"));
        } catch (IOException failed) {
            throw new Violation("a program could not be copied: " + failed);
        }
        scene.root().chmod("program", mode).ok();
    }

    private static Process start(Scene scene, String... command) {
        for (int i = 0; ; i++) {
            try {
                return new ProcessBuilder(command)
                        .directory(scene.path().toFile())
                        .redirectErrorStream(true)
                        .start();
            } catch (IOException failed) {
                // Until it execs, the child of another thread's fork has the writer's descriptor, too.
                if (i == MOST_STARTS || !names(failed, ETXTBSY)) {
                    throw new Violation("not run: " + failed.getMessage());
                }
                // A process that another thread is about to start has every descriptor until it is: also the writer's.
                Thread.onSpinWait();
            }
        }
    }

    private static void refused(Scene scene, Errno errno) {
        try {
            Process process = new ProcessBuilder("./program")
                    .directory(scene.path().toFile())
                    .start();
            end(process);
        } catch (IOException refused) {
            scene.expect(errno + " in: " + refused.getMessage(), names(refused, errno));
            return;
        }
        throw new Violation("the program was run");
    }

    private static boolean names(IOException failure, Errno errno) {
        return Pattern.compile("error[=:] ?" + errno.number() + "\\b")
                .matcher(String.valueOf(failure.getMessage()))
                .find();
    }

    private static int end(Process process) {
        try {
            process.getOutputStream().close();
            return process.waitFor();
        } catch (IOException failed) {
            throw new UncheckedIOException(failed);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new Violation("interrupted while a program ran");
        }
    }
}
