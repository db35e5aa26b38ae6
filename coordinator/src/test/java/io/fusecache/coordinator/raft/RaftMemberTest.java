package io.fusecache.coordinator.raft;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.coordinator.state.Changes;
import io.fusecache.coordinator.state.Keys;
import io.fusecache.coordinator.state.Log;
import io.fusecache.coordinator.state.StateStore;
import io.fusecache.coordinator.state.View;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Three members on loopback, in this process. */
final class RaftMemberTest {
    /** Patient: on a busy machine nobody is to be deposed for being slow. */
    private static final RaftTiming TIMING = new RaftTiming(
            Duration.ofMillis(2_000), Duration.ofMillis(4_000), Duration.ofMillis(1_500), Duration.ofMillis(200));

    private static final LogKeeping ALL = LogKeeping.DEFAULT;
    private static final LogKeeping LITTLE = new LogKeeping(40, 8 << 10);

    @TempDir
    Path folder;

    private final Map<String, ReplicaGroup.Member> members = new LinkedHashMap<>();
    private final Map<String, RaftMember> running = new LinkedHashMap<>();
    private final List<ReignLog> logs = new ArrayList<>();
    private final TreeMap<byte[], byte[]> model = new TreeMap<>(Arrays::compareUnsigned);
    private final Random random = new Random(Long.getLong("fusecache.seed", 1));

    @BeforeEach
    void findPorts() throws IOException {
        Iterator<Integer> ports = FreePorts.draw(3).iterator();
        for (String name : List.of("a", "b", "c")) {
            members.put(name, new ReplicaGroup.Member("127.0.0.1", ports.next(), 1, 2));
        }
    }

    @AfterEach
    void end() {
        running.values().forEach(RaftMember::close);
        logs.forEach(ReignLog::close);
    }

