package io.fusecache.metadata.wire;

import com.google.protobuf.ByteString;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.ListedObject;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.proto.Wire;
import io.fusecache.metadata.session.Operation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Operations in requests. */
final class OperationCodec {
    private OperationCodec() {}

    /** Puts {@code operation} into {@code request}. */
    static void encode(Operation operation, Wire.Request.Builder request) {
        switch (operation) {
            case Operation.Query query -> encode(query, request);
            case Operation.Mutation mutation -> encode(mutation, request);
            case Operation.Registry registry -> encode(registry, request);
            case Operation.Locking locking -> LockCodec.encode(locking, request);
        }
    }

    private static void encode(Operation.Query query, Wire.Request.Builder request) {
        switch (query) {
            case Operation.Lookup(long parent, FileName name) -> request.setLookup(name(parent, name));
            case Operation.ReadInode(long ino) -> request.setReadInode(ino);
            case Operation.ListEntries(long directory, long cookie, int limit) ->
                request.setListEntries(Wire.ListEntries.newBuilder()
                        .setDirectory(directory)
                        .setCookie(cookie)
                        .setLimit(limit));
            case Operation.FindParent(long directory) -> request.setFindParent(directory);
            case Operation.ReadContent(long ino) -> request.setReadContent(ino);
            case Operation.ReadUsage() -> request.setReadUsage(Wire.Empty.getDefaultInstance());
            case Operation.ReadAttribute(long ino, FileName name) -> request.setReadAttribute(name(ino, name));
            case Operation.ReadAttributeNames(long ino) -> request.setReadAttributeNames(ino);
            case Operation.BeginListing(long directory) -> request.setBeginListing(directory);
        }
    }

    private static void encode(Operation.Mutation mutation, Wire.Request.Builder request) {
        switch (mutation) {
            case Operation.Create create ->
                request.setCreate(Wire.Create.newBuilder()
                        .setParent(create.parent())
                        .setName(RecordCodec.encode(create.name()))
                        .setInode(RecordCodec.encode(create.inode())));
            case Operation.CreateUnnamed create ->
                request.setCreateUnnamed(Wire.CreateUnnamed.newBuilder()
                        .setParent(create.parent())
                        .setInode(RecordCodec.encode(create.inode())));
            case Operation.Link link ->
                request.setLink(Wire.Link.newBuilder()
                        .setIno(link.ino())
                        .setParent(link.parent())
                        .setName(RecordCodec.encode(link.name())));
            case Operation.Unlink(long parent, FileName name) -> request.setUnlink(name(parent, name));
            case Operation.RemoveDirectory(long parent, FileName name) ->
                request.setRemoveDirectory(name(parent, name));
            case Operation.Rename rename ->
                request.setRename(Wire.Rename.newBuilder()
                        .setParent(rename.parent())
                        .setName(RecordCodec.encode(rename.name()))
                        .setNewParent(rename.newParent())
                        .setNewName(RecordCodec.encode(rename.newName()))
                        .setFlags(rename.flags()));
            case Operation.ReleaseUnlinked release ->
                request.setReleaseUnlinked(Wire.Inodes.newBuilder().addAllInodes(release.inodes()));
            case Operation.SetAttributes set -> request.setSetAttributes(encode(set));
            case Operation.Touch(Map<Long, Timestamp> accessed) -> {
                Wire.Touch.Builder touch = Wire.Touch.newBuilder();
                accessed.forEach((ino, time) ->
                        touch.addAccesses(Wire.Access.newBuilder().setIno(ino).setTime(RecordCodec.encode(time))));
                request.setTouch(touch);
            }
            case Operation.SetAttribute set ->
                request.setSetAttribute(Wire.SetAttribute.newBuilder()
                        .setIno(set.ino())
                        .setName(RecordCodec.encode(set.name()))
                        .setValue(ByteString.copyFrom(set.value()))
                        .setFlags(set.flags()));
            case Operation.RemoveAttribute(long ino, FileName name) -> request.setRemoveAttribute(name(ino, name));
            case Operation.BeginWrite begin ->
                request.setBeginWrite(Wire.BeginWrite.newBuilder()
                        .setIno(begin.ino())
                        .setWaitNanos(begin.patience().toNanos()));
            case Operation.EndWrite(long ino) -> request.setEndWrite(ino);
            case Operation.AwaitWriter await ->
                request.setAwaitWriter(Wire.BeginWrite.newBuilder()
                        .setIno(await.ino())
                        .setWaitNanos(await.patience().toNanos()));
            case Operation.Commit commit ->
                request.setCommit(Wire.Commit.newBuilder()
                        .setContent(RecordCodec.encode(commit.content()))
                        .setModified(RecordCodec.encode(commit.modified()))
                        .setChanged(RecordCodec.encode(commit.changed()))
                        .setUsedBytes(commit.usedBytes()));
            case Operation.Seal seal -> request.setSeal(encode(seal));
            case Operation.BeginUpload(long ino, long version) -> request.setBeginUpload(versionOf(ino, version));
            case Operation.FinishUpload finish ->
                request.setFinishUpload(Wire.FinishUpload.newBuilder()
                        .setIno(finish.ino())
                        .setVersion(finish.version())
                        .setObject(RecordCodec.encode(finish.object())));
            case Operation.TakeWork take ->
                request.setTakeWork(Wire.TakeWork.newBuilder()
                        .setLimit(take.limit())
                        .setLeaseNanos(take.lease().toNanos()));
            case Operation.AbandonUpload(long ino) -> request.setAbandonUpload(ino);
            case Operation.RenewUpload(long ino) -> request.setRenewUpload(ino);
            case Operation.RenewWork renew ->
                request.setRenewWork(Wire.RenewWork.newBuilder()
                        .setId(renew.id())
                        .setLeaseNanos(renew.lease().toNanos()));
            case Operation.FinishWork(long id) -> request.setFinishWork(id);
            case Operation.FinishMove finish ->
                request.setFinishMove(
                        Wire.FinishMove.newBuilder().setId(finish.id()).setAt(RecordCodec.encode(finish.at())));
            case Operation.ImportListing listing -> request.setImportListing(encode(listing));
            case Operation.Delegated delegated -> request.setDelegated(DelegationCodec.encode(delegated));
        }
    }

