# Copies of a tree of all that a file system can hold, by rsync and tar, from disk ($1) to a mount ($2) and from another mount of
# it ($3) back: nothing differs.
disk=$1 here=$2 there=$3

# All there is to know of a tree but its inode numbers and change times.
manifest() {
  (
    cd "$1"
    # A directory's size and link count are each file system's own affair.
    find . -type d -printf '%P|%y|%m|%U:%G|%T@\n' -o -printf '%P|%y|%m|%U:%G|%T@|%l|%n|%s\n' | LC_ALL=C sort
    find . \( -type b -o -type c \) -exec stat -c '%n %t:%T' {} + | LC_ALL=C sort
    # Which names are one file.
    find . -type f -links +1 -printf '%i %P\n' | LC_ALL=C sort -k 2 | awk '{ if (!($1 in first)) first[$1] = $2; print first[$1], $2 }'
    find . -type f -print0 | LC_ALL=C sort -z | xargs -0 -r cksum
    find . -print0 | LC_ALL=C sort -z | xargs -0 -r getfattr -h -d -m - -e hex --
    find . ! -type l -print0 | LC_ALL=C sort -z | xargs -0 -r getfacl -n -p --
  )
}

mkdir -p "$disk/tree/empty" "$disk/tree/a/b/c" "$disk/back"
cd "$disk/tree"
head -c 3000000 /dev/urandom > a/big
seq 100 > a/b/lines
: > a/nothing
for i in 1 2 3; do ln a/b/lines "a/b/c/hard$i"; done
ln -s b/lines a/soft
ln -s nowhere dangling
ln -s "$(printf 'x%.0s' $(seq 1000))" long
ln a/soft a/soft-hard
mkfifo -m 620 fifo
mknod -m 604 null c 1 3
mknod -m 640 disk b 259 70000
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
truncate -s 200M sparse
printf middle | dd of=sparse bs=1 seek=100000000 conv=notrunc status=none
for name in ' leading' 'trailing ' 'two
lines' "$(printf 'tab\tbell\a')" "$(printf 'not \377\376 UTF-8')" -dash '*' 'back\slash' '"quoted"' "$(printf 'n%.0s' $(seq 255))" ümläut .hidden; do
  echo "$name" > "./$name"
done
chmod 4755 a/big
chmod 2750 a/b
chmod 1777 empty
chmod 0 a/nothing
echo of somebody > owned
chown -h 12345:54321 owned dangling a/soft
touch -d '1969-12-31 23:59:58.123456789 UTC' ./-dash
touch -d '2200-01-01 00:00:00.000000001 UTC' owned
touch -h -d '2001-02-03 04:05:06.700000000 UTC' dangling
setfattr -n user.text -v value a/big
setfattr -n user.binary -v 0x00ff0a00 a/b
setfattr -n trusted.of-root -v 1 empty
setfattr -n security.label -v 2 a/b/lines
setfattr -n user.long -v "$(head -c 3000 /dev/zero | tr '\0' x)" owned
setfacl -m u:7:rw,g:8:r a/b/lines
setfacl -m u:7:rwx a
setfacl -d -m u:9:rx,o::- a
touch -d '2020-02-02 02:02:02.020202020 UTC' a/b/c a/b a empty .

manifest "$disk/tree" > "$disk/expected"
same() {
  manifest "$1" > "$disk/seen"
  diff "$disk/expected" "$disk/seen"
}
sparse() { test "$(stat -c %b "$1/sparse")" -lt 1000; }
# By default it takes times within one second for the same.
synchronize() { rsync -aHAX --sparse --numeric-ids --modify-window=-1 "$@"; }
archive() { tar --xattrs --xattrs-include='*' --acls --numeric-owner --sparse --format=pax "$@"; }

synchronize "$disk/tree/" "$here/rsync/"
same "$there/rsync"
sparse "$here/rsync"
test -z "$(synchronize --dry-run --checksum --delete --itemize-changes "$disk/tree/" "$here/rsync/")"
synchronize "$there/rsync/" "$disk/back/rsync/"
same "$disk/back/rsync"
test -z "$(synchronize --dry-run --checksum --delete --itemize-changes "$there/rsync/" "$disk/tree/")"

# A second run carries over what changed, and nothing else.
echo more >> a/b/lines
rm fifo
mv owned renamed
touch -d '2020-02-02 02:02:02.020202020 UTC' .
manifest "$disk/tree" > "$disk/expected"
synchronize --delete "$disk/tree/" "$here/rsync/"
same "$there/rsync"

# tar knows no sockets.
rm socket
touch -d '2020-02-02 02:02:02.020202020 UTC' .
manifest "$disk/tree" > "$disk/expected"
mkdir "$here/tar" "$disk/back/tar"
archive -cf "$disk/out.tar" -C "$disk/tree" .
archive -xpf "$disk/out.tar" -C "$here/tar"
same "$there/tar"
archive -cf "$here/in.tar" -C "$here/tar" .
archive -xpf "$there/in.tar" -C "$disk/back/tar"
same "$disk/back/tar"
archive -df "$there/in.tar" -C "$here/tar"
echo 'nothing differs'
