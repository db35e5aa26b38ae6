package io.fusecache.testkit.random;

import java.util.List;

/** What happens around a run while its operations go on: programs that are killed, caches that are emptied. */
public interface Surroundings {
    /** A plain directory: nothing happens. */
    Surroundings QUIET = new Surroundings() {
        @Override
        public List<Incident> incidents() {
            return List.of();
        }

        @Override
        public void happen(String name) {
            throw new AssertionError("no incident is known here: " + name);
        }
    };

    /**
     * Something that may happen.
     *
     * @param name one word
     * @param closed whether nothing may be open meanwhile
     */
    record Incident(String name, boolean closed) {}

    /** Each of these happens once in a run, at any time; what is to happen twice is there twice. */
    List<Incident> incidents();

    /** Returns when operations may go on. */
    void happen(String name) throws Exception;
}
