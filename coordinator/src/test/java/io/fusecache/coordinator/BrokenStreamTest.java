package io.fusecache.coordinator;

import static io.fusecache.coordinator.SessionsTest.file;
import static io.fusecache.coordinator.SessionsTest.name;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.coordinator.session.Session;
import io.fusecache.coordinator.session.SessionLimits;
import io.fusecache.coordinator.session.Sink;
import io.fusecache.metadata.AttributeChange;
import io.fusecache.metadata.Errno;
import io.fusecache.metadata.ErrnoException;
import io.fusecache.metadata.Inode;
import io.fusecache.metadata.Metadata;
import io.fusecache.metadata.NodeAddress;
import io.fusecache.metadata.NodeId;
import io.fusecache.metadata.session.Answer;
import io.fusecache.metadata.session.Downstream;
import io.fusecache.metadata.session.Hello;
import io.fusecache.metadata.session.Operation;
import io.fusecache.metadata.session.Upstream;
import io.fusecache.metadata.session.Welcome;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What holds between the break of a session's stream and the first words on the next one, message by message. */
final class BrokenStreamTest {
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final NodeAddress SELF = new NodeAddress(new NodeId("torn"), "", "");

    @TempDir
    Path folder = Path.of("/");

    private Coordinator coordinator;
    private Metadata other;
    private final Recorder onOther = new Recorder();

    @BeforeEach
    void start() throws IOException {
        coordinator = Coordinator.open(folder, SessionLimits.DEFAULT.withLease(LONG));
        other = coordinator.connect(new NodeId("other"), onOther);
    }

    @AfterEach
    void stop() {
        onOther.gate.countDown();
        other.close();
        coordinator.close();
    }

    /** One stream of the session, which hears everything and does nothing about it. */
    private final class Stream implements Sink {
        private final List<Downstream> heard = new ArrayList<>();
        private @Nullable Welcome welcome;
        private final Session session;

        Stream(@Nullable Welcome before) throws IOException {
            session = coordinator
                    .sessions()
                    .connect(
                            new Hello(
                                    Hello.PROTOCOL,
                                    "",
                                    SELF,
                                    "",
                                    "",
                                    "",
                                    before == null ? 0 : before.session(),
                                    before == null ? 0 : before.secret()),
                            this);
        }

        @Override
        public synchronized void welcome(Welcome message) {
            welcome = message;
        }

        @Override
        public synchronized void send(Downstream message) {
            heard.add(message);
        }

        @Override
        public void close(String reason) {}

        Welcome welcome() {
            Awaitility.await().atMost(LONG).until(() -> {
                synchronized (this) {
                    return welcome != null;
                }
            });
            synchronized (this) {
                return Objects.requireNonNull(welcome);
            }
        }

        void say(Upstream message) {
            coordinator.sessions().received(session, this, message);
        }

        void ask(long sequence, boolean resent, Operation operation) {
            say(new Upstream.Request(0, sequence, resent, operation));
        }

        /** All that was heard of that kind, once there are so many. */
        <M extends Downstream> List<M> heard(Class<M> kind, int atLeast) {
            Awaitility.await().atMost(LONG).until(() -> of(kind).size() >= atLeast);
            return of(kind);
        }

        private synchronized <M extends Downstream> List<M> of(Class<M> kind) {
            return heard.stream().filter(kind::isInstance).map(kind::cast).toList();
        }

        Answer answer() {
            return heard(Downstream.Reply.class, 1).getFirst().answer();
        }
    }

    private static <T> FutureTask<T> begin(Callable<T> call) {
        FutureTask<T> task = new FutureTask<>(call);
        Thread.startVirtualThread(task);
        return task;
    }

    private static AttributeChange mode(int permissions) {
        return new AttributeChange(permissions, null, null, null, null, false);
    }

