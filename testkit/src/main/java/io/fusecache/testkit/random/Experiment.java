package io.fusecache.testkit.random;

import io.fusecache.testkit.posix.scene.Violation;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/** Runs a list of operations on something new; where that fails, looks for a short list that fails too, and shows it. */
final class Experiment<O, R extends Experiment.Run<O>> {
    private static final Duration SHRINK_FOR = Duration.ofMinutes(2);

    private final TraceText<O> text;
    private final Supplier<R> fresh;

    /** What operations are done on, and the model of it. A difference is a {@link Violation}. */
    interface Run<O> extends AutoCloseable {
        void apply(O operation) throws Exception;

        /** After the last operation: compares all. Nothing is open then. */
        void end();

        /** Ends what is open, and removes what the run made. */
        void remove();

        /** What the run made stays. */
        @Override
        void close();
    }

    Experiment(TraceText<O> text, Supplier<R> fresh) {
        this.text = text;
        this.fresh = fresh;
    }

    /**
     * All operations, one after the other.
     *
     * @param origin where they come from, for the message
     * @return the run, closed
     * @throws Violation at the first difference, with a short trace
     */
    R run(String origin, List<O> operations) throws Exception {
        R run = fresh.get();
        int begun = 0;
        try {
            for (O operation : operations) {
                begun++;
                run.apply(operation);
            }
            run.end();
            run.close();
            return run;
        } catch (Violation | InternalError failed) {
            run.remove();
            run.close();
            throw new Violation("operation %d of %s, %s: %s%n%s"
                    .formatted(
                            begun,
                            origin,
                            begun == 0 ? "nothing" : text.line(operations.get(begun - 1)),
                            failed.getMessage(),
                            shrunk(operations.subList(0, begun))));
        } catch (Exception other) {
            run.close();
            throw new IllegalStateException("at operation " + begun + " of " + origin, other);
        }
    }

    private String shrunk(List<O> failing) {
        Attempts attempts = new Attempts();
        List<O> shortest = new Shrinker<O>(attempts::fails, SHRINK_FOR).shrink(failing);
        return attempts.why.isEmpty()
                ? "It does not fail again."
                : "Shrunk to%n%s%nwhich ends with: %s"
                        .formatted(String.join(System.lineSeparator(), text.lines(shortest)), attempts.why);
    }

    /** Shorter lists, each on something new. */
    private final class Attempts {
        private String why = "";

        boolean fails(List<O> operations) {
            R run = fresh.get();
            try {
                for (O operation : operations) {
                    run.apply(operation);
                }
                run.end();
                return false;
            } catch (Violation | InternalError failed) {
                why = String.valueOf(failed.getMessage());
                return true;
            } catch (Exception other) {
                throw new IllegalStateException("while the trace was shrunk", other);
            } finally {
                run.remove();
                run.close();
            }
        }
    }
}
