package io.fusecache.cli;

import io.fusecache.client.doctor.Doctor;
import io.fusecache.client.doctor.Finding;
import io.fusecache.client.settings.UsageException;
import java.io.PrintStream;
import java.util.List;

/** {@code fusecache doctor}: whether a client with these flags would run here, and how well. */
final class DoctorVerb {
    private DoctorVerb() {}

    static int run(List<String> words, PrintStream out) throws UsageException {
        ClientFlags flags = new ClientFlags(
                "fusecache doctor",
                "Checks whether a client with these flags would run here, and how well.",
                List.of());
        ClientFlags.Parsed parsed = flags.parse(words.toArray(String[]::new));
        List<Finding> findings = Doctor.examine(parsed.configuration(System.getenv()));
        boolean bad = false;
        for (Finding finding : findings) {
            String mark = switch (finding.weight()) {
                case FINE -> "ok";
                case NOTE -> "note";
                case BAD -> "BAD";
            };
            out.printf("%-5s %s: %s%n", mark, finding.subject(), finding.text());
            bad |= finding.weight() == Finding.Weight.BAD;
        }
        out.println(bad ? "A client would not run here as it is." : "A client would run here.");
        return bad ? ExitStatus.FAILURE : ExitStatus.DONE;
    }
}
