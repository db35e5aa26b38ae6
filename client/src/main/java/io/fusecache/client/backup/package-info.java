/**
 * Backups of the namespace in the bucket: made from a coordinator's dump, listed, fetched, dropped when there are enough.
 *
 * <p>In comes what {@code GET /api/dump} of the coordinator says; out go objects at {@code PREFIX.fusecache/backups/}.
 */
@NullMarked
package io.fusecache.client.backup;

import org.jspecify.annotations.NullMarked;
