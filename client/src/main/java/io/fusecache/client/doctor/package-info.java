/**
 * What a machine must have for a node to run well, checked without starting one.
 *
 * <p>In comes a {@link io.fusecache.client.NodeConfiguration}; out come findings, each with the way out where it is bad.
 */
@NullMarked
package io.fusecache.client.doctor;

import org.jspecify.annotations.NullMarked;
