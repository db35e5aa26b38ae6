package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.Changes;
import io.fusecache.coordinator.state.Counters;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.coordinator.state.SessionRecord;
import io.fusecache.coordinator.state.View;
import io.fusecache.coordinator.state.VolumeRecord;
import io.fusecache.metadata.Draft;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.Timestamp;
import io.fusecache.metadata.VolumeUsage;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The state machine: what a command answers and changes, given a view of the state.
 *
 * <p>Everything here is a pure function of its arguments. The leader executes; what replicas apply is the batch of changes
 * in the {@link Outcome}, never the command. A failed command has an empty batch.
 */
public final class Namespace {
    private Namespace() {}

    public static Outcome query(Operation.Query operation, Context context, View view) {
        Execution run = new Execution(context, view);
        try {
            return run.succeeded(answer(run, operation));
        } catch (ErrnoException failure) {
            return run.failed(failure);
        }
    }

    public static Outcome execute(Operation.Mutation operation, Context context, View view) {
        Execution run = new Execution(context, view);
        try {
            Answer.Result result = change(run, operation);
            run.settleQuotas(bySomebody(operation));
            return run.succeeded(result);
        } catch (ErrnoException failure) {
            return run.failed(failure);
        }
    }

    /** Whether a program waits for it, which can be told that there is no more room; what is so already is counted only. */
    private static boolean bySomebody(Operation.Mutation operation) {
        return operation instanceof Operation.Create
                || operation instanceof Operation.Link
                || operation instanceof Operation.Rename
                || operation instanceof Operation.Commit;
    }

    private static Answer.Result answer(Execution run, Operation.Query operation) throws ErrnoException {
        return switch (operation) {
            case Operation.Lookup op -> new Answer.OneInode(Names.lookup(run, op));
            case Operation.ReadInode op -> {
                run.lease(op.ino());
                yield new Answer.OneInode(run.node(op.ino()).inode());
            }
            case Operation.ListEntries op -> new Answer.Entries(Names.list(run, op));
            case Operation.FindParent op -> new Answer.OneInode(Names.parent(run, op.directory()));
            case Operation.ReadContent op -> new Answer.Content(Contents.read(run, op.ino()));
            case Operation.ReadUsage op -> {
                Counters counters = run.counters();
                yield new Answer.Usage(new VolumeUsage(counters.usedBytes(), counters.inodes()));
            }
            case Operation.ReadAttribute op -> new Answer.Value(Contents.attribute(run, op));
            case Operation.ReadAttributeNames op -> new Answer.AttributeNames(Contents.attributeNames(run, op.ino()));
            case Operation.BeginListing op -> new Answer.Begun(Imports.begin(run, op.directory()));
        };
    }

    static Answer.Result change(Execution run, Operation.Mutation operation) throws ErrnoException {
        return switch (operation) {
            case Operation.Create op -> new Answer.OneInode(Names.create(run, op));
            case Operation.CreateUnnamed op -> new Answer.OneInode(Names.createUnnamed(run, op));
            case Operation.Link op -> new Answer.OneInode(Names.link(run, op));
            case Operation.Unlink op -> new Answer.OneInode(Names.unlink(run, op));
            case Operation.RemoveDirectory op -> new Answer.OneInode(Names.removeDirectory(run, op));
            case Operation.Rename op -> {
                Optional<Inode> replaced = Renaming.rename(run, op);
                yield replaced.isPresent() ? new Answer.OneInode(replaced.get()) : new Answer.Nothing();
            }
            case Operation.ReleaseUnlinked op -> {
                Removal.release(run, run.context().session(), op.inodes());
                yield new Answer.Nothing();
            }
            case Operation.SetAttributes op -> new Answer.OneInode(Contents.setAttributes(run, op));
            case Operation.Touch op -> {
                Contents.touch(run, op);
                yield new Answer.Nothing();
            }
            case Operation.SetAttribute op -> {
                Contents.setAttribute(run, op);
                yield new Answer.Nothing();
            }
            case Operation.RemoveAttribute op -> {
                Contents.removeAttribute(run, op);
                yield new Answer.Nothing();
            }
            case Operation.BeginWrite op -> Contents.beginWrite(run, op.ino());
            case Operation.AwaitWriter op -> Contents.awaitWriter(run, op.ino());
            case Operation.EndWrite op -> {
                Contents.endWrite(run, op.ino(), run.caller());
                yield new Answer.Nothing();
            }
            case Operation.Commit op -> new Answer.OneInode(Contents.commit(run, op));
            case Operation.Seal op -> new Answer.Truth(Contents.seal(run, op));
            case Operation.BeginUpload op -> Uploading.begin(run, op);
            case Operation.RenewUpload op -> new Answer.Truth(Uploading.renew(run, op.ino()));
            case Operation.FinishUpload op -> new Answer.Truth(Uploading.finish(run, op));
            case Operation.TakeWork op -> new Answer.Work(WorkTaking.take(run, op));
            case Operation.AbandonUpload op -> {
                Uploading.abandon(run, op.ino());
                yield new Answer.Nothing();
            }
            case Operation.RenewWork op -> new Answer.Truth(WorkTaking.renew(run, op));
            case Operation.FinishWork op -> {
                WorkTaking.finish(run, op.id());
                yield new Answer.Nothing();
            }
            case Operation.FinishMove op -> {
                WorkTaking.finishMove(run, op);
                yield new Answer.Nothing();
            }
            case Operation.ImportListing op -> new Answer.Count(Imports.take(run, op));
            case Operation.Delegated op -> Delegations.take(run, op);
        };
    }

