# An overlay in real use: a lower layer on disk ($1), its upper one in the directory $2. Prints what must be the same wherever the
# upper layer is: what the overlay shows, before and after it is mounted anew, and what the upper layer holds.
work=$1 upper=$2
mkdir "$work/lower" "$work/merged" "$upper/upper" "$upper/work"
trap 'umount "$work/merged" 2> /dev/null || true' EXIT
overlay() {
  mount -t overlay fusecache-test -o "redirect_dir=on,lowerdir=$work/lower,upperdir=$upper/upper,workdir=$upper/work" "$work/merged"
}

cd "$work/lower"
for d in a b c d e; do
  mkdir -p $d/one/two
  for f in $(seq 20); do echo "$d $f" > $d/one/file$f; done
  echo deep > $d/one/two/deep
  ln -s one/file1 $d/link
done
chmod 750 a/one
chmod 4755 a/one/file3
chown 1000:1000 b/one/file4
setfattr -n user.kept -v yes c/one/file5
setfacl -m u:7:rw c/one/file6
touch -d '2001-02-03 04:05:06.123456789 UTC' b/one/file9 e/one/file3

overlay
cd "$work/merged"
# Changed files are copied up with all they have.
echo more >> a/one/file1
: > a/one/file2
chmod 600 a/one/file4
chown 7:8 b/one/file1
echo more >> b/one/file4
touch -d '2002-02-03 04:05:06.987654321 UTC' b/one/file9
setfattr -n user.added -v 1 c/one/file5
setfacl -m g:8:r c/one/file6
truncate -s 2 c/one/file7
ln c/one/file8 c/one/name-of-8
# New ones.
mkdir -p new/sub
seq 1000 > new/sub/numbers
ln -s numbers new/sub/link
mkfifo new/fifo
mknod new/null c 1 3
# Removed and renamed ones leave whiteouts.
rm a/one/file5 a/link
mv a/one/file6 a/one/renamed
mv a/one/file7 b/one/file7
mv b/one/file8 new/from-b
mv -T new/sub/numbers c/one/file9
# Removed directories that come back are opaque.
rm -r d/one
mkdir d/one
echo only > d/one/this
# Directories are renamed as a whole, with what is below them on either layer.
mv e/one e/uno
mv b renamed-b
mv renamed-b/one/two new/two
rm -r e/uno/two
# And a program that does all of it.
git init -q -b main new/repository
cp -r c/one/file1? new/repository
(
  cd new/repository
  export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
  git config user.email test@example.com
  git config user.name test
  git add .
  git commit -q -m first
  git checkout -q -b other
  git rm -q file11
  git commit -q -m second
  git checkout -q main
  git merge -q other
  git gc -q
  git fsck --full --strict
  git status --porcelain
)
rm -rf new/repository/.git
# When the rest was changed is the clock's affair.
told() {
  cd "$work/merged"
  # Names that begin with .other come and go: another node renames them all the time.
  find . -name '.other*' -o -type d -printf '%P|%y|%m|%U:%G\n' -o -printf '%P|%y|%m|%U:%G|%l|%n|%s\n' | LC_ALL=C sort
  find . -name '.other*' -o -type f -print0 | LC_ALL=C sort -z | xargs -0 cksum
  stat -c '%n %y' renamed-b/one/file9 e/uno/file3
  getfattr -R -d c | LC_ALL=C sort
  getfacl -cn c/one/file6
  cd /
}
told
umount "$work/merged"
overlay
echo mounted anew
told
umount "$work/merged"
cd "$upper/upper"
find . -type c -exec stat -c '%n %t:%T' {} + | LC_ALL=C sort
find . -type d | LC_ALL=C sort | while read -r d; do
  getfattr -h -d -m 'trusted.overlay.(opaque|redirect)' "$d" 2> /dev/null
done
