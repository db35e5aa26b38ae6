package io.fusecache.metadata.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.fusecache.metadata.CloudWork;
import io.fusecache.metadata.DirectoryEntry;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Expected;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.FileVersion;
import io.fusecache.metadata.Holder;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.Listing;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.UploadTicket;
import io.fusecache.metadata.proto.Wire;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntUnaryOperator;

/** Domain records as messages and back. Decoders check what the records do not check themselves. */
final class RecordCodec {
    private RecordCodec() {}

    // numbers, names, times

    static long ino(long ino) throws MalformedException {
        if (ino < 0 || ino > Inode.MAX) {
            throw new MalformedException("inode number " + ino + ": expected 0 to 2^48-1");
        }
        return ino;
    }

    static int count(int count, String what) throws MalformedException {
        if (count < 0) {
            throw new MalformedException(what + " " + Integer.toUnsignedString(count) + ": expected below 2^31");
        }
        return count;
    }

    static long bytes(long bytes, String what) throws MalformedException {
        if (bytes < 0) {
            throw new MalformedException(what + " " + Long.toUnsignedString(bytes) + ": expected below 2^63");
        }
        return bytes;
    }

    static ByteString encode(FileName name) {
        return UnsafeByteOperations.unsafeWrap(name.toBytes());
    }

    static FileName name(ByteString name) throws MalformedException {
        try {
            return FileName.of(name.toByteArray());
        } catch (ErrnoException wrong) {
            throw new MalformedException("name: " + wrong.getMessage());
        }
    }

    static FileName attributeName(ByteString name) throws MalformedException {
        try {
            return FileName.ofAttribute(name.toByteArray());
        } catch (ErrnoException wrong) {
            throw new MalformedException("attribute: " + wrong.getMessage());
        }
    }

    static List<FileName> attributeNames(List<ByteString> names) throws MalformedException {
        List<FileName> decoded = new ArrayList<>(names.size());
        for (ByteString name : names) {
            decoded.add(attributeName(name));
        }
        return decoded;
    }

    static Set<Long> inodes(List<Long> inodes) throws MalformedException {
        Set<Long> decoded = HashSet.newHashSet(inodes.size());
        for (long ino : inodes) {
            decoded.add(ino(ino));
        }
        return decoded;
    }

    static Wire.Timestamp encode(Timestamp time) {
        return Wire.Timestamp.newBuilder()
                .setSeconds(time.seconds())
                .setNanos(time.nanos())
                .build();
    }

    static Timestamp decode(Wire.Timestamp time) {
        return new Timestamp(time.getSeconds(), time.getNanos());
    }

    static Duration duration(long nanos) throws MalformedException {
        return Duration.ofNanos(bytes(nanos, "nanoseconds"));
    }

    static ByteString encode(BitSet blocks) {
        return UnsafeByteOperations.unsafeWrap(blocks.toByteArray());
    }

    static BitSet blocks(ByteString blocks) {
        return BitSet.valueOf(blocks.asReadOnlyByteBuffer());
    }

    static int[] checksums(int count, IntUnaryOperator checksum) {
        int[] checksums = new int[count];
        for (int i = 0; i < count; i++) {
            checksums[i] = checksum.applyAsInt(i);
        }
        return checksums;
    }

    // nodes

    static Wire.NodeAddress encode(NodeAddress node) {
        return Wire.NodeAddress.newBuilder()
                .setId(node.id().value())
                .setHttp(node.http())
                .setGrpc(node.grpc())
                .build();
    }

    static NodeAddress decode(Wire.NodeAddress node) {
        return new NodeAddress(new NodeId(node.getId()), node.getHttp(), node.getGrpc());
    }

    static Wire.Holder encode(Holder holder) {
        Wire.Holder.Builder message = Wire.Holder.newBuilder().setNode(encode(holder.node()));
        if (holder.blocks() != null) {
            message.setBlocks(encode(holder.blocks()));
        }
        return message.build();
    }

    static Holder decode(Wire.Holder holder) {
        return new Holder(decode(holder.getNode()), holder.hasBlocks() ? blocks(holder.getBlocks()) : null);
    }

    // inodes

