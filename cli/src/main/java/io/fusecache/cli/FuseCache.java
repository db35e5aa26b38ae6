package io.fusecache.cli;

import io.fusecache.client.StartupException;
import io.fusecache.client.Version;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** {@code bin/fusecache VERB ...}: mounts, and asks and steers the nodes that run on this machine. */
public final class FuseCache {
    private static final List<Verb> VERBS = List.of(
            new Verb("mount", "[flags] SOURCE DIR", "mount a bucket, with nothing to set up before", MountVerb::run),
            new Verb("umount", "[--timeout TIME] DIR", "upload what is pending, and unmount", UmountVerb::run),
            new Verb("status", "[--json] [DIR]", "mount, tiers, pending uploads, coordinator", StatusVerb::run),
            new Verb("stats", "[--json] [DIR]", "what each tier served since start", StatsVerb::run),
            new Verb("flush", "[--timeout TIME] [DIR]", "wait until every file is in the bucket", FlushVerb::run),
            new Verb("refresh", RefreshVerb.USAGE, "see what others did to the bucket", RefreshVerb::run),
            new Verb("explain", "[--json] PATH", "which tier would serve a file, and why", ExplainVerb::run),
            new Verb("quota", QuotaVerb.USAGE, "limits of directory trees", QuotaVerb::run),
            new Verb("trash", TrashVerb.USAGE, "removed files: keep, list, restore", TrashVerb::run),
            new Verb("dump", DumpVerb.USAGE, "the namespace as lines of JSON", DumpVerb::dump),
            new Verb("load", DumpVerb.LOAD_USAGE, "a dump, into an empty coordinator", DumpVerb::load),
            new Verb("backup", BackupVerbs.USAGE, "a dump of the namespace, into the bucket", BackupVerbs::backup),
            new Verb("restore", BackupVerbs.RESTORE_USAGE, "list backups, or load one", BackupVerbs::restore),
            new Verb("rebuild", BackupVerbs.USAGE, "the namespace from the bucket alone", BackupVerbs::rebuild),
            new Verb("members", MembersVerb.USAGE, "the coordinator's replicas", MembersVerb::run),
            new Verb("doctor", "[client flags]", "check this machine, and name the way out", DoctorVerb::run),
            new Verb("config", ConfigVerb.USAGE, "the settings a client would have, and from where", ConfigVerb::run),
            new Verb("completion", CompletionVerb.USAGE, "what makes a shell complete all this", CompletionVerb::run),
            new Verb("bench", "[--disk DIR] ...", "a mount and its disk, side by side", BenchVerb::run),
            new Verb("version", "", "the version", FuseCache::version));

    private static final Pattern HELP = Pattern.compile("help|-h|--?help");

    private FuseCache() {}

    static List<Verb> verbs() {
        return VERBS;
    }

    public static void main(String[] arguments) {
        System.exit(run(List.of(arguments), System.out, System.err));
    }

    static int run(List<String> words, PrintStream out, PrintStream err) {
        if (words.isEmpty()
                || (words.size() == 1 && HELP.matcher(words.getFirst()).matches())) {
            out.print(help());
            return words.isEmpty() ? ExitStatus.USAGE : ExitStatus.DONE;
        }
        if (words.getFirst().equals("help")) {
            return run(List.of(words.get(1), "--help"), out, err);
        }
        String name = words.getFirst().matches("--?version") ? "version" : words.getFirst();
        Optional<Verb> verb =
                VERBS.stream().filter(known -> known.name().equals(name)).findFirst();
        if (verb.isEmpty()) {
            err.println("fusecache: unknown verb '" + name + "': fusecache help lists them");
            return ExitStatus.USAGE;
        }
        if (words.stream().skip(1).anyMatch(word -> HELP.matcher(word).matches() && !word.equals("help"))) {
            out.print(verb.get().page());
            return ExitStatus.DONE;
        }
        try {
            return verb.get().action().run(words.subList(1, words.size()), out);
        } catch (UsageException wrong) {
            err.println("fusecache " + wrong.getMessage());
            return ExitStatus.USAGE;
        } catch (StartupException | IOException failed) {
            err.println("fusecache " + name + ": " + ClientFlags.oneLine(failed.getMessage()));
            return ExitStatus.FAILURE;
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            err.println("fusecache " + name + ": interrupted");
            return ExitStatus.FAILURE;
        }
    }

    private static String help() {
        StringBuilder text = new StringBuilder("Usage: fusecache VERB ...\n\n");
        for (Verb verb : VERBS) {
            text.append("  %-10s %-24s %s%n".formatted(verb.name(), verb.usage(), verb.help()));
        }
        text.append("""

                'fusecache VERB --help' says more of a verb, with examples. Exit status: 0 done; 1 the work could not be
                done, one line on standard error says why; 2 what was asked for is unknown or contradicts itself.

                bin/client and bin/coordinator are the daemons of a cluster. More: README.md, docs/.
                """);
        return text.toString();
    }

    private static int version(List<String> words, PrintStream out) throws UsageException {
        new VerbLine.Form("version", "", List.of(), List.of(), 0, 0).parse(words);
        out.println("fuse-cache " + Version.text() + " (Java " + Runtime.version() + ")");
        return ExitStatus.DONE;
    }
}
