package io.fusecache.metadata.wire;

import io.fusecache.metadata.FileName;
import io.fusecache.metadata.proto.Wire;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What travels on a session's stream, both ways. */
public final class StreamCodec {
    /** Of one message, either way. */
    public static final int MAX_MESSAGE_BYTES = 16 << 20;

    private StreamCodec() {}

    public static Wire.Upstream encode(Hello hello) {
        return Wire.Upstream.newBuilder()
                .setHello(Wire.Hello.newBuilder()
                        .setProtocol(hello.protocol())
                        .setVolume(hello.volume())
                        .setNode(RecordCodec.encode(hello.node()))
                        .setNvmePath(hello.nvmePath())
                        .setKeyPrefix(hello.keyPrefix())
                        .setNamespace(hello.namespace())
                        .setSession(hello.session())
                        .setSecret(hello.secret()))
                .build();
    }

    /** What a stream begins with. */
    public static Hello hello(Wire.Upstream message) throws MalformedException {
        if (!message.hasHello()) {
            throw new MalformedException("a stream begins with Hello");
        }
        Wire.Hello hello = message.getHello();
        try {
            return new Hello(
                    hello.getProtocol(),
                    hello.getVolume(),
                    RecordCodec.decode(hello.getNode()),
                    hello.getNvmePath(),
                    hello.getKeyPrefix(),
                    hello.getNamespace(),
                    hello.getSession(),
                    hello.getSecret());
        } catch (IllegalArgumentException wrong) {
            throw new MalformedException(String.valueOf(wrong.getMessage()));
        }
    }

    public static Wire.Downstream encode(Welcome welcome) {
        return Wire.Downstream.newBuilder()
                .setWelcome(Wire.Welcome.newBuilder()
                        .setSession(welcome.session())
                        .setSecret(welcome.secret())
                        .setResumed(welcome.resumed())
                        .setFenced(welcome.fenced())
                        .setNamespace(welcome.namespace())
                        .setSlots(welcome.slots())
                        .setLeaseNanos(welcome.lease().toNanos())
                        .setLocks(LockCodec.encode(welcome.locks()))
                        .addAllMembers(encode(welcome.members())))
                .build();
    }

    private static List<Wire.Member> encode(List<Welcome.Member> members) {
        return members.stream()
                .map(member -> Wire.Member.newBuilder()
                        .setGrpcAddress(member.grpc())
                        .setHttpAddress(member.http())
                        .build())
                .toList();
    }

    private static List<Welcome.Member> decode(List<Wire.Member> members) {
        return members.stream()
                .map(member -> new Welcome.Member(member.getGrpcAddress(), member.getHttpAddress()))
                .toList();
    }

    /** What the coordinator's side of a stream begins with. */
    public static Welcome welcome(Wire.Downstream message) throws MalformedException {
        if (!message.hasWelcome()) {
            throw new MalformedException("the answer to Hello is Welcome");
        }
        Wire.Welcome welcome = message.getWelcome();
        return new Welcome(
                welcome.getSession(),
                welcome.getSecret(),
                welcome.getResumed(),
                welcome.getFenced(),
                welcome.getNamespace(),
                RecordCodec.count(welcome.getSlots(), "slots"),
                RecordCodec.duration(welcome.getLeaseNanos()),
                LockCodec.decode(welcome.getLocks()),
                decode(welcome.getMembersList()));
    }

    public static Wire.Upstream encode(Upstream message) {
        Wire.Upstream.Builder encoded = Wire.Upstream.newBuilder();
        return switch (message) {
            case Upstream.Request request -> encoded.setRequest(encode(request)).build();
            case Upstream.RecallDone(long recall, Set<Long> inUse, Set<Long> named) ->
                encoded.setRecallDone(Wire.RecallDone.newBuilder()
                                .setRecall(recall)
                                .addAllInUse(inUse)
                                .addAllNamed(named))
                        .build();
            case Upstream.Heartbeat(long availableBytes, long usedBytes) ->
                encoded.setHeartbeat(Wire.Heartbeat.newBuilder()
                                .setAvailableBytes(availableBytes)
                                .setUsedBytes(usedBytes))
                        .build();
            case Upstream.HeldLocks held ->
                encoded.setHeldLocks(LockCodec.encode(held)).build();
            case Upstream.Goodbye() ->
                encoded.setGoodbye(Wire.Goodbye.getDefaultInstance()).build();
        };
    }

    private static Wire.Request encode(Upstream.Request request) {
        Wire.Request.Builder message = Wire.Request.newBuilder()
                .setSlot(request.slot())
                .setSequence(request.sequence())
                .setResent(request.resent());
        OperationCodec.encode(request.operation(), message);
        return message.build();
    }