    static Wire.Inode encode(Inode inode) {
        Wire.Inode.Builder message = Wire.Inode.newBuilder()
                .setIno(inode.ino())
                .setMode(inode.mode())
                .setUid(inode.uid())
                .setGid(inode.gid())
                .setLinks(inode.links())
                .setSize(inode.size())
                .setUsedBytes(inode.usedBytes())
                .setDeviceNumber(inode.deviceNumber())
                .setAccessed(encode(inode.accessed()))
                .setModified(encode(inode.modified()))
                .setChanged(encode(inode.changed()))
                .setBorn(encode(inode.born()))
                .setVersion(inode.version())
                .setBare(!inode.extended())
                .setKept(inode.kept());
        if (inode.target() != null) {
            message.setTarget(ByteString.copyFrom(inode.target()));
        }
        if (inode.writer() != null) {
            message.setWriter(inode.writer().value());
        }
        return message.build();
    }

    static Inode decode(Wire.Inode inode) throws MalformedException {
        return new Inode(
                ino(inode.getIno()),
                FileType.ofMode(inode.getMode()),
                inode.getMode() & 07777,
                inode.getUid(),
                inode.getGid(),
                inode.getLinks(),
                bytes(inode.getSize(), "size"),
                bytes(inode.getUsedBytes(), "used bytes"),
                inode.getDeviceNumber(),
                decode(inode.getAccessed()),
                decode(inode.getModified()),
                decode(inode.getChanged()),
                decode(inode.getBorn()),
                inode.hasTarget() ? inode.getTarget().toByteArray() : null,
                inode.getVersion(),
                inode.hasWriter() ? new NodeId(inode.getWriter()) : null,
                !inode.getBare(),
                inode.getKept());
    }

    static Wire.NewInode encode(NewInode inode) {
        Wire.NewInode.Builder message = Wire.NewInode.newBuilder()
                .setMode(inode.type().modeBits() | inode.permissions())
                .setUid(inode.uid())
                .setGid(inode.gid())
                .setDeviceNumber(inode.deviceNumber())
                .setOpenForWriting(inode.openForWriting())
                .setUmask(inode.umask());
        if (inode.target() != null) {
            message.setTarget(ByteString.copyFrom(inode.target()));
        }
        return message.build();
    }

    static NewInode decode(Wire.NewInode inode) {
        return new NewInode(
                FileType.ofMode(inode.getMode()),
                inode.getMode() & 07777,
                inode.getUid(),
                inode.getGid(),
                inode.getDeviceNumber(),
                inode.hasTarget() ? inode.getTarget().toByteArray() : null,
                inode.getOpenForWriting(),
                inode.getUmask() & 0777);
    }

    static Wire.DirectoryEntry encode(DirectoryEntry entry) {
        return Wire.DirectoryEntry.newBuilder()
                .setName(encode(entry.name()))
                .setCookie(entry.cookie())
                .setInode(encode(entry.inode()))
                .build();
    }

    static DirectoryEntry decode(Wire.DirectoryEntry entry) throws MalformedException {
        return new DirectoryEntry(name(entry.getName()), entry.getCookie(), decode(entry.getInode()));
    }

    // content

    static Wire.FileVersion encode(FileVersion version) {
        Wire.FileVersion.Builder message = Wire.FileVersion.newBuilder()
                .setIno(version.ino())
                .setVersion(version.version())
                .setSize(version.size())
                .setBlockBytes(version.blockBytes());
        if (version.checksums() != null) {
            message.setSealed(true);
            for (int checksum : version.checksums()) {
                message.addChecksums(checksum);
            }
        }
        if (version.object() != null) {
            message.setObject(encode(version.object()));
        }
        return message.build();
    }

    static FileVersion decode(Wire.FileVersion version) throws MalformedException {
        return new FileVersion(
                ino(version.getIno()),
                version.getVersion(),
                version.getSize(),
                version.getBlockBytes(),
                version.getSealed() ? checksums(version.getChecksumsCount(), version::getChecksums) : null,
                version.hasObject() ? decode(version.getObject()) : null);
    }

    static Wire.ObjectRef encode(ObjectRef object) {
        return Wire.ObjectRef.newBuilder()
                .setKey(object.key())
                .setEtag(object.etag())
                .build();
    }

    static ObjectRef decode(Wire.ObjectRef object) {
        return new ObjectRef(object.getKey(), object.getEtag());
    }

