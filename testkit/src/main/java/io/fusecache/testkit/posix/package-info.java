/**
 * A POSIX conformance suite for any mounted directory: as a program, {@link io.fusecache.testkit.posix.PosixSuite}, and
 * for JUnit, {@link io.fusecache.testkit.posix.PosixContract}. Both say in their own words how to run them.
 */
@NullMarked
package io.fusecache.testkit.posix;

import org.jspecify.annotations.NullMarked;
