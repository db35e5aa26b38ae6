package io.fusecache.fuse.sys;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;

/** How a function of libc becomes a method handle that captures errno. */
@SuppressWarnings("restricted") // native access is what this class is for
final class Downcall {
    private static final Linker LINKER = Linker.nativeLinker();
    private static final Linker.Option ERRNO = Linker.Option.captureCallState("errno");

    private Downcall() {}

    /** A function that answers an int. {@code shape} has a letter for each argument: i int, l long, p pointer. */
    static MethodHandle ofInt(String name, String shape) {
        return LINKER.downcallHandle(address(name), FunctionDescriptor.of(JAVA_INT, arguments(shape)), ERRNO);
    }

    /** A function that answers a long. */
    static MethodHandle ofLong(String name, String shape) {
        return LINKER.downcallHandle(address(name), FunctionDescriptor.of(JAVA_LONG, arguments(shape)), ERRNO);
    }

    /** A function with further arguments after the {@code fixed} first ones, as open(2) and ioctl(2) have. */
    static MethodHandle ofVariadicInt(String name, String shape, int fixed) {
        return LINKER.downcallHandle(
                address(name),
                FunctionDescriptor.of(JAVA_INT, arguments(shape)),
                ERRNO,
                Linker.Option.firstVariadicArg(fixed));
    }

    static MemorySegment address(String name) {
        return LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new UnsatisfiedLinkError("this machine's C library has no function " + name));
    }

    private static MemoryLayout[] arguments(String shape) {
        MemoryLayout[] layouts = new MemoryLayout[shape.length()];
        for (int i = 0; i < layouts.length; i++) {
            layouts[i] = switch (shape.charAt(i)) {
                case 'i' -> JAVA_INT;
                case 'l' -> JAVA_LONG;
                case 'p' -> ADDRESS;
                default -> throw new AssertionError(shape);
            };
        }
        return layouts;
    }

    /** The string as C has it: UTF-8 and a NUL. */
    static MemorySegment cString(Arena arena, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        for (byte b : bytes) {
            if (b == 0) {
                throw new IllegalArgumentException("a NUL in a path: " + text.replace('\0', '?'));
            }
        }
        MemorySegment segment = arena.allocate(bytes.length + 1L);
        MemorySegment.copy(bytes, 0, segment, ValueLayout.JAVA_BYTE, 0, bytes.length);
        return segment;
    }

    /** A downcall throws nothing but what the virtual machine itself throws. */
    static AssertionError broken(Throwable t) {
        if (t instanceof Error e) {
            throw e;
        }
        if (t instanceof RuntimeException e) {
            throw e;
        }
        return new AssertionError(t);
    }
}