    private static void encode(Operation.Registry registry, Wire.Request.Builder request) {
        switch (registry) {
            case Operation.Report(List<Operation.Holding> holdings) -> {
                Wire.Report.Builder report = Wire.Report.newBuilder();
                holdings.forEach(holding -> report.addHoldings(encode(holding)));
                request.setReport(report);
            }
            case Operation.FindHolders(long ino, long version) -> request.setFindHolders(versionOf(ino, version));
            case Operation.FindNodes() -> request.setFindNodes(Wire.Empty.getDefaultInstance());
        }
    }

    private static Wire.Name name(long inode, FileName name) {
        return Wire.Name.newBuilder()
                .setInode(inode)
                .setName(RecordCodec.encode(name))
                .build();
    }

    private static Operation.Touch touch(Wire.Touch touch) throws MalformedException {
        Map<Long, Timestamp> accessed = HashMap.newHashMap(touch.getAccessesCount());
        for (Wire.Access access : touch.getAccessesList()) {
            accessed.put(RecordCodec.ino(access.getIno()), RecordCodec.decode(access.getTime()));
        }
        return new Operation.Touch(accessed);
    }

    private static Wire.VersionOf versionOf(long ino, long version) {
        return Wire.VersionOf.newBuilder().setIno(ino).setVersion(version).build();
    }

    private static Wire.SetAttributes encode(Operation.SetAttributes set) {
        AttributeChange change = set.change();
        Wire.SetAttributes.Builder message =
                Wire.SetAttributes.newBuilder().setIno(set.ino()).setClearSetId(change.clearSetId());
        if (change.permissions() != null) {
            message.setPermissions(change.permissions());
        }
        if (change.uid() != null) {
            message.setUid(change.uid());
        }
        if (change.gid() != null) {
            message.setGid(change.gid());
        }
        if (change.accessed() != null) {
            message.setAccessed(RecordCodec.encode(change.accessed()));
        }
        if (change.modified() != null) {
            message.setModified(RecordCodec.encode(change.modified()));
        }
        return message.build();
    }

    private static Wire.Seal encode(Operation.Seal seal) {
        Wire.Seal.Builder message = Wire.Seal.newBuilder().setIno(seal.ino()).setVersion(seal.version());
        for (int checksum : seal.checksums()) {
            message.addChecksums(checksum);
        }
        return message.build();
    }

    private static Wire.ImportListing encode(Operation.ImportListing listing) {
        Wire.ImportListing.Builder message = Wire.ImportListing.newBuilder()
                .setListing(RecordCodec.encode(listing.listing()))
                .setFallback(RecordCodec.encode(listing.fallback()));
        listing.objects().forEach(object -> message.addObjects(RecordCodec.encode(object)));
        if (listing.after() != null) {
            message.setAfter(RecordCodec.encode(listing.after()));
        }
        if (listing.through() != null) {
            message.setThrough(RecordCodec.encode(listing.through()));
        }
        return message.build();
    }

    private static Wire.Holding encode(Operation.Holding holding) {
        Wire.Holding.Builder message = Wire.Holding.newBuilder()
                .setIno(holding.ino())
                .setVersion(holding.version())
                .setAll(holding.all());
        if (holding.blocks() != null) {
            message.setBlocks(RecordCodec.encode(holding.blocks()));
        }
        return message.build();
    }

