"""What a program sees of the operations on a file. Run in two directories, it is to print the same."""
import ctypes, errno, fcntl, hashlib, mmap, os, resource, signal, sys

os.chdir(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
KEEP, PUNCH, ZERO = 1, 2, 16
K, M, G, T = 1 << 10, 1 << 20, 1 << 30, 1 << 40
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)

def call(f, *a):
    try:
        return f(*a)
    except OSError as e:
        return errno.errorcode[e.errno]

def fallocate(fd, mode, offset, length):
    if libc.fallocate(fd, mode, ctypes.c_long(offset), ctypes.c_long(length)):
        raise OSError(ctypes.get_errno(), 'fallocate')
    return 'ok'

def seen(fd):
    """Size, space within a factor, content."""
    s = os.fstat(fd)
    digest = hashlib.sha1()
    offset = 0
    while offset < min(s.st_size, 64 * M):
        piece = os.pread(fd, M, offset)
        digest.update(piece)
        offset += len(piece)
    return s.st_size, (s.st_blocks * 512 + 512 * K - 1) // (512 * K), digest.hexdigest()[:12]

def holes(fd, limit=64):
    found, offset, size = [], 0, os.fstat(fd).st_size
    while offset < size and len(found) < limit:
        data = call(os.lseek, fd, offset, os.SEEK_DATA)
        if isinstance(data, str):
            found.append(data)
            break
        hole = os.lseek(fd, data, os.SEEK_HOLE)
        found.append((data, hole))
        offset = hole
    return found

