package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.rules.DescriptorCall.Needs.ANYTHING;
import static io.fusecache.testkit.posix.scene.Errno.EACCES;
import static io.fusecache.testkit.posix.scene.Errno.EBADF;
import static io.fusecache.testkit.posix.scene.FileType.CHARACTER;
import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.FileType.FIFO;
import static io.fusecache.testkit.posix.scene.Flags.O_DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.O_NONBLOCK;
import static io.fusecache.testkit.posix.scene.Flags.O_PATH;
import static io.fusecache.testkit.posix.scene.Flags.O_RDONLY;
import static io.fusecache.testkit.posix.scene.Flags.O_RDWR;
import static io.fusecache.testkit.posix.scene.Flags.O_WRONLY;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Errno;
import io.fusecache.testkit.posix.scene.FileType;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Rules;
import io.fusecache.testkit.posix.scene.Scene;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What holds for every call on a descriptor: which descriptors it takes, on which types, and that rights are those of the opening. */
final class DescriptorRules {
    /** Beyond every limit of open files. */
    private static final int BEYOND_LIMIT = 1 << 30;

    private static final Map<Integer, String> ACCESS_MODES =
            Map.of(O_RDONLY, "O_RDONLY", O_WRONLY, "O_WRONLY", O_RDWR, "O_RDWR");

    private DescriptorRules() {}

    static void add(Rules rules) {
        for (DescriptorCall call : DescriptorCall.ALL) {
            notOpen(rules, call);
            types(rules, call);
            for (int mode : List.of(O_RDONLY, O_WRONLY, O_RDWR)) {
                accessModes(rules, call, mode);
            }
            for (Actor actor : Actor.values()) {
                rights(rules, call, actor);
            }
        }
    }

    private static void notOpen(Rules rules, DescriptorCall call) {
        String form = call.form();
        rules.add(call.page(), "EBADF for descriptor -1" + form, scene -> {
            prepare(scene);
            call.act().on(scene.root(), -1).fails(EBADF);
        });
        rules.add(call.page(), "EBADF for a descriptor beyond the limit" + form, scene -> {
            prepare(scene);
            call.act().on(scene.root(), BEYOND_LIMIT).fails(EBADF);
        });
        rules.add(call.page(), "EBADF for a descriptor that was closed" + form, scene -> {
            prepare(scene);
            // In a process of its own, where no other thread opens what gets the same number.
            Caller peer = scene.peer().root();
            peer.open(DescriptorCall.SPARE, O_RDWR).ok();
            peer.open(DescriptorCall.SPARE, O_RDWR).ok();
            int fd = peer.open("f", O_RDWR).okInt();
            peer.close(fd).ok();
            call.act().on(peer, fd + 7).fails(EBADF);
        });
        rules.add(
                call.page(),
                "a descriptor of O_PATH " + (call.needs() == ANYTHING ? "will do" : "gives EBADF") + form,
                scene -> {
                    prepare(scene);
                    Caller root = scene.root();
                    call.act().on(root, root.open("f", O_PATH).okInt()).is(call.needs() == ANYTHING, EBADF);
                });
    }

    private static void types(Rules rules, DescriptorCall call) {
        type(rules, call, DIRECTORY, O_RDONLY | O_DIRECTORY, call.onDirectory());
        type(rules, call, FIFO, O_RDWR | O_NONBLOCK, call.onFifo());
        type(rules, call, CHARACTER, O_RDWR, call.onNull());
    }

    private static void type(Rules rules, DescriptorCall call, FileType type, int flags, @Nullable Errno error) {
        String text = error == null ? "may be made on " + type : error + " on " + type;
        rules.add(call.page(), text + call.form(), scene -> {
            prepare(scene);
            scene.make(type, "x", 0755);
            Caller root = scene.root();
            Outcome opened = root.open("x", flags);
            scene.needs("devices are not to be opened here", () -> !opened.failed(EACCES));
            Outcome outcome = call.act().on(root, opened.okInt());
            if (error == null) {
                outcome.ok();
            } else {
                outcome.fails(error);
            }
        });
    }

    private static void accessModes(Rules rules, DescriptorCall call, int mode) {
        String name = ACCESS_MODES.get(mode);
        boolean met = call.needs().metBy(mode);
        rules.add(
                call.page(),
                (met ? "may be made on a file of " + name : call.refusal() + " on a file of " + name) + call.form(),
                scene -> {
                    prepare(scene);
                    Caller root = scene.root();
                    Outcome outcome = call.act().on(root, root.open("f", mode).okInt());
                    Errno error = met ? call.onFile() : call.refusal();
                    if (error == null) {
                        outcome.ok();
                    } else {
                        outcome.fails(error);
                    }
                });
    }

    /** Who opened a file may go on with it, whatever becomes of its permissions, owner and name. */
    private static void rights(Rules rules, DescriptorCall call, Actor actor) {
        if (call.asksTheInode()) {
            return;
        }
        String as = call.form() + ", as " + actor;
        rules.add(call.page(), "an open file stays usable when its permissions and owner change" + as, scene -> {
            prepare(scene);
            Caller caller = scene.as(actor);
            int fd = caller.open("f", O_RDWR).okInt();
            scene.root().chown("f", 0, 0).ok();
            scene.root().chmod("f", 0).ok();
            call.act().on(caller, fd).ok();
        });
        rules.add(call.page(), "an open file stays usable when it has no name any more" + as, scene -> {
            prepare(scene);
            Caller caller = scene.as(actor);
            int fd = caller.open("f", O_RDWR).okInt();
            scene.root().unlink("f").ok();
            call.act().on(caller, fd).ok();
        });
        rules.add(
                call.page(),
                "an open file stays usable when its directory was renamed and closed to all" + as,
                scene -> {
                    prepare(scene);
                    scene.make(DIRECTORY, "d").root().rename("f", "d/f").ok();
                    Caller caller = scene.as(actor);
                    int fd = caller.open("d/f", O_RDWR).okInt();
                    scene.root().rename("d", "e").ok();
                    scene.root().chmod("e", 0).ok();
                    call.act().on(caller, fd).ok();
                });
    }

    private static void prepare(Scene scene) {
        for (String name : List.of("f", DescriptorCall.SPARE)) {
            scene.file(name, "x".repeat(DescriptorCall.BYTES))
                    .root()
                    .chmod(name, 0666)
                    .ok();
        }
    }
}
