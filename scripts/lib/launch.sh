# Sourced by the programs in bin/ with: self (the program's path), role (its AOT cache), main (its class), jvm_options (its own), and the
# program's arguments. Replaces the shell by the JVM. A few milliseconds: no Maven, and no process but the JVM's.

root=$(CDPATH='' cd -- "${self%/*}/.." && pwd -P)
dist=$root/cli/target/dist

if [ ! -r "$dist/jdk" ]; then
  echo "${self##*/}: not built yet, building" >&2
  make -C "$root" --no-print-directory build >&2 || exit 1
fi

# The build notes the JDK that it used: its AOT cache fits no other.
read -r JAVA_HOME <"$dist/jdk"
if [ ! -x "$JAVA_HOME/bin/java" ]; then
  . "$root/scripts/lib/jdk.sh" || exit 1
fi

# A cache that does not fit (another JDK, a replaced jar) is ignored by the JVM: it costs start-up time, nothing else.
cache=$dist/$role.aot
if [ -n "${FUSECACHE_AOT_RECORD:-}" ]; then # scripts/aot.sh, first step
  jvm_options="-Xlog:aot*=error -Xlog:cds*=error -XX:AOTMode=record -XX:AOTConfiguration=$FUSECACHE_AOT_RECORD/$role.aotconf $jvm_options"
elif [ -n "${FUSECACHE_AOT_CREATE:-}" ]; then # scripts/aot.sh, second step
  jvm_options="-Xlog:aot*=error -Xlog:cds*=error -XX:AOTMode=create -XX:AOTConfiguration=$FUSECACHE_AOT_CREATE -XX:AOTCache=$cache $jvm_options"
elif [ -r "$cache" ]; then
  jvm_options="-XX:AOTCache=$cache -Xlog:aot=off -Xlog:cds=off $jvm_options"
fi

# Serve soon, and for long: C2 takes what is truly hot, and does not at once compile all that the training run had
# compiled, which costs half a second of a start on two cores. Neither changes what runs a minute later.
jit_options="-XX:+UnlockDiagnosticVMOptions -XX:-AOTReplayTraining -XX:Tier4InvocationThreshold=30000"
jit_options="$jit_options -XX:Tier4MinInvocationThreshold=10000 -XX:Tier4CompileThreshold=60000"
jit_options="$jit_options -XX:Tier4BackEdgeThreshold=400000"

# referencesPerCacheLine: Jetty otherwise starts all of JMX to ask for it.
# shellcheck disable=SC2086  # lists of words
exec "$JAVA_HOME/bin/java" $jvm_options $jit_options \
  -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError -XX:-UsePerfData \
  --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow \
  "-Djava.library.path=$dist/native" "-Dfusecache.home=$root" \
  -Dorg.eclipse.jetty.util.referencesPerCacheLine=16 \
  ${FUSECACHE_JAVA_OPTIONS:-} \
  -cp "$dist/lib/fusecache.jar" "$main" "$@"
