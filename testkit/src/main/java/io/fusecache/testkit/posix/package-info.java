/**
 * A POSIX conformance suite for any mounted directory: as a program, {@link io.fusecache.testkit.posix.PosixSuite}, and
 * for JUnit, {@link io.fusecache.testkit.posix.PosixContract}. The README of this module says how to run it.
 */
@NullMarked
package io.fusecache.testkit.posix;

import org.jspecify.annotations.NullMarked;
