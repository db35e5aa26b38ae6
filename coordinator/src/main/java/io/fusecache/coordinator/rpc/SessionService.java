package io.fusecache.coordinator.rpc;

import io.fusecache.coordinator.Coordinator;
import io.fusecache.coordinator.Replica;
import io.fusecache.coordinator.session.Sessions;
import io.fusecache.metadata.proto.SessionGrpc;
import io.fusecache.metadata.proto.Wire;
import io.fusecache.metadata.session.Welcome;
import io.fusecache.metadata.wire.GrpcTransport;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Takes streams of clients: those that carry the API key, once there are sessions to serve them with. */
public final class SessionService {
    private final byte @Nullable [] authorization;
    private volatile Supplier<Optional<Sessions>> sessions = Optional::empty;
    private volatile Supplier<List<Welcome.Member>> members = List::of;
    private volatile Supplier<String> refusal = () -> "the coordinator is starting";

    /** @param apiKey what clients must carry, or null for nothing */
    public SessionService(@Nullable String apiKey) {
        this.authorization = apiKey == null ? null : (GrpcTransport.BEARER + apiKey).getBytes(StandardCharsets.UTF_8);
    }

    /** Streams are welcome from now on. */
    public void serve(Sessions served) {
        sessions = () -> Optional.of(served);
    }

    /** Streams are welcome from now on, while it leads; else they hear who does. */
    public void serve(Replica replica) {
        refusal = replica::refusal;
        members = () -> replica.members().values().stream()
                .map(member -> new Welcome.Member(member.grpc(), member.http()))
                .toList();
        sessions = () -> replica.leading().map(Coordinator::sessions);
    }

    ServerServiceDefinition definition() {
        return ServerServiceDefinition.builder(SessionGrpc.getServiceDescriptor())
                .addMethod(SessionGrpc.getOpenMethod(), this::open)
                .build();
    }

    private ServerCall.Listener<Wire.Upstream> open(ServerCall<Wire.Upstream, Wire.Downstream> call, Metadata headers) {
        Optional<Sessions> serving = sessions.get();
        if (serving.isEmpty()) {
            call.close(Status.UNAVAILABLE.withDescription(refusal.get()), new Metadata());
        } else if (!authorized(headers.get(GrpcTransport.AUTHORIZATION))) {
            call.close(
                    Status.UNAUTHENTICATED.withDescription(
                            "the coordinator asks for an API key: give the client its own with -api-key or FUSE_API_KEY"),
                    new Metadata());
        } else {
            return SessionStream.begin(call, serving.get(), members);
        }
        return new ServerCall.Listener<>() {};
    }

    private boolean authorized(@Nullable String given) {
        return authorization == null
                || (given != null && MessageDigest.isEqual(given.getBytes(StandardCharsets.UTF_8), authorization));
    }
}
