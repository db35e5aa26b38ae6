/** The local tier against its contract, on a disk that fails, and with records cut at every byte. */
@NullMarked
package io.fusecache.tiers.nvme;

import org.jspecify.annotations.NullMarked;
