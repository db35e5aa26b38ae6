package io.fusecache.coordinator.namespace;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.metadata.AccessControlList;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.FileName;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NewInode;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Operation;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** ACLs and the permissions that go with them. */
final class AccessListsTest {
    private static final int OWNER = 0x01;
    private static final int USER = 0x02;
    private static final int GROUP = 0x04;
    private static final int MASK = 0x10;
    private static final int OTHER = 0x20;

    private final Machine machine = new Machine();

    @AfterEach
    void check() {
        machine.checkInvariants();
    }

    /** With user 1000, who may do {@code named}. */
    private static byte[] acl(int owner, int named, int group, int mask, int other) {
        return spelled(OWNER, owner, USER, named, GROUP, group, MASK, mask, OTHER, other);
    }

    private static byte[] spelled(int... tagsAndPermissions) {
        ByteBuffer out = ByteBuffer.allocate(4 + 4 * tagsAndPermissions.length).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(2);
        for (int i = 0; i < tagsAndPermissions.length; i += 2) {
            out.putShort((short) tagsAndPermissions[i])
                    .putShort((short) tagsAndPermissions[i + 1])
                    .putInt(tagsAndPermissions[i] == USER ? 1000 : -1);
        }
        return out.array();
    }

    private @Nullable Errno set(Inode inode, FileName name, byte[] value, int flags) {
        return machine.errno(new Operation.SetAttribute(inode.ino(), name, value, flags));
    }

    private byte @Nullable [] value(Inode inode, FileName name) {
        Answer answer = machine.run(new Operation.ReadAttribute(inode.ino(), name));
        return answer.result() instanceof Answer.Value value ? value.bytes() : null;
    }

    private Inode now(Inode inode) {
        return machine.inode(new Operation.ReadInode(inode.ino()));
    }

    private Inode make(Inode parent, FileType type, int permissions, int umask) {
        NewInode wanted = new NewInode(type, permissions, 5, 6, 0, null, false, umask);
        return machine.inode(new Operation.Create(parent.ino(), Machine.name("made-" + type), wanted));
    }

    @Test
    void anAccessAclShowsInThePermissions() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        assertThat(file.extended()).isFalse();
        assertThat(set(file, AccessControlList.ACCESS, acl(6, 7, 4, 6, 0), 0)).isNull();
        assertThat(now(file).permissions()).isEqualTo(0660);
        assertThat(now(file).extended()).isTrue();
        assertThat(now(file).changed()).isGreaterThan(file.changed());
        assertThat(value(file, AccessControlList.ACCESS)).isEqualTo(acl(6, 7, 4, 6, 0));
    }

    @Test
    void permissionsShowInTheAccessAcl() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        set(file, AccessControlList.ACCESS, acl(6, 7, 4, 6, 0), 0);
        machine.inode(
                new Operation.SetAttributes(file.ino(), new AttributeChange(0751, null, null, null, null, false)));
        assertThat(value(file, AccessControlList.ACCESS)).isEqualTo(acl(7, 7, 4, 5, 1));
    }

    @Test
    void anAclThatSaysNoMoreThanPermissionsIsNotKept() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        set(file, AccessControlList.ACCESS, acl(6, 7, 4, 6, 0), 0);
        assertThat(set(file, AccessControlList.ACCESS, spelled(OWNER, 7, GROUP, 1, OTHER, 4), 0))
                .isNull();
        assertThat(now(file).permissions()).isEqualTo(0714);
        assertThat(value(file, AccessControlList.ACCESS)).isNull();
        assertThat(now(file).extended()).isFalse();
    }

    @Test
    void whoMayNotKeepSetGroupIdLosesItWithTheAcl() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        machine.inode(
                new Operation.SetAttributes(file.ino(), new AttributeChange(02755, null, null, null, null, false)));
        set(file, AccessControlList.ACCESS, acl(6, 7, 4, 6, 0), 0);
        assertThat(now(file).permissions()).isEqualTo(02660);
        set(file, AccessControlList.ACCESS, acl(6, 7, 4, 6, 0), Metadata.CLEAR_SET_GROUP_ID);
        assertThat(now(file).permissions()).isEqualTo(0660);
    }

    @Test
    void aDefaultAclTakesTheUmasksPlaceAndGoesOnDown() {
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        byte[] inherited = acl(7, 7, 5, 7, 4);
        assertThat(set(d, AccessControlList.DEFAULT, inherited, 0)).isNull();
        assertThat(now(d).permissions()).isEqualTo(0755);

        Inode file = make(d, FileType.REGULAR, 0666, 077);
        assertThat(file.permissions()).isEqualTo(0664);
        assertThat(value(file, AccessControlList.ACCESS)).isEqualTo(acl(6, 7, 5, 6, 4));
        assertThat(value(file, AccessControlList.DEFAULT)).isNull();

        Inode below = make(d, FileType.DIRECTORY, 0777, 077);
        assertThat(below.permissions()).isEqualTo(0774);
        assertThat(value(below, AccessControlList.ACCESS)).isEqualTo(inherited);
        assertThat(value(below, AccessControlList.DEFAULT)).isEqualTo(inherited);
        assertThat(below.extended()).isTrue();

        assertThat(make(d, FileType.FIFO, 0600, 0).permissions()).isEqualTo(0600);
        NewInode unnamed = new NewInode(FileType.REGULAR, 0666, 5, 6, 0, null, false, 077);
        assertThat(machine.inode(new Operation.CreateUnnamed(d.ino(), unnamed)).permissions())
                .isEqualTo(0664);
        NewInode link = new NewInode(FileType.SYMLINK, 0777, 5, 6, 0, new byte[] {'x'}, false, 0);
        Inode symlink = machine.inode(new Operation.Create(d.ino(), Machine.name("link"), link));
        assertThat(symlink.permissions()).isEqualTo(0777);
        assertThat(symlink.extended()).isFalse();
    }

    @Test
    void withoutADefaultAclTheUmaskApplies() {
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        assertThat(make(d, FileType.REGULAR, 04666, 027).permissions()).isEqualTo(04640);
        assertThat(make(d, FileType.DIRECTORY, 0777, 027).permissions()).isEqualTo(0750);
    }

    @Test
    void anAclIsRemovedWhetherItIsThereOrNot() {
        Inode d = machine.create(Inode.ROOT, "d", FileType.DIRECTORY);
        set(d, AccessControlList.DEFAULT, acl(7, 7, 5, 7, 4), 0);
        set(d, AccessControlList.ACCESS, acl(7, 7, 5, 5, 4), 0);
        for (int i = 0; i < 2; i++) {
            assertThat(machine.errno(new Operation.RemoveAttribute(d.ino(), AccessControlList.DEFAULT)))
                    .isNull();
            assertThat(value(d, AccessControlList.DEFAULT)).isNull();
        }
        assertThat(now(d).extended()).isTrue();
        assertThat(set(d, AccessControlList.ACCESS, new byte[] {2, 0, 0, 0}, 0)).isNull();
        assertThat(now(d).extended()).isFalse();
        assertThat(now(d).permissions()).isEqualTo(0754);
    }

    @Test
    void whatIsNoAclIsRefused() {
        Inode file = machine.create(Inode.ROOT, "f", FileType.REGULAR);
        assertThat(set(file, AccessControlList.ACCESS, new byte[] {2, 0, 0, 0, 1}, 0))
                .isEqualTo(Errno.EINVAL);
        assertThat(set(file, AccessControlList.DEFAULT, acl(7, 7, 5, 7, 4), 0)).isEqualTo(Errno.EACCES);
        assertThat(now(file).extended()).isFalse();
    }
}
