package io.fusecache.metadata;

import org.jspecify.annotations.Nullable;

/**
 * What chmod, chown and utimensat ask for: null leaves the attribute as it is. The change time becomes the
 * coordinator's now in any case. Sizes are changed by committing a version, never here.
 *
 * @param clearSetId drop set-user-id, and set-group-id where the group may execute, as the kernel wants after a write or
 *     chown (FUSE_HANDLE_KILLPRIV_V2)
 */
public record AttributeChange(
        @Nullable Integer permissions,
        @Nullable Integer uid,
        @Nullable Integer gid,
        @Nullable Timestamp accessed,
        @Nullable Timestamp modified,
        boolean clearSetId) {}
