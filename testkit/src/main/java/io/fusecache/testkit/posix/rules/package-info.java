/**
 * The rules of the man pages, a class for each subject. Each adds its rules to a collection, most of them by a table of
 * calls, file types, permissions and users, so that the name of a rule says which cell of the table failed.
 *
 * <p>Written from the man pages and POSIX; where both leave a choice, what Linux does on its local file systems.
 */
@NullMarked
package io.fusecache.testkit.posix.rules;

import org.jspecify.annotations.NullMarked;
