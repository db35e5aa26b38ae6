/**
 * The programs: {@code bin/fusecache} with its verbs, {@code bin/client} and {@code bin/coordinator}.
 *
 * <p>In come words on a command line; out come a running daemon, or text on standard output. What is wrong is one line on
 * standard error, with {@link io.fusecache.cli.ExitStatus} 2 for what was asked wrongly and 1 for what could not be
 * done. To add a verb, write its class and name it in {@link io.fusecache.cli.FuseCache}.
 */
@NullMarked
package io.fusecache.cli;

import org.jspecify.annotations.NullMarked;
