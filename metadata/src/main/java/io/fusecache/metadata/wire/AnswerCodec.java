package io.fusecache.metadata.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.UnsafeByteOperations;
import io.fusecache.metadata.CloudWork;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.Holder;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.VolumeUsage;
import io.fusecache.metadata.proto.Wire;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Answer.KnownInode;
import io.fusecache.metadata.session.Answer.KnownName;
import io.fusecache.metadata.session.Answer.Result;
import java.util.ArrayList;
import java.util.List;

/** Answers in replies, and as the coordinator keeps them. */
public final class AnswerCodec {
    private AnswerCodec() {}

    public static byte[] toBytes(Answer answer) {
        Wire.Reply.Builder reply = Wire.Reply.newBuilder();
        encode(answer, reply);
        return reply.build().toByteArray();
    }

    public static Answer ofBytes(byte[] bytes) throws MalformedException {
        try {
            return decode(Wire.Reply.parseFrom(bytes));
        } catch (InvalidProtocolBufferException | IllegalArgumentException | ArithmeticException wrong) {
            throw new MalformedException(String.valueOf(wrong.getMessage()));
        }
    }

    /** Puts {@code answer} into {@code reply}. */
    static void encode(Answer answer, Wire.Reply.Builder reply) {
        if (answer.failure() != null) {
            reply.setFailure(Wire.Failure.newBuilder()
                    .setErrno(answer.failure().errno().number())
                    .setMessage(answer.failure().message()));
        }
        for (KnownInode known : answer.inodes()) {
            Wire.KnownInode.Builder message = Wire.KnownInode.newBuilder().setInode(RecordCodec.encode(known.inode()));
            if (known.content() != null) {
                message.setContent(RecordCodec.encode(known.content()));
            }
            reply.addInodes(message);
        }
        for (KnownName known : answer.names()) {
            reply.addNames(Wire.KnownName.newBuilder()
                    .setParent(known.parent())
                    .setName(RecordCodec.encode(known.name()))
                    .setIno(known.ino()));
        }
        encode(answer.result(), reply);
    }

    private static void encode(Result result, Wire.Reply.Builder reply) {
        switch (result) {
            case Answer.Nothing() -> reply.setNothing(Wire.Empty.getDefaultInstance());
            case Answer.OneInode one -> reply.setInode(RecordCodec.encode(one.inode()));
            case Answer.Content content -> reply.setContent(RecordCodec.encode(content.version()));
            case Answer.Entries entries -> {
                Wire.Entries.Builder message = Wire.Entries.newBuilder();
                entries.entries().forEach(entry -> message.addEntries(RecordCodec.encode(entry)));
                reply.setEntries(message);
            }
            case Answer.Usage usage ->
                reply.setUsage(Wire.VolumeUsage.newBuilder()
                        .setUsedBytes(usage.usage().usedBytes())
                        .setInodes(usage.usage().inodes()));
            case Answer.Value value -> reply.setValue(UnsafeByteOperations.unsafeWrap(value.bytes()));
            case Answer.AttributeNames names -> {
                Wire.AttributeNames.Builder message = Wire.AttributeNames.newBuilder();
                names.names().forEach(name -> message.addNames(RecordCodec.encode(name)));
                reply.setAttributeNames(message);
            }
            case Answer.Truth(boolean value) -> reply.setTruth(value);
            case Answer.Count(int value) -> reply.setCount(value);
            case Answer.Holders holders -> {
                Wire.Holders.Builder message = Wire.Holders.newBuilder();
                holders.holders().forEach(holder -> message.addHolders(RecordCodec.encode(holder)));
                reply.setHolders(message);
            }
            case Answer.Nodes nodes -> {
                Wire.Nodes.Builder message = Wire.Nodes.newBuilder();
                nodes.nodes().forEach(node -> message.addNodes(RecordCodec.encode(node)));
                reply.setNodes(message);
            }
            case Answer.Ticket ticket -> reply.setTicket(RecordCodec.encode(ticket.ticket()));
            case Answer.Work work -> {
                Wire.Works.Builder message = Wire.Works.newBuilder();
                work.work().forEach(piece -> message.addWork(RecordCodec.encode(piece)));
                reply.setWork(message);
            }
            case Answer.Delegation given -> reply.setDelegation(DelegationCodec.encode(given));
            case Answer.HeldBy(NodeId node) -> reply.setHeldBy(node.value());
            case Answer.Locked(boolean queued) -> reply.setQueued(queued);
            case Answer.Obstacle obstacle -> reply.setObstacle(LockCodec.encode(obstacle));
            case Answer.Begun begun -> reply.setBegun(RecordCodec.encode(begun.listing()));
        }
    }