def fresh(name, bytes=0, flags=os.O_RDWR):
    fd = os.open(name, os.O_CREAT | os.O_TRUNC | flags, 0o644)
    pattern = hashlib.sha512(name.encode()).digest() * (M // 64)
    for i in range(0, bytes, M):
        os.write(fd, pattern[: min(M, bytes - i)])
    return fd

def section(name):
    print('#', name)

section('fallocate')
fd = fresh('f')
print(call(fallocate, fd, 0, 0, 3 * M), seen(fd))
print(call(fallocate, fd, KEEP, 0, 5 * M), seen(fd))
fd = fresh('g', 9 * M + 777)
print(call(fallocate, fd, PUNCH | KEEP, M, 2 * M), seen(fd), holes(fd))
print(call(fallocate, fd, PUNCH | KEEP, 5 * M + 100, 70 * K), seen(fd))
print(call(fallocate, fd, ZERO, 8 * M, 3 * M), seen(fd))
print(call(fallocate, fd, ZERO | KEEP, 10 * M, 8 * M), seen(fd)[0::2])
print(call(fallocate, fd, ZERO, 123, 4567), seen(fd))
print(call(fallocate, fd, PUNCH, 0, M), call(fallocate, fd, 0, -1, 5), call(fallocate, fd, 0, 0, 0), call(fallocate, fd, 0, 5, -5))
print(call(fallocate, fd, 0, (1 << 63) - 4096, 4096), call(fallocate, fd, 0, 16 * T, M))
print(call(fallocate, os.open('g', os.O_RDONLY), 0, 0, 5))
r, w = os.pipe()
print(call(fallocate, w, 0, 0, 5))
print(call(fallocate, fd, PUNCH | KEEP, 100 * M, M), seen(fd)[0::2])

section('posix_fallocate then write')
fd = fresh('p')
os.posix_fallocate(fd, 0, 2 * M)
os.pwrite(fd, b'x' * M, 512 * K)
print(seen(fd))

section('seek')
fd = fresh('s')
for at in (0, 10 * M, 33 * M):
    os.pwrite(fd, b'd' * 4096, at)
os.ftruncate(fd, 40 * M)
print(holes(fd), [call(os.lseek, fd, o, w) for o, w in
    ((40 * M, os.SEEK_DATA), (40 * M, os.SEEK_HOLE), (35 * M, os.SEEK_DATA), (35 * M, os.SEEK_HOLE), (-1, os.SEEK_DATA), (5, os.SEEK_DATA))])
print(os.lseek(fd, 0, os.SEEK_CUR) >= 0)
os.close(fd)
fd = os.open('s', os.O_RDONLY)
print(holes(fd))

section('copy_file_range')
src, dst = fresh('c1', 6 * M + 5), fresh('c2', 100)
print(call(os.copy_file_range, src, dst, 7 * M, 0, 50), seen(dst))
print(call(os.copy_file_range, src, dst, M, 3 * M, 20 * M), seen(dst))
print(call(os.copy_file_range, src, dst, M, 60 * M, 0), call(os.copy_file_range, src, dst, 0, 0, 0))
print(call(os.copy_file_range, src, src, M, 0, 3 * M), seen(src), call(os.copy_file_range, src, src, M, 0, 10))
print(call(os.copy_file_range, src, os.open('c2', os.O_RDONLY), 5, 0, 0), call(os.copy_file_range, src, os.open('c2', os.O_WRONLY | os.O_APPEND), 5, 0, 0))
print(call(os.copy_file_range, os.open('c1', os.O_WRONLY), dst, 5, 0, 0))
m = mmap.mmap(src, 4096)
m[0:5] = b'HELLO'
print(call(os.copy_file_range, src, dst, 4096, 0, 0), os.pread(dst, 5, 0))

section('sparse')
fd = fresh('t')
os.ftruncate(fd, 8 * T)
os.pwrite(fd, b'end', 8 * T - 3)
os.pwrite(fd, b'mid', 4 * T)
print(os.fstat(fd).st_size, os.fstat(fd).st_blocks < 64, holes(fd), os.pread(fd, 3, 4 * T), os.pread(fd, 10, 8 * T - 3), os.pread(fd, 3, 3 * T))
print(call(os.pwrite, fd, b'x', 16 * T), call(os.ftruncate, fd, 1 << 62))
os.close(fd)
fd = os.open('t', os.O_RDWR)
print(os.fstat(fd).st_size, holes(fd), os.pread(fd, 3, 4 * T))
os.ftruncate(fd, 5)
os.close(fd)
os.unlink('t')

section('direct')
fd = fresh('d', 3 * M)
os.fsync(fd)
fd = os.open('d', os.O_RDWR | os.O_DIRECT)
page = mmap.mmap(-1, 64 * K)
page.write(b'D' * 64 * K)
print(os.pwritev(fd, [page], 4096), os.preadv(fd, [page], 8192), hashlib.sha1(page).hexdigest()[:8])
with open('d', 'rb') as f:
    print(hashlib.sha1(f.read()).hexdigest()[:8])
print(os.pwritev(fd, [page], 3 * M - 4096), os.fstat(fd).st_size)
os.ftruncate(fd, 3 * M + 100)
print(os.preadv(fd, [page], 3 * M - 4096) >= 4096)

section('mmap')
fd = fresh('m', 2 * M + 100)
shared = mmap.mmap(fd, 0)
private = mmap.mmap(fd, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
private[0:3] = b'prv'
shared[10:16] = b'shared'
shared[M : M + 6] = b'SHARED'
print(os.pread(fd, 20, 0), private[0:20], shared.flush())
os.pwrite(fd, b'written', 50)
print(shared[45:60], private[10:16])
os.ftruncate(fd, 3 * M)
shared.resize(3 * M)
shared[3 * M - 4 :] = b'last'
shared.flush(3 * M - 4096, 4096)
print(seen(fd))
os.close(fd)
shared[0:4] = b'late'
with open('m', 'rb') as f:
    print(f.read(4))

section('sync')
fd = fresh('y', M)
print(call(os.fsync, fd), call(os.fdatasync, fd), call(libc.syncfs, fd), call(os.fdatasync, os.open('y', os.O_RDONLY)), call(os.sync))

section('limits')
fd = fresh('l', M)
resource.setrlimit(resource.RLIMIT_FSIZE, (2 * M, resource.RLIM_INFINITY))
print(call(os.pwrite, fd, b'x' * 4096, 2 * M), call(os.pwrite, fd, b'x' * 4096, 2 * M - 100), call(os.ftruncate, fd, 2 * M + 1))
print(call(fallocate, fd, 0, 0, 2 * M + 1), call(fallocate, fd, KEEP, 0, 2 * M + 1), seen(fd)[0])
print(call(os.copy_file_range, fd, fresh('l2'), 4096, 0, 2 * M), call(os.copy_file_range, fd, os.open('l2', os.O_WRONLY), 4096, 0, 2 * M - 100))
