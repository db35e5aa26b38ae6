package io.fusecache.client.bridge;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.fuse.sys.Posix;
import io.fusecache.metadata.FileType;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Timestamp;
import org.junit.jupiter.api.Test;

/** Whose open(2) with O_CREAT is served without the kernel's word: nobody's whom the kernel might refuse. */
final class CreationTest {
    private static final int OWNER = 1000;
    private static final int GROUP = 100;
    private static final int OTHER = 2000;
    private static final int FOR_BOTH = Posix.O_RDWR;

    private static Inode inode(FileType type, int permissions, boolean extended) {
        Timestamp time = new Timestamp(1, 2);
        return new Inode(
                7, type, permissions, OWNER, GROUP, 1, 0, 0, 0, time, time, time, time, null, 1, null, extended, false);
    }

    private static Inode file(int permissions) {
        return inode(FileType.REGULAR, permissions, false);
    }

    private static final Inode DIRECTORY = inode(FileType.DIRECTORY, 0777, false);

    private static boolean may(Inode file, int uid, int gid, int flags) {
        return Creation.mayOpen(file, DIRECTORY, uid, gid, flags);
    }

    @Test
    void anOwnerHasTheOwnersRightsAndNoOthers() {
        assertThat(may(file(0600), OWNER, OTHER, FOR_BOTH)).isTrue();
        assertThat(may(file(0477), OWNER, GROUP, FOR_BOTH)).isFalse();
        assertThat(may(file(0400), OWNER, OTHER, Posix.O_RDONLY)).isTrue();
        assertThat(may(file(0400), OWNER, OTHER, Posix.O_RDONLY | Posix.O_TRUNC))
                .isFalse();
        assertThat(may(file(0200), OWNER, OTHER, Posix.O_WRONLY)).isTrue();
        assertThat(may(inode(FileType.REGULAR, 0600, true), OWNER, OTHER, FOR_BOTH | Posix.O_NOATIME))
                .isTrue();
    }

    @Test
    void theGroupHasItsRightsEvenWhereOthersHaveMore() {
        assertThat(may(file(0660), OTHER, GROUP, FOR_BOTH)).isTrue();
        assertThat(may(file(0606), OTHER, GROUP, FOR_BOTH)).isFalse();
    }

    @Test
    void whoMayBeOfTheGroupNeedsTheRightsOfBoth() {
        assertThat(may(file(0666), OTHER, OTHER, FOR_BOTH)).isTrue();
        assertThat(may(file(0606), OTHER, OTHER, FOR_BOTH)).isFalse();
        assertThat(may(file(0660), OTHER, OTHER, FOR_BOTH)).isFalse();
        assertThat(may(file(0664), OTHER, OTHER, Posix.O_RDONLY)).isTrue();
        assertThat(may(file(0664), OTHER, OTHER, Posix.O_WRONLY)).isFalse();
    }

    @Test
    void whatMoreThanTheModeDecidesIsLeftToTheKernel() {
        assertThat(may(inode(FileType.REGULAR, 0666, true), OTHER, GROUP, FOR_BOTH))
                .isFalse();
        assertThat(may(file(0666), OTHER, GROUP, Posix.O_RDONLY | Posix.O_NOATIME))
                .isFalse();
        assertThat(Creation.mayOpen(file(0666), inode(FileType.DIRECTORY, 01777, false), OTHER, GROUP, Posix.O_RDONLY))
                .isFalse();
        assertThat(may(file(0600), 0, 0, FOR_BOTH)).isFalse();
    }

    @Test
    void whatIsNoRegularFileIsLeftToTheKernel() {
        for (FileType type : FileType.values()) {
            assertThat(may(inode(type, 0777, false), OWNER, GROUP, Posix.O_RDONLY))
                    .isEqualTo(type == FileType.REGULAR);
        }
    }
}
