package io.fusecache.testkit.posix.scene;

/** The system calls that the suite makes, with their numbers. What AArch64 lacks answers ENOSYS there. */
public enum Syscall {
    ACCEPT4(288, 242),
    BIND(49, 200),
    CHDIR(80, 49),
    CLOCK_GETTIME(228, 113),
    CLOSE(3, 57),
    CLOSE_RANGE(436, 436),
    CONNECT(42, 203),
    COPY_FILE_RANGE(326, 285),
    DUP(32, 23),
    FACCESSAT(269, 48),
    FACCESSAT2(439, 439),
    FADVISE64(221, 223),
    FALLOCATE(285, 47),
    FCHDIR(81, 50),
    FCHMOD(91, 52),
    FCHMODAT(268, 53),
    FCHMODAT2(452, 452),
    FCHOWN(93, 55),
    FCHOWNAT(260, 54),
    FCNTL(72, 25),
    FDATASYNC(75, 83),
    FGETXATTR(193, 10),
    FLISTXATTR(196, 13),
    FLOCK(73, 32),
    FREMOVEXATTR(199, 16),
    FSETXATTR(190, 7),
    FSTATFS(138, 44),
    FSYNC(74, 82),
    FUTIMESAT(261, Syscall.NONE),
    FTRUNCATE(77, 46),
    GETDENTS64(217, 61),
    GETEUID(107, 175),
    GETTID(186, 178),
    GETXATTR(191, 8),
    IOCTL(16, 29),
    LGETXATTR(192, 9),
    LINKAT(265, 37),
    LISTEN(50, 201),
    LISTXATTR(194, 11),
    LLISTXATTR(195, 12),
    LREMOVEXATTR(198, 15),
    LSEEK(8, 62),
    LSETXATTR(189, 6),
    MKDIRAT(258, 34),
    MKNODAT(259, 33),
    MMAP(9, 222),
    MOUNT(165, 40),
    MPROTECT(10, 226),
    MSYNC(26, 227),
    MUNMAP(11, 215),
    NAME_TO_HANDLE_AT(303, 264),
    NEWFSTATAT(262, 79),
    OPENAT(257, 56),
    OPENAT2(437, 437),
    OPEN_BY_HANDLE_AT(304, 265),
    PIPE2(293, 59),
    PREAD64(17, 67),
    PREADV(295, 69),
    PREADV2(327, 286),
    PWRITE64(18, 68),
    PWRITEV(296, 70),
    PWRITEV2(328, 287),
    READ(0, 63),
    READLINKAT(267, 78),
    READV(19, 65),
    REMOVEXATTR(197, 14),
    RENAMEAT2(316, 276),
    SENDFILE(40, 71),
    SETGROUPS(116, 159),
    SETRESGID(119, 149),
    SETRESUID(117, 147),
    SETXATTR(188, 5),
    SOCKET(41, 198),
    SPLICE(275, 76),
    STATFS(137, 43),
    STATX(332, 291),
    SYMLINKAT(266, 36),
    SYNCFS(306, 267),
    SYNC_FILE_RANGE(277, 84),
    TGKILL(234, 131),
    TRUNCATE(76, 45),
    UMASK(95, 166),
    UNLINKAT(263, 35),
    UNSHARE(272, 97),
    UTIME(132, Syscall.NONE),
    UTIMENSAT(280, 88),
    UTIMES(235, Syscall.NONE),
    WRITE(1, 64),
    WRITEV(20, 66);

    private static final int NONE = -1;

    static final boolean AARCH64 = System.getProperty("os.arch").equals("aarch64");

    private final int x86;
    private final int aarch64;

    Syscall(int x86, int aarch64) {
        this.x86 = x86;
        this.aarch64 = aarch64;
    }

    int number() {
        return AARCH64 ? aarch64 : x86;
    }
}
