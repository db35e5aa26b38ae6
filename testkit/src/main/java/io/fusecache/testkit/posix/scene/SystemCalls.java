package io.fusecache.testkit.posix.scene;

/** Makes system calls, by a thread of this process or of another. */
interface SystemCalls {
    /** The call's answer, or its error number negated. */
    long call(Actor actor, Syscall syscall, long[] arguments);
}