    static Operation decode(Wire.Request request) throws MalformedException {
        return switch (request.getOperationCase()) {
            case LOOKUP ->
                new Operation.Lookup(
                        inode(request.getLookup()),
                        RecordCodec.name(request.getLookup().getName()));
            case READ_INODE -> new Operation.ReadInode(RecordCodec.ino(request.getReadInode()));
            case LIST_ENTRIES -> decode(request.getListEntries());
            case FIND_PARENT -> new Operation.FindParent(RecordCodec.ino(request.getFindParent()));
            case READ_CONTENT -> new Operation.ReadContent(RecordCodec.ino(request.getReadContent()));
            case READ_USAGE -> new Operation.ReadUsage();
            case READ_ATTRIBUTE ->
                new Operation.ReadAttribute(
                        inode(request.getReadAttribute()),
                        RecordCodec.attributeName(request.getReadAttribute().getName()));
            case READ_ATTRIBUTE_NAMES ->
                new Operation.ReadAttributeNames(RecordCodec.ino(request.getReadAttributeNames()));
            case BEGIN_LISTING -> new Operation.BeginListing(RecordCodec.ino(request.getBeginListing()));
            case CREATE -> decode(request.getCreate());
            case CREATE_UNNAMED -> decode(request.getCreateUnnamed());
            case LINK -> decode(request.getLink());
            case UNLINK ->
                new Operation.Unlink(
                        inode(request.getUnlink()),
                        RecordCodec.name(request.getUnlink().getName()));
            case REMOVE_DIRECTORY ->
                new Operation.RemoveDirectory(
                        inode(request.getRemoveDirectory()),
                        RecordCodec.name(request.getRemoveDirectory().getName()));
            case RENAME -> decode(request.getRename());
            case TOUCH -> touch(request.getTouch());
            case RELEASE_UNLINKED ->
                new Operation.ReleaseUnlinked(
                        RecordCodec.inodes(request.getReleaseUnlinked().getInodesList()));
            case SET_ATTRIBUTES -> decode(request.getSetAttributes());
            case SET_ATTRIBUTE -> decode(request.getSetAttribute());
            case REMOVE_ATTRIBUTE ->
                new Operation.RemoveAttribute(
                        inode(request.getRemoveAttribute()),
                        RecordCodec.attributeName(request.getRemoveAttribute().getName()));
            case BEGIN_WRITE ->
                new Operation.BeginWrite(
                        RecordCodec.ino(request.getBeginWrite().getIno()),
                        RecordCodec.duration(request.getBeginWrite().getWaitNanos()));
            case END_WRITE -> new Operation.EndWrite(RecordCodec.ino(request.getEndWrite()));
            case AWAIT_WRITER ->
                new Operation.AwaitWriter(
                        RecordCodec.ino(request.getAwaitWriter().getIno()),
                        RecordCodec.duration(request.getAwaitWriter().getWaitNanos()));
            case COMMIT -> decode(request.getCommit());
            case SEAL -> decode(request.getSeal());
            case BEGIN_UPLOAD ->
                new Operation.BeginUpload(
                        RecordCodec.ino(request.getBeginUpload().getIno()),
                        request.getBeginUpload().getVersion());
            case FINISH_UPLOAD -> decode(request.getFinishUpload());
            case TAKE_WORK ->
                new Operation.TakeWork(
                        RecordCodec.count(request.getTakeWork().getLimit(), "limit"),
                        RecordCodec.duration(request.getTakeWork().getLeaseNanos()));
            case ABANDON_UPLOAD -> new Operation.AbandonUpload(request.getAbandonUpload());
            case RENEW_UPLOAD -> new Operation.RenewUpload(RecordCodec.ino(request.getRenewUpload()));
            case RENEW_WORK ->
                new Operation.RenewWork(
                        request.getRenewWork().getId(),
                        RecordCodec.duration(request.getRenewWork().getLeaseNanos()));
            case DELEGATED -> DelegationCodec.decode(request.getDelegated());
            case FINISH_WORK -> new Operation.FinishWork(request.getFinishWork());
            case FINISH_MOVE ->
                new Operation.FinishMove(
                        request.getFinishMove().getId(),
                        RecordCodec.decode(request.getFinishMove().getAt()));
            case IMPORT_LISTING -> decode(request.getImportListing());
            case REPORT -> decode(request.getReport());
            case FIND_HOLDERS ->
                new Operation.FindHolders(
                        RecordCodec.ino(request.getFindHolders().getIno()),
                        request.getFindHolders().getVersion());
            case FIND_NODES -> new Operation.FindNodes();
            case SET_LOCK -> LockCodec.decode(request.getSetLock());
            case FIND_LOCK -> LockCodec.decode(request.getFindLock());
            case CANCEL_LOCK -> new Operation.CancelLock(request.getCancelLock());
            case OPERATION_NOT_SET -> throw new MalformedException("a request without a known operation");
        };
    }

