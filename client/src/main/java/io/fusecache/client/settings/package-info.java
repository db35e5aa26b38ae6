/**
 * Values and where they come from: flag over environment over file over default.
 *
 * <p>In come texts by {@link io.fusecache.client.settings.Setting}; out comes a validated
 * {@link io.fusecache.client.NodeConfiguration}, or a {@link io.fusecache.client.settings.UsageException} that names the
 * flag, variable or line at fault. The table of settings is {@link io.fusecache.client.settings.Setting}; to add a flag, add
 * a constant there and read it in {@link io.fusecache.client.settings.NodeSettings}.
 */
@NullMarked
package io.fusecache.client.settings;

import org.jspecify.annotations.NullMarked;
