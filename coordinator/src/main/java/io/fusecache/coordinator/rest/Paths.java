package io.fusecache.coordinator.rest;

import io.fusecache.coordinator.session.Sessions;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;

/** Inodes by their path in the volume. */
final class Paths {
    private Paths() {}

    /** RestFailure 404. */
    static Inode find(Sessions sessions, FilePath path) throws RestFailure {
        Answer answer = sessions.ask(new Operation.ReadInode(Inode.ROOT));
        for (FileName name : path.names()) {
            if (answer.result() instanceof Answer.OneInode(Inode parent)) {
                answer = sessions.ask(new Operation.Lookup(parent.ino(), name));
            }
        }
        if (answer.result() instanceof Answer.OneInode(Inode inode)) {
            return inode;
        }
        throw new RestFailure(404, "no_such_file", path + ": there is no such file or directory");
    }
}
