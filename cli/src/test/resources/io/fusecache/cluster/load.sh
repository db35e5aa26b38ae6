# Load with verification in the directory $1, a directory on disk beside it being $2: fio by each way of I/O that programs use, then
# dbench and fs_mark.
mount=$1 disk=$2
cd "$2"
engine() {
  # Containers may forbid io_uring: what the disk does not do, nobody asks of the mount.
  if ! fio --directory="$disk" --name=probe --size=64k --rw=randwrite --bs=8k --unlink=1 --ioengine="$1" > /dev/null 2>&1; then
    test "$1" = io_uring
    return
  fi
  fio --directory="$mount" --name=verified --size=16m --rw=randwrite --bs=8k --randrepeat=1 --unlink=1 \
    --verify=xxhash --verify_fatal=1 --verify_state_save=0 --ioengine="$@" > fio.log 2>&1 ||
    { echo "$@"; cat fio.log; exit 1; }
}
engine psync
engine psync --numjobs=2 --direct=1
engine libaio --direct=1 --iodepth=8
engine io_uring --iodepth=8
engine io_uring --direct=1 --iodepth=8
engine mmap
engine psync --rw=randrw --bsrange=1k-64k --fsync=16

mkdir "$mount/dbench"
dbench --timelimit=3 --directory="$mount/dbench" 2 > dbench.log 2>&1 || { cat dbench.log; exit 1; }
# The first semaphore of an IPC namespace has the number 0, which it calls a failure, and goes on with it; where there is none it ends.
if grep -v '^failed to create barrier semaphore' dbench.log | grep -i fail; then exit 1; fi
grep -o Throughput dbench.log

# It takes no path of more than 40 bytes.
cd "$mount"
for sync in 0 1; do
  mkdir fs_mark$sync
  fs_mark -d fs_mark$sync -n 250 -s 5000 -t 2 -S $sync -k -l "$disk/fs_mark.log" > "$disk/fs_mark.out" 2>&1 ||
    { cat "$disk/fs_mark.out"; exit 1; }
  find fs_mark$sync -type f -size 5000c | wc -l
done
