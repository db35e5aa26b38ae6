package io.fusecache.fuse.mount;

/**
 * How the mount shows itself and whom it lets in.
 *
 * @param source what mount(8) and df(1) show as the device
 * @param subtype the type is shown as {@code fuse.subtype}
 * @param allowOther whether users other than the one who mounts may enter; without root, /etc/fuse.conf must allow it
 * @param defaultPermissions whether the kernel checks modes, owners and ACLs; otherwise the file system answers for it
 * @param setuid whether setuid programs and, with {@code devices}, device nodes work in it: root only
 * @param maxRead the longest READ, bytes; 0 leaves it to the kernel
 */
public record MountOptions(
        String source,
        String subtype,
        boolean allowOther,
        boolean defaultPermissions,
        boolean readOnly,
        boolean setuid,
        boolean devices,
        int maxRead) {
    public MountOptions {
        if (subtype.isEmpty() || subtype.chars().anyMatch(c -> c == ',' || c <= ' ')) {
            throw new IllegalArgumentException("a mount's subtype is a word without a comma: '" + subtype + "'");
        }
    }

    public static MountOptions of(String source, String subtype) {
        return new MountOptions(source, subtype, true, true, false, false, false, 0);
    }

    public MountOptions withAllowOther(boolean value) {
        return new MountOptions(source, subtype, value, defaultPermissions, readOnly, setuid, devices, maxRead);
    }

    public MountOptions withDefaultPermissions(boolean value) {
        return new MountOptions(source, subtype, allowOther, value, readOnly, setuid, devices, maxRead);
    }

    public MountOptions withReadOnly(boolean value) {
        return new MountOptions(source, subtype, allowOther, defaultPermissions, value, setuid, devices, maxRead);
    }

    public MountOptions withSetuid(boolean value) {
        return new MountOptions(source, subtype, allowOther, defaultPermissions, readOnly, value, devices, maxRead);
    }

    public MountOptions withDevices(boolean value) {
        return new MountOptions(source, subtype, allowOther, defaultPermissions, readOnly, setuid, value, maxRead);
    }

    public MountOptions withMaxRead(int value) {
        return new MountOptions(source, subtype, allowOther, defaultPermissions, readOnly, setuid, devices, value);
    }
}
