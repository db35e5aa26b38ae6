package io.fusecache.metadata.wire;

import io.fusecache.metadata.lock.FileLock;
import io.fusecache.metadata.lock.LockKind;
import io.fusecache.metadata.lock.LockType;
import io.fusecache.metadata.proto.Wire;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import java.util.ArrayList;
import java.util.List;

/** File locks in messages. */
final class LockCodec {
    private LockCodec() {}

    static void encode(Operation.Locking locking, Wire.Request.Builder request) {
        switch (locking) {
            case Operation.SetLock(long ticket, boolean waits, FileLock lock) ->
                request.setSetLock(Wire.SetLock.newBuilder()
                        .setTicket(ticket)
                        .setWait(waits)
                        .setLock(encode(lock)));
            case Operation.FindLock(long ticket, FileLock lock) ->
                request.setFindLock(Wire.FindLock.newBuilder().setTicket(ticket).setLock(encode(lock)));
            case Operation.CancelLock(long ticket) -> request.setCancelLock(ticket);
        }
    }

    static Operation decode(Wire.SetLock set) throws MalformedException {
        return new Operation.SetLock(set.getTicket(), set.getWait(), decode(set.getLock()));
    }

    static Operation decode(Wire.FindLock find) throws MalformedException {
        return new Operation.FindLock(find.getTicket(), decode(find.getLock()));
    }

    static Wire.Obstacle encode(Answer.Obstacle obstacle) {
        Wire.Obstacle.Builder message = Wire.Obstacle.newBuilder().setHere(obstacle.here());
        if (obstacle.lock() != null) {
            message.setLock(encode(obstacle.lock()));
        }
        return message.build();
    }

    static Answer.Obstacle decode(Wire.Obstacle obstacle) throws MalformedException {
        return new Answer.Obstacle(obstacle.hasLock() ? decode(obstacle.getLock()) : null, obstacle.getHere());
    }

    static Wire.HeldLocks encode(Upstream.HeldLocks held) {
        Wire.HeldLocks.Builder message = Wire.HeldLocks.newBuilder().setLast(held.last());
        held.locks().forEach(lock -> message.addLocks(encode(lock)));
        return message.build();
    }

    static Upstream.HeldLocks decode(Wire.HeldLocks held) throws MalformedException {
        List<FileLock> locks = new ArrayList<>(held.getLocksCount());
        for (Wire.FileLock lock : held.getLocksList()) {
            locks.add(decode(lock));
        }
        return new Upstream.HeldLocks(locks, held.getLast());
    }

    static Wire.Welcome.Locks encode(Welcome.Locks locks) {
        return Wire.Welcome.Locks.valueOf(locks.name());
    }

    static Welcome.Locks decode(Wire.Welcome.Locks locks) throws MalformedException {
        return known(Welcome.Locks.class, locks);
    }

    private static Wire.FileLock encode(FileLock lock) {
        return Wire.FileLock.newBuilder()
                .setIno(lock.ino())
                .setKind(Wire.FileLock.Kind.valueOf(lock.kind().name()))
                .setOwner(lock.owner())
                .setPid(lock.pid())
                .setType(Wire.FileLock.Type.valueOf(lock.type().name()))
                .setStart(lock.start())
                .setEnd(lock.end())
                .build();
    }

    private static FileLock decode(Wire.FileLock lock) throws MalformedException {
        return new FileLock(
                RecordCodec.ino(lock.getIno()),
                known(LockKind.class, lock.getKind()),
                lock.getOwner(),
                lock.getPid(),
                known(LockType.class, lock.getType()),
                lock.getStart(),
                lock.getEnd());
    }

    /** The enums of the wire have the names of ours. */
    private static <E extends Enum<E>> E known(Class<E> type, Enum<?> sent) throws MalformedException {
        for (E one : type.getEnumConstants()) {
            if (one.name().equals(sent.name())) {
                return one;
            }
        }
        throw new MalformedException("no known " + type.getSimpleName());
    }
}
