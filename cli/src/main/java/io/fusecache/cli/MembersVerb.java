package io.fusecache.cli;

import io.fusecache.client.NodeConfiguration.HostPort;
import io.fusecache.client.StartupException;
import io.fusecache.client.settings.HostPortText;
import io.fusecache.client.settings.UsageException;
import java.io.IOException;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/** {@code fusecache members}: who the coordinator's replicas are, and how far behind; one more, one less. */
final class MembersVerb {
    static final String USAGE =
            "[--coordinator HOST:PORT,...] [--json] [add ID=HOST:RAFTPORT[:GRPCPORT:HTTPPORT] | remove ID]";

    private static final Pattern ADDED = Pattern.compile("([A-Za-z0-9._-]+)=(.+?:\\d{1,5})(?::(\\d{1,5}):(\\d{1,5}))?");
    private static final int GRPC_PORT = 9080;
    private static final int HTTP_PORT = 8080;

    private static final VerbLine.Form FORM =
            new VerbLine.Form("members", USAGE, List.of("json"), List.of("coordinator", "api-key"), 0, 2);

    private MembersVerb() {}

    static int run(List<String> words, PrintStream out)
            throws UsageException, StartupException, IOException, InterruptedException {
        VerbLine line = FORM.parse(words);
        List<String> what = line.words();
        String action = what.isEmpty() ? "list" : what.getFirst();
        if (!action.equals("list") && what.size() != 2) {
            throw new UsageException("members: " + action + ": expected ID: usage: fusecache members " + USAGE);
        }
        JsonNode members = switch (action) {
            case "list" -> api(line).get("/api/members");
            case "add" -> {
                Map<String, Object> added = added(what.get(1));
                yield api(line).post("/api/members", added);
            }
            case "remove" -> api(line).delete("/api/members?id=" + CoordinatorApi.encoded(what.get(1)));
            default ->
                throw new UsageException("members: unknown word '" + action + "': usage: fusecache members " + USAGE);
        };
        if (line.has("json")) {
            out.println(members);
        } else if (members.at("/members").isEmpty()) {
            out.println("the coordinator has no replicas");
        } else {
            members.at("/members").forEach(member -> out.println(text(member)));
        }
        return ExitStatus.DONE;
    }

    private static CoordinatorApi api(VerbLine line) throws StartupException, IOException, InterruptedException {
        return CoordinatorApi.of(line, Optional.empty());
    }

    static Map<String, Object> added(String text) throws UsageException {
        Matcher parts = ADDED.matcher(text);
        try {
            if (parts.matches()) {
                HostPort raft = HostPortText.parse(parts.group(2));
                return Map.of(
                        "id", parts.group(1),
                        "host", raft.host(),
                        "raft_port", raft.port(),
                        "grpc_port", parts.group(3) == null ? GRPC_PORT : Integer.parseInt(parts.group(3)),
                        "http_port", parts.group(4) == null ? HTTP_PORT : Integer.parseInt(parts.group(4)));
            }
        } catch (IllegalArgumentException wrong) {
            // As below.
        }
        throw new UsageException(
                "members: '" + text + "': expected ID=HOST:RAFTPORT or ID=HOST:RAFTPORT:GRPCPORT:HTTPPORT");
    }

    /** A member in a few words. */
    static String text(JsonNode member) {
        String role = member.at("/role").asString("");
        long behind = member.at("/behind").asLong();
        JsonNode heard = member.at("/heard_ms");
        String standing = role.equals("leader")
                ? "leads, at entry " + member.at("/commit_index").asLong()
                : (role.equals("away") ? "AWAY" : "follows")
                        + (behind == 0 ? "" : ", " + behind + " entries behind")
                        + (!role.equals("away")
                                ? ""
                                : heard.isNumber()
                                        ? ", heard %d s ago".formatted(heard.asLong() / 1000)
                                        : ", never heard");
        return "%s at %s:%d: %s"
                .formatted(
                        member.at("/id").asString(""),
                        member.at("/host").asString(""),
                        member.at("/raft_port").asInt(),
                        standing);
    }
}
