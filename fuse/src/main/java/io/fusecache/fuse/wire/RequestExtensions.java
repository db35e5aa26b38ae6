package io.fusecache.fuse.wire;

import java.util.List;

/**
 * What create-like requests carry beyond their struct, where negotiated.
 *
 * @param groups the asker's supplementary groups that matter: the parent's group, when the asker is in it
 * @param contexts the security labels that the new inode shall have
 */
public record RequestExtensions(List<Integer> groups, List<SecurityContext> contexts) {
    public static final RequestExtensions NONE = new RequestExtensions(List.of(), List.of());

    /** One label: store {@code value} as the xattr {@code name} together with the new inode. */
    public record SecurityContext(Bytes name, Bytes value) {}
}
