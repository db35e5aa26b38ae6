/** The programs: bin/fusecache, bin/client and bin/coordinator. */
@NullMarked
package io.fusecache.cli;

import org.jspecify.annotations.NullMarked;