    // the bucket

    static Wire.UploadTicket encode(UploadTicket ticket) {
        return Wire.UploadTicket.newBuilder()
                .setVersion(encode(ticket.version()))
                .setKey(ticket.key())
                .putAllAttributes(ticket.attributes())
                .setOver(encode(ticket.over()))
                .build();
    }

    private static Wire.Expected encode(Expected expected) {
        Wire.Expected.Builder message = Wire.Expected.newBuilder().setLeftover(expected.leftover());
        return (expected.etag() == null ? message : message.setEtag(expected.etag())).build();
    }

    /** A coordinator of before says nothing. */
    private static Expected expected(boolean said, Wire.Expected expected) {
        return said
                ? new Expected(expected.hasEtag() ? expected.getEtag() : null, expected.getLeftover())
                : new Expected(null, true);
    }

    static UploadTicket decode(Wire.UploadTicket ticket) throws MalformedException {
        return new UploadTicket(
                decode(ticket.getVersion()),
                ticket.getKey(),
                expected(ticket.hasOver(), ticket.getOver()),
                Map.copyOf(ticket.getAttributesMap()));
    }

    static Wire.CloudWork encode(CloudWork work) {
        Wire.CloudWork.Builder message = Wire.CloudWork.newBuilder().setId(work.id());
        return switch (work) {
            case CloudWork.Delete(long id, String key, Expected object) ->
                message.setDelete(key).setObject(encode(object)).build();
            case CloudWork.Move move -> message.setMove(encode(move)).build();
            case CloudWork.PutMarker(long id, String key) ->
                message.setPutMarker(key).build();
            case CloudWork.DeleteMarker(long id, String key) ->
                message.setDeleteMarker(key).build();
        };
    }

    private static Wire.Move encode(CloudWork.Move move) {
        return Wire.Move.newBuilder()
                .setIno(move.ino())
                .setVersion(move.version())
                .setFrom(encode(move.from()))
                .setToKey(move.toKey())
                .setOver(encode(move.over()))
                .build();
    }

    static CloudWork decode(Wire.CloudWork work) throws MalformedException {
        return switch (work.getKindCase()) {
            case DELETE ->
                new CloudWork.Delete(work.getId(), work.getDelete(), expected(work.hasObject(), work.getObject()));
            case MOVE -> {
                Wire.Move move = work.getMove();
                yield new CloudWork.Move(
                        work.getId(),
                        ino(move.getIno()),
                        move.getVersion(),
                        decode(move.getFrom()),
                        move.getToKey(),
                        expected(move.hasOver(), move.getOver()));
            }
            case PUT_MARKER -> new CloudWork.PutMarker(work.getId(), work.getPutMarker());
            case DELETE_MARKER -> new CloudWork.DeleteMarker(work.getId(), work.getDeleteMarker());
            case KIND_NOT_SET -> throw new MalformedException("cloud work of no known kind");
        };
    }

    static Wire.Listing encode(Listing listing) {
        Wire.Listing.Builder message = Wire.Listing.newBuilder()
                .setDirectory(listing.directory())
                .setToken(listing.token())
                .setKeyPrefix(listing.keyPrefix());
        if (listing.lastImported() != null) {
            message.setLastImported(encode(listing.lastImported()));
        }
        return message.build();
    }

    static Listing decode(Wire.Listing listing) throws MalformedException {
        return new Listing(
                ino(listing.getDirectory()),
                listing.getToken(),
                listing.getKeyPrefix(),
                listing.hasLastImported() ? decode(listing.getLastImported()) : null);
    }

    static Wire.ListedObject encode(ListedObject object) {
        return Wire.ListedObject.newBuilder()
                .setName(encode(object.name()))
                .setDirectory(object.directory())
                .setSize(object.size())
                .setEtag(object.etag())
                .setModified(encode(object.modified()))
                .putAllAttributes(object.attributes())
                .build();
    }

    static ListedObject decode(Wire.ListedObject object) throws MalformedException {
        return new ListedObject(
                name(object.getName()),
                object.getDirectory(),
                bytes(object.getSize(), "size"),
                object.getEtag(),
                decode(object.getModified()),
                Map.copyOf(object.getAttributesMap()));
    }
}
