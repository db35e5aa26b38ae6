# A program of many files, built by make and gcc, built again after a change. Prints what must be the same wherever it runs.
mkdir src include
awk 'BEGIN {
  for (i = 0; i < 150; i++) {
    name = "src/part" i ".c"
    printf "#include \"parts.h\"\nint part%d(int x) { return (x * %d + STEP) %% 1000003; }\n", i, i + 3 > name
    close(name)
    declared = declared sprintf("int part%d(int x);\n", i)
    called = called sprintf("  x = part%d(x);\n", i)
  }
  printf "#define STEP 7\n%s", declared > "include/parts.h"
  printf "#include <stdio.h>\n#include \"parts.h\"\nint main(void) {\n  int x = 1;\n%s  printf(\"%%d\\n\", x);\n  return 0;\n}\n",
      called > "src/main.c"
}'
cat > Makefile <<'MAKEFILE'
objects := $(patsubst src/%.c,out/%.o,$(wildcard src/part*.c))
program: out/main.o out/libparts.a
	gcc -o $@ $^
out/libparts.a: $(objects)
	rm -f $@
	ar rcsD $@ $^
out/%.o: src/%.c include/parts.h | out
	gcc -O1 -Wall -Werror -Iinclude -c -o $@ $<
out:
	mkdir out
MAKEFILE
make -s -j 2
make -q
./program
cksum program out/libparts.a
sed -i 's/STEP 7/STEP 8/' include/parts.h
test "$(make -n | grep -c 'gcc -O1')" = 151
make -s out/part7.o
test "$(make -n | grep -c 'gcc -O1')" = 150
cksum out/part7.o
