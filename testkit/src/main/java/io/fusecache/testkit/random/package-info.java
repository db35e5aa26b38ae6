/**
 * Random operations on any mounted directory, each checked against a model in memory: as a program,
 * {@link io.fusecache.testkit.random.RandomFile}. A run is a list of operations that follows from its seed; one that fails is
 * shrunk to a short list that fails too, which is printed as text and can be run again.
 */
@NullMarked
package io.fusecache.testkit.random;

import org.jspecify.annotations.NullMarked;
