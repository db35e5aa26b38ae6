# git's own operations on a repository of 10,000 files, by turns in the directories $1 and $2, which may be one or the same on two
# mounts. Prints what must be the same wherever it runs.
export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@example.com GIT_AUTHOR_DATE='2026-01-01T00:00:00Z'
export GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@example.com GIT_COMMITTER_DATE='2026-01-01T00:00:00Z'
export GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
one=$1/repository two=$2/repository
clean() { test -z "$(git status --porcelain)"; }

git init -q -b main "$one"
cd "$one"
# Nothing may go on in the background when a command has returned.
git config gc.auto 0
awk '
  function file(mode, name, content) {
    printf "M %s inline %s\ndata %d\n%s\n", mode, name, length(content), content
  }
  BEGIN {
    print "commit refs/heads/main\ncommitter test <test@example.com> 1767225600 +0000\ndata 5\nfirst"
    for (d = 0; d < 100; d++) {
      for (f = 0; f < 100; f++) {
        file("100644", "directory" d "/file" f, "line one of " d " and " f "\nline two\nline three\n")
      }
    }
    file("100755", "directory1/program", "#!/bin/sh\necho runs\n")
    file("120000", "directory1/link", "../directory2/file2")
  }' | git fast-import --quiet
git reset -q --hard
clean
directory1/program
find . -path ./.git -prune -o -type f -print | wc -l
cat directory*/file* | cksum

cd "$two"
clean
git checkout -q -b other
for f in directory1?/file?; do echo "changed in other" >> "$f"; done
git rm -q -r directory3
git mv directory4 renamed
git commit -q -a -m second

cd "$one"
clean
git checkout -q main
test -e directory3/file99
test -e directory4/file99
for f in directory2?/file5; do echo "changed in main" >> "$f"; done
echo new > new
git add new
git commit -q -a -m third

cd "$two"
git merge -q -m merged other
test ! -e directory3
test -e renamed/file99
clean
git tag -a -m marked v1

cd "$one"
echo "not kept" >> directory50/file50
git stash -q
clean
git stash drop -q
git reflog expire --expire=now --all

cd "$two"
git gc -q --prune=now
git fsck --full --strict
clean

cd "$one"
git fsck --full --strict
git clone -q --no-local --bare . ../bare.git
git -C ../bare.git fsck --full --strict
clean
git log --format='%H %s' --date-order
git ls-files -s | cksum
cat */file* | cksum
git count-objects -v | grep -v '^size'
