package io.fusecache.coordinator.session;

import io.fusecache.coordinator.session.Turn.Overtaking;
import io.fusecache.metadata.session.Operation;

/**
 * What a kernel may hold the lock of a directory for while it waits. That may overtake a command that waits for this kernel's node;
 * nothing else may, least of all what opens a file: the node may have said already that it has not.
 */
final class Overtakings {
    private Overtakings() {}

    static Overtaking of(Operation operation) {
        return switch (operation) {
            case Operation.Query query -> of(query);
            case Operation.Mutation mutation -> of(mutation);
            case Operation.Registry none -> Overtaking.NOTHING;
            case Operation.Locking none -> Overtaking.NOTHING;
        };
    }

    private static Overtaking of(Operation.Query query) {
        return switch (query) {
            case Operation.ListEntries op -> Overtaking.ALL;
            // Of a file that loses its name: what is looked up now is opened next.
            case Operation.Lookup op -> Overtaking.DIRECTORIES;
            case Operation.ReadInode op -> Overtaking.DIRECTORIES;
            case Operation.FindParent op -> Overtaking.DIRECTORIES;
            case Operation.ReadAttribute op -> Overtaking.DIRECTORIES;
            case Operation.ReadAttributeNames op -> Overtaking.DIRECTORIES;
            case Operation.BeginListing op -> Overtaking.DIRECTORIES;
            case Operation.ReadContent op -> Overtaking.NOTHING;
            case Operation.ReadUsage op -> Overtaking.NOTHING;
        };
    }

    private static Overtaking of(Operation.Mutation mutation) {
        return switch (mutation) {
            case Operation.Create op -> Overtaking.ALL;
            case Operation.Link op -> Overtaking.ALL;
            case Operation.Unlink op -> Overtaking.ALL;
            case Operation.RemoveDirectory op -> Overtaking.ALL;
            case Operation.Rename op -> Overtaking.ALL;
            // By a node that lists the bucket for a LOOKUP.
            case Operation.ImportListing op -> Overtaking.ALL;
            case Operation.CreateUnnamed op -> Overtaking.DIRECTORIES;
            case Operation.SetAttributes op -> Overtaking.DIRECTORIES;
            case Operation.SetAttribute op -> Overtaking.DIRECTORIES;
            case Operation.RemoveAttribute op -> Overtaking.DIRECTORIES;
            case Operation.ReleaseUnlinked op -> Overtaking.NOTHING;
            case Operation.Touch op -> Overtaking.NOTHING;
            case Operation.BeginWrite op -> Overtaking.NOTHING;
            case Operation.EndWrite op -> Overtaking.NOTHING;
            case Operation.AwaitWriter op -> Overtaking.NOTHING;
            case Operation.Commit op -> Overtaking.NOTHING;
            case Operation.Seal op -> Overtaking.NOTHING;
            case Operation.BeginUpload op -> Overtaking.NOTHING;
            case Operation.FinishUpload op -> Overtaking.NOTHING;
            case Operation.TakeWork op -> Overtaking.NOTHING;
            case Operation.AbandonUpload op -> Overtaking.NOTHING;
            case Operation.RenewUpload op -> Overtaking.NOTHING;
            case Operation.RenewWork op -> Overtaking.NOTHING;
            case Operation.FinishWork op -> Overtaking.NOTHING;
            case Operation.FinishMove op -> Overtaking.NOTHING;
            // While its delegations are asked for, nobody holds anything.
            case Operation.Delegated op -> Overtaking.NOTHING;
        };
    }
}
