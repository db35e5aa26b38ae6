package io.fusecache.client;

import io.fusecache.client.NodeConfiguration.Durability;
import io.fusecache.metadata.CoordinatorClient;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.delegation.DelegationRecalls;
import io.fusecache.metadata.delegation.Delegations;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;

/** Whether this node answers alone in directories that it makes, and where it keeps what the coordinator is still to hear. */
final class WorkAlone {
    private WorkAlone() {}

    /**
     * What a process of before has left is sent in any case. Nothing new is delegated where close() waits for more than this disk, nor
     * where root is nobody.
     */
    static Delegations open(
            NodeConfiguration configuration,
            CoordinatorClient coordinator,
            DelegationRecalls recalls,
            InstantSource clock)
            throws IOException, ErrnoException {
        Path first = configuration.cache().directories().getFirst();
        NodeConfiguration.Coordinator settings = configuration.coordinator();
        boolean granted = settings.delegations()
                && configuration.durability() == Durability.LOCAL
                && !configuration.mount().rootSquash();
        return Delegations.open(
                coordinator,
                recalls,
                new Delegations.Options(
                        first.resolve("changes").resolve(coordinator.namespace()),
                        first.resolve("setaside"),
                        granted,
                        settings.timeout(),
                        clock));
    }
}
