package io.fusecache.metadata.delegation;

import io.fusecache.metadata.CloudWork;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Holder;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.ObjectRef;
import io.fusecache.metadata.VolumeUsage;
import io.fusecache.metadata.lock.FileLocks;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is the coordinator's to answer, whoever works in a directory. */
abstract class CoordinatorView implements Metadata {
    final CoordinatorClient coordinator;

    CoordinatorView(CoordinatorClient coordinator) {
        this.coordinator = coordinator;
    }

    @Override
    public VolumeUsage usage() throws ErrnoException {
        return coordinator.usage();
    }

    @Override
    public void advertise(long ino, long version, @Nullable BitSet blocks) {
        coordinator.advertise(ino, version, blocks);
    }

    @Override
    public void withdraw(long ino, long version) {
        coordinator.withdraw(ino, version);
    }

    @Override
    public List<Holder> holders(long ino, long version) throws ErrnoException {
        return coordinator.holders(ino, version);
    }

    @Override
    public List<NodeAddress> nodes() throws ErrnoException {
        return coordinator.nodes();
    }

    @Override
    public FileLocks locks() {
        return coordinator.locks();
    }

    @Override
    public boolean renewUpload(long ino) throws ErrnoException {
        return coordinator.renewUpload(ino);
    }

    @Override
    public List<CloudWork> takeWork(int limit, Duration lease) throws ErrnoException {
        return coordinator.takeWork(limit, lease);
    }

    @Override
    public boolean renewWork(long id, Duration lease) throws ErrnoException {
        return coordinator.renewWork(id, lease);
    }

    @Override
    public void finishWork(long id) throws ErrnoException {
        coordinator.finishWork(id);
    }

    @Override
    public void finishMove(long id, ObjectRef at) throws ErrnoException {
        coordinator.finishMove(id, at);
    }

    @Override
    public NodeId self() {
        return coordinator.self();
    }

    @Override
    public boolean connected() {
        return coordinator.connected();
    }

    @Override
    public List<String> coordinators() {
        return coordinator.coordinators();
    }
}
