package io.fusecache.coordinator.namespace;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.CloudWork;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A bucket of key to ETag, changed by what the namespace gives leave or work for. As in folders, nothing is below an object. */
final class TestBucket {
    static final Duration LEASE = Duration.ofSeconds(60);

    final Map<String, String> etags = new HashMap<>();
    private final Machine machine;

    TestBucket(Machine machine) {
        this.machine = machine;
    }

    Answer.Result begin(Inode inode) {
        return machine.run(new Operation.BeginUpload(inode.ino(), inode.version()))
                .result();
    }

    String upload(Inode inode) {
        assertThat(begin(inode)).as("leave to upload %s", inode).isInstanceOf(Answer.Ticket.class);
        String key = ((Answer.Ticket) begin(inode)).ticket().key();
        finish(inode, key);
        return key;
    }

    void finish(Inode inode, String key) {
        String etag = inode.ino() + "." + inode.version();
        put(key, etag);
        machine.run(new Operation.FinishUpload(inode.ino(), inode.version(), new ObjectRef(key, etag)));
    }

    List<CloudWork> take() {
        return machine.ask(Answer.Work.class, new Operation.TakeWork(100, LEASE))
                .work();
    }

    /** Does all work there is, until there is none. */
    void settle() {
        for (int quiet = 0; quiet < 60; quiet++) {
            machine.nowMillis += 1_000;
            for (CloudWork work : take()) {
                quiet = 0;
                perform(work);
            }
        }
    }

    private void put(String key, String etag) {
        assertThat(etags.keySet())
                .as("keys above or below %s", key)
                .noneMatch(other -> other.startsWith(key + "/") || key.startsWith(other + "/"));
        etags.put(key, etag);
    }

    void perform(CloudWork work) {
        switch (work) {
            case CloudWork.Delete delete -> {
                etags.remove(delete.key());
                machine.run(new Operation.FinishWork(delete.id()));
            }
            case CloudWork.Move move -> {
                assertThat(etags.remove(move.from().key()))
                        .isEqualTo(move.from().etag());
                put(move.toKey(), move.from().etag());
                machine.run(new Operation.FinishMove(
                        move.id(), new ObjectRef(move.toKey(), move.from().etag())));
            }
            case CloudWork.PutMarker put -> {
                put(put.key(), "marker");
                machine.run(new Operation.FinishWork(put.id()));
            }
            case CloudWork.DeleteMarker delete -> {
                etags.remove(delete.key());
                machine.run(new Operation.FinishWork(delete.id()));
            }
        }
    }
}
