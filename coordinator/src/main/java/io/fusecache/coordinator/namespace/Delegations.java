package io.fusecache.coordinator.namespace;

import io.fusecache.coordinator.state.DelegatedRecord;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Node;
import io.fusecache.metadata.Draft;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;

/**
 * Directories that one node works in alone, and tells of later. A delegation is the write lease of a directory: whoever else goes by
 * what is in it asks for it back first ({@link Execution#look}).
 */
final class Delegations {
    private Delegations() {}

    /**
     * Whether a directory that has just been made may be delegated: not where its entries inherit an ACL, and not in a volume whose
     * trash or whose quotas have a say in what is removed and made.
     */
    static boolean mayBe(Execution run, Inode made) {
        return !made.extended() && !Trash.rule(run.state()).on() && !Quotas.any(run.state());
    }

    /** Asks all of them back: what follows is not for any node to do alone. */
    static void look(Execution run) {
        byte[] all = Keys.writeLeases();
        run.state().scan(all, Keys.after(all), (key, value) -> {
            Node node = run.find(Keys.number(key, key.length - Long.BYTES));
            if (node != null) {
                run.look(node);
            }
            return true;
        });
    }

    static void end(Execution run, long ino, NodeId holder) {
        Node node = run.find(ino);
        if (node != null && holder.equals(node.inode().writer())) {
            run.saveQuietly(node.with(new Draft(node.inode()).writer(null).inode()));
            run.state().delete(Keys.writeLease(holder, ino));
        }
    }

    /** Takes over what the calling node did. ESTALE where a directory is not its any more: then nothing of it. */
    static Answer.Result take(Execution run, Operation.Delegated op) throws ErrnoException {
        byte[] key = Keys.delegatedChanges(run.caller());
        byte[] known = run.state().get(key);
        long last = known == null ? 0 : DelegatedRecord.of(known).last();
        long number = op.first();
        for (Operation.DelegatedChange change : op.changes()) {
            if (number > last) {
                take(run, change);
                last = number;
            }
            number++;
        }
        int numbers = Math.clamp(op.numbers(), 0, Operation.Delegated.MOST_NUMBERS);
        long first = numbers == 0 ? 0 : run.newInodes(numbers);
        if (!op.changes().isEmpty() || numbers > 0) {
            run.state().put(key, new DelegatedRecord(last).toBytes());
        }
        return new Answer.Delegation(last, first, numbers);
    }

    private static void take(Execution run, Operation.DelegatedChange change) throws ErrnoException {
        if (change.directory() != 0) {
            checkDelegated(run, change.directory());
        }
        run.asDoneBefore(change.at(), change.ino());
        switch (change.operation()) {
            case Operation.Create create -> checkDelegated(run, create.parent());
            case Operation.Unlink unlink -> checkDelegated(run, unlink.parent());
            case Operation.RemoveDirectory remove -> checkDelegated(run, remove.parent());
            case Operation.Rename rename -> {
                checkDelegated(run, rename.parent());
                checkDelegated(run, rename.newParent());
            }
            default -> {}
        }
        Answer.Result ignored = Namespace.change(run, change.operation());
    }

    private static void checkDelegated(Execution run, long directory) throws ErrnoException {
        Node node = run.find(directory);
        if (node == null
                || !node.inode().directory()
                || !run.caller().equals(node.inode().writer())) {
            throw new ErrnoException(
                    Errno.ESTALE, "directory " + directory + " is not delegated to this node any more");
        }
    }
}