    private static long inode(Wire.Name name) throws MalformedException {
        return RecordCodec.ino(name.getInode());
    }

    private static Operation decode(Wire.ListEntries list) throws MalformedException {
        return new Operation.ListEntries(
                RecordCodec.ino(list.getDirectory()), list.getCookie(), RecordCodec.count(list.getLimit(), "limit"));
    }

    private static Operation decode(Wire.Create create) throws MalformedException {
        return new Operation.Create(
                RecordCodec.ino(create.getParent()),
                RecordCodec.name(create.getName()),
                RecordCodec.decode(create.getInode()));
    }

    private static Operation decode(Wire.CreateUnnamed create) throws MalformedException {
        return new Operation.CreateUnnamed(RecordCodec.ino(create.getParent()), RecordCodec.decode(create.getInode()));
    }

    private static Operation decode(Wire.Link link) throws MalformedException {
        return new Operation.Link(
                RecordCodec.ino(link.getIno()), RecordCodec.ino(link.getParent()), RecordCodec.name(link.getName()));
    }

    private static Operation decode(Wire.Rename rename) throws MalformedException {
        return new Operation.Rename(
                RecordCodec.ino(rename.getParent()),
                RecordCodec.name(rename.getName()),
                RecordCodec.ino(rename.getNewParent()),
                RecordCodec.name(rename.getNewName()),
                rename.getFlags());
    }

    private static Operation decode(Wire.SetAttributes set) throws MalformedException {
        return new Operation.SetAttributes(
                RecordCodec.ino(set.getIno()),
                new AttributeChange(
                        set.hasPermissions() ? set.getPermissions() : null,
                        set.hasUid() ? set.getUid() : null,
                        set.hasGid() ? set.getGid() : null,
                        set.hasAccessed() ? RecordCodec.decode(set.getAccessed()) : null,
                        set.hasModified() ? RecordCodec.decode(set.getModified()) : null,
                        set.getClearSetId()));
    }

    private static Operation decode(Wire.SetAttribute set) throws MalformedException {
        return new Operation.SetAttribute(
                RecordCodec.ino(set.getIno()),
                RecordCodec.attributeName(set.getName()),
                set.getValue().toByteArray(),
                set.getFlags());
    }

    private static Operation decode(Wire.Commit commit) throws MalformedException {
        return new Operation.Commit(
                RecordCodec.decode(commit.getContent()),
                RecordCodec.decode(commit.getModified()),
                RecordCodec.decode(commit.getChanged()),
                RecordCodec.bytes(commit.getUsedBytes(), "used bytes"));
    }

    private static Operation decode(Wire.Seal seal) throws MalformedException {
        return new Operation.Seal(
                RecordCodec.ino(seal.getIno()),
                seal.getVersion(),
                RecordCodec.checksums(seal.getChecksumsCount(), seal::getChecksums));
    }

    private static Operation decode(Wire.FinishUpload finish) throws MalformedException {
        return new Operation.FinishUpload(
                RecordCodec.ino(finish.getIno()), finish.getVersion(), RecordCodec.decode(finish.getObject()));
    }

    private static Operation decode(Wire.ImportListing listing) throws MalformedException {
        List<ListedObject> objects = new ArrayList<>(listing.getObjectsCount());
        for (Wire.ListedObject object : listing.getObjectsList()) {
            objects.add(RecordCodec.decode(object));
        }
        return new Operation.ImportListing(
                RecordCodec.decode(listing.getListing()),
                objects,
                RecordCodec.decode(listing.getFallback()),
                listing.hasAfter() ? RecordCodec.name(listing.getAfter()) : null,
                listing.hasThrough() ? RecordCodec.name(listing.getThrough()) : null);
    }

    private static Operation decode(Wire.Report report) throws MalformedException {
        List<Operation.Holding> holdings = new ArrayList<>(report.getHoldingsCount());
        for (Wire.Holding holding : report.getHoldingsList()) {
            if (holding.getAll() && holding.hasBlocks()) {
                throw new MalformedException("a holding of all blocks and of some");
            }
            holdings.add(new Operation.Holding(
                    RecordCodec.ino(holding.getIno()),
                    holding.getVersion(),
                    holding.getAll(),
                    holding.hasBlocks() ? RecordCodec.blocks(holding.getBlocks()) : null));
        }
        return new Operation.Report(holdings);
    }
}
