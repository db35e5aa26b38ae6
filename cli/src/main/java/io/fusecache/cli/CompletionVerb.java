package io.fusecache.cli;

import io.fusecache.client.settings.Setting;
import io.fusecache.client.settings.UsageException;
import java.io.PrintStream;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * {@code fusecache completion SHELL}: a script by which bash or zsh completes verbs, flags and files. zsh runs the one for bash
 * by its bashcompinit.
 */
final class CompletionVerb {
    static final String USAGE = "bash|zsh";
    private static final VerbLine.Form FORM = new VerbLine.Form("completion", USAGE, List.of(), List.of(), 1, 1);

    private CompletionVerb() {}

    static int run(List<String> words, PrintStream out) throws UsageException {
        String shell = FORM.parse(words).words().getFirst();
        switch (shell) {
            case "bash" -> out.print(script());
            case "zsh" -> out.print("autoload -U +X bashcompinit && bashcompinit\n" + script());
            default -> throw new UsageException("completion: unknown shell '" + shell + "': expected bash or zsh");
        }
        return ExitStatus.DONE;
    }

    /** Words with a dash are completed by the flags of the verb, or of the program; all others by names of files. */
    private static String script() {
        String verbs = FuseCache.verbs().stream().map(Verb::name).collect(Collectors.joining(" "));
        StringBuilder cases = new StringBuilder();
        for (Verb verb : FuseCache.verbs()) {
            cases.append("    %s) flags=\"%s%s\" ;;%n"
                    .formatted(
                            verb.name(),
                            String.join(" ", verb.options()),
                            verb.takesClientFlags() ? " $_fusecache_client_flags" : ""));
        }
        return """
                # Completion of fusecache, client and coordinator, made by 'fusecache completion'.
                _fusecache_client_flags="%1$s"
                _fusecache_coordinator_flags="%2$s"
                _fusecache_of() { # the words of $1 for what begins with a dash, else names of files
                  local word="${COMP_WORDS[COMP_CWORD]}"
                  case "$word" in
                    -*) COMPREPLY=($(compgen -W "$1" -- "$word")) ;;
                    *) COMPREPLY=($(compgen -f -- "$word")) ;;
                  esac
                }
                _fusecache_client() { _fusecache_of "$_fusecache_client_flags"; }
                _fusecache_coordinator() { _fusecache_of "$_fusecache_coordinator_flags"; }
                _fusecache() {
                  local flags=
                  if [ "$COMP_CWORD" -eq 1 ] || { [ "$COMP_CWORD" -eq 2 ] && [ "${COMP_WORDS[1]}" = help ]; }; then
                    COMPREPLY=($(compgen -W "help %3$s" -- "${COMP_WORDS[COMP_CWORD]}"))
                    return
                  fi
                  case "${COMP_WORDS[1]}" in
                %4$s  esac
                  _fusecache_of "$flags --help"
                }
                complete -o filenames -F _fusecache fusecache
                complete -o filenames -F _fusecache_client client
                complete -o filenames -F _fusecache_coordinator coordinator
                """.formatted(
                        flags(Stream.of(Setting.values()).map(Setting::flag)),
                        flags(Stream.of(CoordinatorFlags.Setting.values()).map(setting -> setting.flag)),
                        verbs,
                        cases);
    }

    private static String flags(Stream<String> settings) {
        return Stream.concat(settings, Stream.of("config", "help", "version"))
                .map(flag -> "-" + flag)
                .collect(Collectors.joining(" "));
    }
}