    // what the coordinator itself does

    /** What an empty state begins with: the root directory. */
    public static Changes format(View empty, Timestamp now) {
        Changes changes = new Changes(empty);
        NewInode wanted = new NewInode(FileType.DIRECTORY, 0755, 0, 0, 0, null, false);
        Inode root = Draft.fresh(Inode.ROOT, wanted, 0755, 0, 2, now);
        Node node = new Node(root, Inode.ROOT, null, 0, Node.FIRST_COOKIE, null, false);
        changes.put(Keys.inode(Inode.ROOT), node.toBytes());
        changes.put(Keys.counters(), Counters.INITIAL.toBytes());
        return changes;
    }

    /** Names the volume's key prefix or its namespace, once each. */
    public static Outcome name(VolumeRecord volume, Context context, View view) {
        Execution run = new Execution(context, view);
        run.state().put(Keys.volume(), volume.toBytes());
        return run.succeeded(new Answer.Nothing());
    }

    /**
     * A new session; its number is the last that the counters of the new state gave.
     *
     * @param newProcess false where the process had a session before, and may still be at what it did for the bucket
     */
    public static Outcome openSession(SessionRecord session, boolean newProcess, Context context, View view) {
        Execution run = new Execution(context, view);
        long id = run.counters().nextSession();
        run.counters(run.counters().withNextSession(id + 1));
        run.state().put(Keys.session(id), session.toBytes());
        if (newProcess) {
            BucketWork.restarted(run, session.node());
        }
        return run.succeeded(new Answer.Nothing());
    }

    /** The node has given these directories back, and all that it did there. Nobody's view of them changes by that. */
    public static Outcome endDelegations(Map<Long, NodeId> delegated, Context context, View view) {
        Execution run = new Execution(context, view);
        delegated.forEach((ino, node) -> Delegations.end(run, ino, node));
        return run.succeeded(new Answer.Nothing());
    }

    /** The session is over: what it held of unlinked inodes goes, and with {@code leasesToo} its node's write leases. */
    public static Outcome endSession(long session, NodeId node, boolean leasesToo, Context context, View view) {
        Execution run = new Execution(context, view);
        Removal.release(run, session, Removal.heldBy(run, session));
        List<byte[]> gone = new ArrayList<>();
        byte[] results = Keys.results(session);
        run.state().scan(results, Keys.after(results), (key, value) -> gone.add(key));
        gone.forEach(run.state()::delete);
        run.state().delete(Keys.session(session));
        if (leasesToo) {
            List<Long> written = new ArrayList<>();
            byte[] leases = Keys.writeLeases(node);
            run.state().scan(leases, Keys.after(leases), (key, value) -> written.add(Keys.number(key, leases.length)));
            written.forEach(ino -> Contents.endWrite(run, ino, node));
        }
        return run.succeeded(new Answer.Nothing());
    }
}
