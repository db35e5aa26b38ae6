package io.fusecache.testkit.posix.scene;

import java.util.StringJoiner;

/** What a system call answered, and what is said when that is not what the rule demands. */
public final class Outcome {
    private static final int SHOWN = 60;

    private final Actor actor;
    private final Syscall syscall;
    private final Object[] arguments;
    private final long answer;

    Outcome(Actor actor, Syscall syscall, Object[] arguments, long answer) {
        this.actor = actor;
        this.syscall = syscall;
        this.arguments = arguments;
        this.answer = answer;
    }

    /** It must have succeeded; its answer. */
    public long ok() {
        if (answer < 0) {
            throw new Violation(this + " failed with " + said());
        }
        return answer;
    }

    /** It must have succeeded; its answer, a descriptor or a count. */
    public int okInt() {
        return Math.toIntExact(ok());
    }

    /** It must have answered this. */
    public void is(long expected) {
        if (answer != expected) {
            throw new Violation(this + " gave " + said() + ", not " + expected);
        }
    }

    /** It must have failed with one of these. */
    public void fails(Errno... allowed) {
        StringJoiner names = new StringJoiner(" or ");
        for (Errno errno : allowed) {
            if (answer == -errno.number()) {
                return;
            }
            names.add(errno.name());
        }
        throw new Violation(this + " gave " + said() + ", not " + names);
    }

    /** {@link #ok} where that is granted, else {@link #fails}. */
    public void is(boolean granted, Errno otherwise) {
        if (granted) {
            ok();
        } else {
            fails(otherwise);
        }
    }

    /** Ends the check where the call is not known, or not for this file system. */
    public Outcome orNotApplicable(String what) {
        if (failed(Errno.EOPNOTSUPP) || failed(Errno.ENOSYS)) {
            throw new NotApplicable("this file system has no " + what);
        }
        return this;
    }

    public boolean succeeded() {
        return answer >= 0;
    }

    public boolean failed(Errno errno) {
        return answer == -errno.number();
    }

    /** The answer, negative where it failed. */
    public long raw() {
        return answer;
    }

    private String said() {
        return answer < 0 ? Errno.name((int) -answer) : Long.toString(answer);
    }

    @Override
    public String toString() {
        StringJoiner text = new StringJoiner(", ", syscall.name().toLowerCase(java.util.Locale.ROOT) + "(", ")");
        for (Object argument : arguments) {
            text.add(
                    switch (argument) {
                        case String path ->
                            '"' + (path.length() > SHOWN ? path.substring(0, SHOWN) + "..." : path) + '"';
                        case byte[] bytes -> bytes.length + " bytes";
                        case Integer number when number == Flags.AT_FDCWD -> "AT_FDCWD";
                        default -> argument.toString();
                    });
        }
        return text + " as " + actor;
    }
}
