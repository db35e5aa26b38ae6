/**
 * Random operations on any mounted directory, each checked against a model in memory: as programs,
 * {@link io.fusecache.testkit.random.RandomFile} for one file and {@link io.fusecache.testkit.random.RandomTree} for a tree that
 * several mounts show. A run is a list of operations that follows from its seed; one that fails is shrunk to a short list that
 * fails too, which is printed as text and can be run again. {@link io.fusecache.testkit.random.RandomRaces} has several threads
 * do the same thing at once, and checks what may come of it.
 */
@NullMarked
package io.fusecache.testkit.random;

import org.jspecify.annotations.NullMarked;
