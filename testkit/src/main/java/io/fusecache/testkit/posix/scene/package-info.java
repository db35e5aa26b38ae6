/**
 * Where a rule of the POSIX suite is tried: users, system calls, a directory of its own for each check, the runner.
 *
 * <p>In come rules (a name and a body); out goes a report. {@link io.fusecache.testkit.posix.scene.Kernel} makes the only
 * downcalls here: the suite tests any mounted directory, so it must not share its calls with the file system under test,
 * and needs raw ones (per-thread users, arbitrary bytes as paths, bad addresses), which {@code fuse.sys} has no use for.
 */
@NullMarked
package io.fusecache.testkit.posix.scene;

import org.jspecify.annotations.NullMarked;