    static Answer decode(Wire.Reply reply) throws MalformedException {
        List<KnownInode> inodes = new ArrayList<>(reply.getInodesCount());
        for (Wire.KnownInode known : reply.getInodesList()) {
            inodes.add(new KnownInode(
                    RecordCodec.decode(known.getInode()),
                    known.hasContent() ? RecordCodec.decode(known.getContent()) : null));
        }
        List<KnownName> names = new ArrayList<>(reply.getNamesCount());
        for (Wire.KnownName known : reply.getNamesList()) {
            names.add(new KnownName(
                    RecordCodec.ino(known.getParent()),
                    RecordCodec.name(known.getName()),
                    RecordCodec.ino(known.getIno())));
        }
        return new Answer(reply.hasFailure() ? decode(reply.getFailure()) : null, result(reply), inodes, names);
    }

    private static Answer.Failure decode(Wire.Failure failure) {
        return new Answer.Failure(Errno.of(failure.getErrno()), failure.getMessage());
    }

    private static Result result(Wire.Reply reply) throws MalformedException {
        return switch (reply.getResultCase()) {
            case NOTHING -> new Answer.Nothing();
            case INODE -> new Answer.OneInode(RecordCodec.decode(reply.getInode()));
            case CONTENT -> new Answer.Content(RecordCodec.decode(reply.getContent()));
            case ENTRIES -> {
                List<DirectoryEntry> entries =
                        new ArrayList<>(reply.getEntries().getEntriesCount());
                for (Wire.DirectoryEntry entry : reply.getEntries().getEntriesList()) {
                    entries.add(RecordCodec.decode(entry));
                }
                yield new Answer.Entries(entries);
            }
            case USAGE ->
                new Answer.Usage(new VolumeUsage(
                        reply.getUsage().getUsedBytes(), reply.getUsage().getInodes()));
            case VALUE -> new Answer.Value(reply.getValue().toByteArray());
            case ATTRIBUTE_NAMES ->
                new Answer.AttributeNames(RecordCodec.attributeNames(
                        List.<ByteString>copyOf(reply.getAttributeNames().getNamesList())));
            case TRUTH -> new Answer.Truth(reply.getTruth());
            case COUNT -> new Answer.Count(reply.getCount());
            case HOLDERS -> {
                List<Holder> holders = new ArrayList<>(reply.getHolders().getHoldersCount());
                for (Wire.Holder holder : reply.getHolders().getHoldersList()) {
                    holders.add(RecordCodec.decode(holder));
                }
                yield new Answer.Holders(holders);
            }
            case NODES -> {
                List<NodeAddress> nodes = new ArrayList<>(reply.getNodes().getNodesCount());
                for (Wire.NodeAddress node : reply.getNodes().getNodesList()) {
                    nodes.add(RecordCodec.decode(node));
                }
                yield new Answer.Nodes(nodes);
            }
            case TICKET -> new Answer.Ticket(RecordCodec.decode(reply.getTicket()));
            case WORK -> {
                List<CloudWork> work = new ArrayList<>(reply.getWork().getWorkCount());
                for (Wire.CloudWork piece : reply.getWork().getWorkList()) {
                    work.add(RecordCodec.decode(piece));
                }
                yield new Answer.Work(work);
            }
            case BEGUN -> new Answer.Begun(RecordCodec.decode(reply.getBegun()));
            case DELEGATION -> DelegationCodec.decode(reply.getDelegation());
            case HELD_BY -> new Answer.HeldBy(new NodeId(reply.getHeldBy()));
            case QUEUED -> new Answer.Locked(reply.getQueued());
            case OBSTACLE -> LockCodec.decode(reply.getObstacle());
            case RESULT_NOT_SET -> throw new MalformedException("a reply without a known result");
        };
    }
}
