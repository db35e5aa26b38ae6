/**
 * The side-by-side bench: the same rows on a mount and on the disk below it, repeat beside repeat.
 *
 * <p>In come two folders and {@link io.fusecache.bench.Sizes}, or one folder and the programs to start there; out goes a
 * {@link io.fusecache.bench.Report}, whose table is Markdown. Nothing imports this package but the command line.
 */
@NullMarked
package io.fusecache.bench;

import org.jspecify.annotations.NullMarked;