    private static ConditionFactory await() {
        return Awaitility.await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(10));
    }

    private RaftMember start(String name, LogKeeping keeping) throws IOException {
        RaftMember member = RaftMember.start(
                new ReplicaGroup(name, members), folder.resolve(name), TIMING, keeping, new RaftMember.Listener() {
                    @Override
                    public void leads() {}

                    @Override
                    public void leadsNoMore() {}

                    @Override
                    public void failed(String reason) {}
                });
        running.put(name, member);
        return member;
    }

    private void startAll(LogKeeping keeping) throws IOException {
        for (String name : members.keySet()) {
            start(name, keeping);
        }
    }

    private void stop(String name) {
        RaftMember member = running.remove(name);
        if (member != null) {
            member.close();
        }
    }

    private String leader() {
        return await().until(
                        () -> running.entrySet().stream()
                                .filter(entry -> entry.getValue().leads())
                                .map(Map.Entry::getKey)
                                .findFirst()
                                .orElse(""),
                        name -> !name.isEmpty());
    }

    private RaftMember member(String name) {
        RaftMember member = running.get(name);
        if (member == null) {
            throw new AssertionError(name + " is not running");
        }
        return member;
    }

    private String follower() {
        String leader = leader();
        return running.keySet().stream()
                .filter(name -> !name.equals(leader))
                .findFirst()
                .orElseThrow();
    }

    /** Who leads now, whoever that is: an election may come in between. */
    private ReignLog reign() {
        return reign(new CountDownLatch(1));
    }

    private ReignLog reign(CountDownLatch failed) {
        ReignLog log = await().ignoreExceptions()
                .until(
                        () -> ReignLog.begin(member(leader()), TIMING, new Log.Listener() {
                            @Override
                            public void durable() {}

                            @Override
                            public void failed(IOException cause) {
                                failed.countDown();
                            }
                        }),
                        begun -> true);
        logs.add(log);
        log.start();
        return log;
    }

    private void write(ReignLog log, int batches, boolean oneByOne) throws IOException {
        for (int i = 0; i < batches; i++) {
            Changes batch = new Changes(log.view());
            for (int j = random.nextInt(5); j >= 0; j--) {
                byte[] key = {(byte) ('a' + random.nextInt(8)), (byte) random.nextInt(100)};
                if (random.nextInt(4) == 0) {
                    batch.delete(key);
                    model.remove(key);
                } else {
                    byte[] value = new byte[random.nextInt(300)];
                    random.nextBytes(value);
                    batch.put(key, value);
                    model.put(key, value);
                }
            }
            long position = log.append(batch);
            if (oneByOne || i == batches - 1) {
                await().until(log::durable, durable -> durable >= position);
            }
        }
    }

    /** Of every byte of the state, but for up to where it has the log. */
    private static String digest(View view) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        view.scan(new byte[] {0}, new byte[] {(byte) 0xff}, (key, value) -> {
            if (!Arrays.equals(key, Keys.replica())) {
                digest.update((key.length + " " + value.length + " ").getBytes(StandardCharsets.US_ASCII));
                digest.update(key);
                digest.update(value);
            }
            return true;
        });
        return HexFormat.of().formatHex(digest.digest());
    }

    private void allHaveTheSame() throws Exception {
        String leader = leader();
        String expected = digest(member(leader).state());
        for (Map.Entry<String, RaftMember> entry : running.entrySet()) {
            await().ignoreExceptions()
                    .untilAsserted(() -> assertThat(digest(entry.getValue().state()))
                            .as(entry.getKey())
                            .isEqualTo(expected));
        }
        for (Map.Entry<byte[], byte[]> entry : model.entrySet()) {
            assertThat(member(leader).state().get(entry.getKey())).isEqualTo(entry.getValue());
        }
    }

    @Test
    void replicasThatAppliedTheSameLogHoldTheSameBytes() throws Exception {
        startAll(ALL);
        ReignLog log = reign();
        write(log, 500, false);
        allHaveTheSame();
        byte @Nullable [] last = log.view().get(model.lastKey());
        assertThat(last).isEqualTo(model.lastEntry().getValue());
    }

    @Test
    void aMemberThatWasAwayCatchesUpByTheLog() throws Exception {
        startAll(ALL);
        ReignLog log = reign();
        write(log, 50, false);
        String away = follower();
        stop(away);
        write(log, 50, false);
        start(away, ALL);
        allHaveTheSame();
        stop(leader());
        write(reign(), 50, false);
        allHaveTheSame();
    }

    @Test
    void aMemberThatWasAwayForLongGetsASnapshot() throws Exception {
        startAll(LITTLE);
        ReignLog log = reign();
        write(log, 50, true);
        String away = follower();
        stop(away);
        write(log, 150, true);
        assertThat(log.durable()).isNotEqualTo(0);
        start(away, LITTLE);
        allHaveTheSame();
        // And goes on from there, also after it was started again.
        write(reign(), 20, true);
        allHaveTheSame();
        stop(away);
        start(away, LITTLE);
        write(reign(), 60, true);
        allHaveTheSame();
        assertThat(firstSegment(away)).doesNotStartWith("log_0-").doesNotStartWith("log_inprogress_0");
    }

    private String firstSegment(String name) throws IOException {
        return files(folder.resolve(name), "log_").stream()
                .map(file -> file.getFileName().toString())
                .sorted()
                .findFirst()
                .orElse("");
    }

    private static List<Path> files(Path under, String start) throws IOException {
        try (Stream<Path> all = Files.walk(under)) {
            return all.filter(file -> file.getFileName().toString().startsWith(start))
                    .filter(Files::isRegularFile)
                    .toList();
        }
    }

    @Test
    void aReignThatAnotherOneEndedChangesNothing() throws Exception {
        startAll(ALL);
        CountDownLatch ended = new CountDownLatch(1);
        ReignLog before = reign(ended);
        write(before, 10, false);
        ReignLog after = reign();
        write(after, 10, false);
        Changes late = new Changes(before.view());
        late.put(new byte[] {'z'}, new byte[] {1});
        try {
            before.append(late);
        } catch (IOException deposed) {
            // An election came in between, and it knows.
        }
        assertThat(ended.await(60, TimeUnit.SECONDS)).isTrue();
        assertThat(before.durable()).isNegative();
        assertThatThrownBy(() -> before.append(late)).isInstanceOf(IOException.class);
        write(after, 10, false);
        assertThat(after.view().get(new byte[] {'z'})).isNull();
        allHaveTheSame();
    }

    @Test
    void aReignEndsWhereItsListenerBreaks() throws Exception {
        startAll(ALL);
        CountDownLatch failed = new CountDownLatch(1);
        ReignLog log = await().ignoreExceptions()
                .until(
                        () -> ReignLog.begin(member(leader()), TIMING, new Log.Listener() {
                            @Override
                            public void durable() {
                                throw new AssertionError("for the test");
                            }

                            @Override
                            public void failed(IOException cause) {
                                failed.countDown();
                            }
                        }),
                        begun -> true);
        logs.add(log);
        log.start();
        Changes batch = new Changes(log.view());
        batch.put(new byte[] {'a'}, new byte[] {1});
        log.append(batch);
        assertThat(failed.await(60, TimeUnit.SECONDS)).isTrue();
        assertThat(log.durable()).isNegative();
        assertThatThrownBy(() -> log.append(batch)).isInstanceOf(IOException.class);
    }

    @Test
    void aLeaderWithoutAMajorityFallsSilent() throws Exception {
        startAll(ALL);
        ReignLog log = reign();
        write(log, 10, false);
        await().until(log::durable, durable -> durable >= 10);
        String leader = leader();
        for (String name : List.copyOf(members.keySet())) {
            if (!name.equals(leader)) {
                stop(name);
            }
        }
        await().until(log::durable, durable -> durable < 0);
        await().during(Duration.ofSeconds(1)).until(log::durable, durable -> durable < 0);
    }

    @Test
    void aLeaderHandsOver() throws Exception {
        startAll(ALL);
        write(reign(), 10, false);
        String leader = leader();
        assertThat(member(leader).handOver(Duration.ofSeconds(20))).isTrue();
        stop(leader);
        assertThat(leader()).isNotEqualTo(leader);
        write(reign(), 10, false);
        start(leader, ALL);
        allHaveTheSame();
    }

    @Test
    void aTruncatedLogIsRefusedByName() throws Exception {
        startAll(ALL);
        write(reign(), 50, true);
        allHaveTheSame();
        List.copyOf(members.keySet()).forEach(this::stop);
        for (Path segment : files(folder.resolve("a"), "log_")) {
            Files.delete(segment);
        }
        assertThatThrownBy(() -> start("a", ALL))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(folder.resolve("a").toString())
                .hasMessageContaining("truncated");
    }

    @Test
    void aDamagedLogIsRefusedByName() throws Exception {
        startAll(ALL);
        write(reign(), 50, true);
        List.copyOf(members.keySet()).forEach(this::stop);
        for (Path segment : files(folder.resolve("a"), "log_")) {
            byte[] bytes = Files.readAllBytes(segment);
            bytes[Math.min(300, bytes.length / 2)] ^= 0x55;
            Files.write(segment, bytes, StandardOpenOption.TRUNCATE_EXISTING);
        }
        assertThatThrownBy(() -> start("a", ALL))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(folder.resolve("a").toString());
    }

    @Test
    void aDamagedStateIsRefusedByName() throws Exception {
        startAll(ALL);
        write(reign(), 10, false);
        List.copyOf(members.keySet()).forEach(this::stop);
        for (Path manifest : files(folder.resolve("a").resolve("state"), "MANIFEST")) {
            Files.write(manifest, new byte[100]);
        }
        assertThatThrownBy(() -> start("a", ALL))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(folder.resolve("a").toString());
    }

    @Test
    void aStateOfANewerFormatIsRefusedByName() throws Exception {
        start("a", ALL);
        stop("a");
        Path state = folder.resolve("a").resolve("state");
        newer(state);
        assertThatThrownBy(() -> start("a", ALL))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(state + " has the format 'fuse-cache coordinator 99'");
    }

    @Test
    void aSnapshotOfANewerFormatTakesThePlaceOfNothing() throws Exception {
        startAll(LITTLE);
        write(reign(), 150, true);
        List.copyOf(members.keySet()).forEach(this::stop);
        Path state = folder.resolve("a").resolve("state");
        Path snapshot = files(folder.resolve("a").resolve("raft"), "CURRENT").stream()
                .map(Path::getParent)
                .max(Comparator.comparing(Path::toString))
                .orElseThrow();
        newer(snapshot);
        // As if it had been installed, and was not taken over yet.
        Files.move(snapshot, snapshot.resolveSibling("snapshot.1000_1000000"));
        String before = digestOf(state);
        assertThatThrownBy(() -> start("a", LITTLE))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("snapshot.1000_1000000 has the format 'fuse-cache coordinator 99'");
        assertThat(digestOf(state)).isEqualTo(before);
    }

    private static void newer(Path database) throws IOException {
        try (StateStore store = StateStore.open(database)) {
            store.write(
                    List.of(Map.entry(Keys.format(), "fuse-cache coordinator 99".getBytes(StandardCharsets.US_ASCII))));
        }
    }

    private static String digestOf(Path database) throws Exception {
        try (StateStore store = StateStore.open(database)) {
            return digest(store);
        }
    }

    @Test
    void aMemberKeepsItsNameAndAddress() throws Exception {
        start("a", ALL);
        stop("a");
        ReplicaGroup.Member a = members.get("a");
        members.put("a", new ReplicaGroup.Member("127.0.0.2", a == null ? 1 : a.raftPort(), 1, 2));
        assertThatThrownBy(() -> start("a", ALL))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("127.0.0.2");
    }

    @Test
    void whoTheMembersAreIsInTheLogAndNotInTheFlags() throws Exception {
        startAll(ALL);
        String leads = leader();
        await().until(() -> member(leads).members().keySet(), names -> names.equals(members.keySet()));
        for (String name : List.copyOf(members.keySet())) {
            stop(name);
        }
        members.put("d", new ReplicaGroup.Member("127.0.0.1", 1, 1, 2));
        for (String name : List.of("a", "b", "c")) {
            start(name, ALL);
        }
        assertThat(member(leader()).members()).containsOnlyKeys("a", "b", "c");
    }

    /** Else a member that never had a majority would lead alone, beside the others. */
    @Test
    void whoTheMembersOfTheFirstStartWereCountsUntilTheLogSaysMore() throws Exception {
        members.put(
                "b",
                new ReplicaGroup.Member(
                        "127.0.0.1", new ReplicaGroup("b", members).own().raftPort(), 7, 8));
        Map<String, ReplicaGroup.Member> all = Map.copyOf(members);
        start("a", ALL);
        stop("a");
        members.keySet().retainAll(List.of("a"));
        start("a", ALL);
        assertThat(member("a").members()).isEqualTo(all);
        assertThat(member("a").leads()).isFalse();
        members.putAll(all);
        start("b", ALL);
        write(reign(), 10, false);
        start("c", ALL);
        allHaveTheSame();
        assertThat(member("c").members()).isEqualTo(all);
    }

    @Test
    void aFolderFromBeforePortsWereRecordedIsKnown() throws Exception {
        start("a", ALL);
        stop("a");
        Path file = folder.resolve("a").resolve("members");
        Files.writeString(file, Files.readAllLines(file).getFirst() + "\n");
        start("a", ALL);
        assertThat(member("a").members()).isEqualTo(members);
    }
}
