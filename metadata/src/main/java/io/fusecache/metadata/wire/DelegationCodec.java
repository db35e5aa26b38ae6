package io.fusecache.metadata.wire;

import com.google.protobuf.InvalidProtocolBufferException;
import io.fusecache.metadata.proto.Wire;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.util.ArrayList;
import java.util.List;

/** Changes in delegated directories: in requests, and as the node keeps them until the coordinator has them. */
public final class DelegationCodec {
    private DelegationCodec() {}

    public static byte[] toBytes(Operation.DelegatedChange change) {
        return encode(change).toByteArray();
    }

    public static Operation.DelegatedChange ofBytes(byte[] bytes) throws MalformedException {
        try {
            return decode(Wire.DelegatedChange.parseFrom(bytes));
        } catch (InvalidProtocolBufferException | IllegalArgumentException | ArithmeticException wrong) {
            throw new MalformedException(String.valueOf(wrong.getMessage()));
        }
    }

    static Wire.Delegated encode(Operation.Delegated delegated) {
        Wire.Delegated.Builder message =
                Wire.Delegated.newBuilder().setFirst(delegated.first()).setNumbers(delegated.numbers());
        delegated.changes().forEach(change -> message.addChanges(encode(change)));
        return message.build();
    }

    private static Wire.DelegatedChange encode(Operation.DelegatedChange change) {
        Wire.Request.Builder operation = Wire.Request.newBuilder();
        OperationCodec.encode(change.operation(), operation);
        return Wire.DelegatedChange.newBuilder()
                .setAt(RecordCodec.encode(change.at()))
                .setDirectory(change.directory())
                .setIno(change.ino())
                .setOperation(operation)
                .build();
    }

    static Operation.Delegated decode(Wire.Delegated delegated) throws MalformedException {
        int numbers = RecordCodec.count(delegated.getNumbers(), "inode numbers");
        if (delegated.getChangesCount() > Operation.Delegated.MOST_CHANGES
                || numbers > Operation.Delegated.MOST_NUMBERS) {
            throw new MalformedException("too much of a delegation at once");
        }
        List<Operation.DelegatedChange> changes = new ArrayList<>(delegated.getChangesCount());
        for (Wire.DelegatedChange change : delegated.getChangesList()) {
            changes.add(decode(change));
        }
        return new Operation.Delegated(delegated.getFirst(), changes, numbers);
    }

    private static Operation.DelegatedChange decode(Wire.DelegatedChange change) throws MalformedException {
        // One delegation in another would be read without bound.
        if (change.getOperation().hasDelegated()
                || !(OperationCodec.decode(change.getOperation()) instanceof Operation.Mutation mutation)) {
            throw new MalformedException("what is no change of its own in a delegation");
        }
        return new Operation.DelegatedChange(
                RecordCodec.decode(change.getAt()), change.getDirectory(), change.getIno(), mutation);
    }

    static Wire.Delegation encode(Answer.Delegation given) {
        return Wire.Delegation.newBuilder()
                .setLast(given.last())
                .setFirstInode(given.firstInode())
                .setCount(given.count())
                .build();
    }

    static Answer.Delegation decode(Wire.Delegation given) throws MalformedException {
        return new Answer.Delegation(
                given.getLast(), given.getFirstInode(), RecordCodec.count(given.getCount(), "inode numbers"));
    }
}