    public static Upstream decode(Wire.Upstream message) throws MalformedException {
        try {
            return switch (message.getMessageCase()) {
                case REQUEST -> decode(message.getRequest());
                case RECALL_DONE ->
                    new Upstream.RecallDone(
                            message.getRecallDone().getRecall(),
                            RecordCodec.inodes(message.getRecallDone().getInUseList()),
                            RecordCodec.inodes(message.getRecallDone().getNamedList()));
                case HEARTBEAT ->
                    new Upstream.Heartbeat(
                            RecordCodec.bytes(message.getHeartbeat().getAvailableBytes(), "available bytes"),
                            RecordCodec.bytes(message.getHeartbeat().getUsedBytes(), "used bytes"));
                case HELD_LOCKS -> LockCodec.decode(message.getHeldLocks());
                case GOODBYE -> new Upstream.Goodbye();
                case HELLO -> throw new MalformedException("a second Hello");
                case MESSAGE_NOT_SET -> throw new MalformedException("a message of no known kind");
            };
        } catch (IllegalArgumentException | ArithmeticException wrong) {
            throw new MalformedException(String.valueOf(wrong.getMessage()));
        }
    }

    private static Upstream decode(Wire.Request request) throws MalformedException {
        return new Upstream.Request(
                RecordCodec.count(request.getSlot(), "slot"),
                RecordCodec.bytes(request.getSequence(), "sequence"),
                request.getResent(),
                OperationCodec.decode(request));
    }

    public static Wire.Downstream encode(Downstream message) {
        Wire.Downstream.Builder encoded = Wire.Downstream.newBuilder();
        return switch (message) {
            case Downstream.Reply reply -> {
                Wire.Reply.Builder body =
                        Wire.Reply.newBuilder().setSlot(reply.slot()).setSequence(reply.sequence());
                AnswerCodec.encode(reply.answer(), body);
                yield encoded.setReply(body).build();
            }
            case Downstream.LockDecided(long ticket, Answer answer) -> {
                Wire.Reply.Builder body = Wire.Reply.newBuilder();
                AnswerCodec.encode(answer, body);
                yield encoded.setLockDecided(
                                Wire.LockDecided.newBuilder().setTicket(ticket).setAnswer(body))
                        .build();
            }
            case Downstream.HeartbeatHeard(List<Welcome.Member> members) ->
                encoded.setHeartbeatHeard(Wire.HeartbeatHeard.newBuilder().addAllMembers(encode(members)))
                        .build();
            case Downstream.RecallRequest request ->
                encoded.setRecall(encode(request)).build();
        };
    }

    private static Wire.RecallRequest encode(Downstream.RecallRequest request) {
        Wire.RecallRequest.Builder encoded = Wire.RecallRequest.newBuilder()
                .setRecall(request.recall())
                .addAllInodes(request.inodes())
                .setNames(request.names());
        request.changed()
                .forEach((directory, names) -> names.forEach(name -> encoded.addChanged(
                        Wire.Name.newBuilder().setInode(directory).setName(RecordCodec.encode(name)))));
        return encoded.build();
    }

    private static Map<Long, Set<FileName>> changed(List<Wire.Name> names) throws MalformedException {
        Map<Long, Set<FileName>> decoded = new HashMap<>();
        for (Wire.Name name : names) {
            decoded.computeIfAbsent(RecordCodec.ino(name.getInode()), none -> new HashSet<>())
                    .add(RecordCodec.name(name.getName()));
        }
        return decoded;
    }

    public static Downstream decode(Wire.Downstream message) throws MalformedException {
        try {
            return switch (message.getMessageCase()) {
                case REPLY ->
                    new Downstream.Reply(
                            RecordCodec.count(message.getReply().getSlot(), "slot"),
                            message.getReply().getSequence(),
                            AnswerCodec.decode(message.getReply()));
                case RECALL ->
                    new Downstream.RecallRequest(
                            message.getRecall().getRecall(),
                            RecordCodec.inodes(message.getRecall().getInodesList()),
                            message.getRecall().getNames(),
                            changed(message.getRecall().getChangedList()));
                case LOCK_DECIDED ->
                    new Downstream.LockDecided(
                            message.getLockDecided().getTicket(),
                            AnswerCodec.decode(message.getLockDecided().getAnswer()));
                case HEARTBEAT_HEARD ->
                    new Downstream.HeartbeatHeard(
                            decode(message.getHeartbeatHeard().getMembersList()));
                case WELCOME -> throw new MalformedException("a second Welcome");
                case MESSAGE_NOT_SET -> throw new MalformedException("a message of no known kind");
            };
        } catch (IllegalArgumentException | ArithmeticException wrong) {
            throw new MalformedException(String.valueOf(wrong.getMessage()));
        }
    }
}