    private static void assertErrno(Errno errno, org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Test
    void whatFailedIsNotExecutedAgainWhenItsAnswerWasLost() throws Exception {
        other.create(Inode.ROOT, name("x"), file(false));
        Stream first = new Stream(null);
        Operation create = new Operation.Create(Inode.ROOT, name("x"), file(false));
        first.ask(1, false, create);
        assertThat(Objects.requireNonNull(first.answer().failure()).errno()).isEqualTo(Errno.EEXIST);
        other.unlink(Inode.ROOT, name("x"));
        Stream second = new Stream(first.welcome());
        second.ask(1, true, create);
        assertThat(Objects.requireNonNull(second.answer().failure()).errno()).isEqualTo(Errno.EEXIST);
        assertErrno(Errno.ENOENT, () -> other.lookup(Inode.ROOT, name("x")));
        // The next request of the slot is another one.
        second.ask(2, false, create);
        assertThat(second.heard(Downstream.Reply.class, 2).getLast().answer().failure())
                .isNull();
        assertThat(other.lookup(Inode.ROOT, name("x")).regular()).isTrue();
    }

    @Test
    void whatIsUnderWayWhenTheStreamBreaksIsAnsweredOnceOnTheNext() throws Exception {
        Inode made = other.create(Inode.ROOT, name("x"), file(false));
        other.inode(made.ino());
        onOther.gate = new CountDownLatch(1);
        Stream first = new Stream(null);
        Operation unlink = new Operation.Unlink(Inode.ROOT, name("x"));
        first.ask(1, false, unlink);
        Awaitility.await().atMost(LONG).until(() -> onOther.recalled.contains(made.ino()));
        Stream second = new Stream(first.welcome());
        second.ask(1, true, unlink);
        onOther.gate.countDown();
        assertThat(second.answer().failure()).isNull();
        second.ask(2, false, new Operation.ReadInode(Inode.ROOT));
        assertThat(second.heard(Downstream.Reply.class, 2))
                .extracting(Downstream.Reply::sequence)
                .containsExactly(1L, 2L);
        assertThat(first.of(Downstream.Reply.class)).isEmpty();
    }

    /** The coordinator has the hello of a new stream long before the client has the welcome, and answers from its cache meanwhile. */
    @Test
    void whatWasLeasedIsAskedForUntilTheFirstWordOnTheNextStream() throws Exception {
        Inode made = other.create(Inode.ROOT, name("x"), file(false));
        Stream first = new Stream(null);
        first.ask(1, false, new Operation.ReadInode(made.ino()));
        assertThat(first.answer().failure()).isNull();
        Stream second = new Stream(first.welcome());
        FutureTask<Inode> change = begin(() -> other.setAttributes(made.ino(), mode(0600)));
        Downstream.RecallRequest recall =
                second.heard(Downstream.RecallRequest.class, 1).getFirst();
        assertThat(recall.inodes()).contains(made.ino());
        assertThat(change.isDone()).isFalse();
        second.say(new Upstream.RecallDone(recall.recall(), Set.of()));
        assertThat(change.get(LONG.toSeconds(), TimeUnit.SECONDS).permissions()).isEqualTo(0600);
    }

    @Test
    void withTheFirstWordOnTheNextStreamTheLeasesOfBeforeAreGone() throws Exception {
        Inode made = other.create(Inode.ROOT, name("x"), file(false));
        Stream first = new Stream(null);
        first.ask(1, false, new Operation.ReadInode(made.ino()));
        assertThat(first.answer().failure()).isNull();
        Stream second = new Stream(first.welcome());
        second.say(new Upstream.Heartbeat(0, 0));
        assertThat(other.setAttributes(made.ino(), mode(0600)).permissions()).isEqualTo(0600);
        assertThat(second.of(Downstream.RecallRequest.class)).isEmpty();
    }

    /** A question of the old stream is answered on the new one, and its answer cached, before the client says a word there. */
    @Test
    void whatIsGrantedBeforeTheFirstWordOnTheNextStreamStaysGranted() throws Exception {
        Inode made = other.create(Inode.ROOT, name("x"), file(false));
        other.inode(made.ino());
        onOther.gate = new CountDownLatch(1);
        Stream first = new Stream(null);
        first.say(new Upstream.Request(1, 1, false, new Operation.SetAttributes(made.ino(), mode(0640))));
        Awaitility.await().atMost(LONG).until(() -> onOther.recalled.contains(made.ino()));
        first.ask(1, false, new Operation.ReadInode(made.ino()));
        Stream second = new Stream(first.welcome());
        onOther.gate.countDown();
        assertThat(second.heard(Downstream.Reply.class, 2))
                .allSatisfy(reply -> assertThat(reply.answer().failure()).isNull());
        second.say(new Upstream.Heartbeat(0, 0));
        FutureTask<Inode> change = begin(() -> other.setAttributes(made.ino(), mode(0600)));
        Downstream.RecallRequest recall =
                second.heard(Downstream.RecallRequest.class, 1).getFirst();
        second.say(new Upstream.RecallDone(recall.recall(), Set.of()));
        assertThat(change.get(LONG.toSeconds(), TimeUnit.SECONDS).permissions()).isEqualTo(0600);
    }
}
