package io.fusecache.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** The figures of a run, and what they mean against the bars. */
public final class Report {
    private final String other;
    private final List<Line> lines = new ArrayList<>();

    /** Against the disk below the mount. */
    Report() {
        this("disk");
    }

    /** @param other what the mount is compared with */
    Report(String other) {
        this.other = other;
    }

    /**
     * One line of the table.
     *
     * @param ratio how fast the mount is, with the disk as 1
     * @param reached whether the promise holds; true where there is none
     */
    record Line(
            String title,
            String unit,
            String mounted,
            String disk,
            OptionalDouble ratio,
            String bar,
            boolean reached) {}

    void compared(Row row, Figures mounted, Figures disk) {
        double ratio = mounted.dividedBy(disk).median();
        String bar = row.bar().isPresent()
                ? String.format(Locale.ROOT, ">= %.2f", row.bar().getAsDouble())
                : "";
        boolean reached = row.bar().isEmpty() || ratio >= row.bar().getAsDouble();
        lines.add(new Line(
                row.title(), row.unit().text(), mounted.text(), disk.text(), OptionalDouble.of(ratio), bar, reached));
    }

    /** A figure that a disk has no counterpart to, bounded from above. */
    void bounded(String title, String unit, Figures figures, double most) {
        lines.add(new Line(
                title,
                unit,
                figures.text(),
                "",
                OptionalDouble.empty(),
                "<= " + Figures.number(most),
                figures.median() <= most));
    }

    List<Line> lines() {
        return List.copyOf(lines);
    }

    /** @return whether every promise held */
    public boolean reached() {
        return lines.stream().allMatch(Line::reached);
    }

    /** @return the table, with the verdict below it */
    public String markdown() {
        StringBuilder text = new StringBuilder("""
                | what | unit | mount | %s | ratio | bar |
                |---|---|---:|---:|---:|---:|
                """.formatted(other));
        for (Line line : lines) {
            String ratio = line.ratio().isPresent()
                    ? String.format(Locale.ROOT, "%.2f", line.ratio().getAsDouble())
                    : "";
            text.append("| ")
                    .append(String.join(
                            " | ",
                            line.title(),
                            line.unit(),
                            line.mounted(),
                            line.disk(),
                            line.reached() ? ratio : "**" + ratio + "**",
                            line.reached() ? line.bar() : "**missed:** " + line.bar()))
                    .append(" |\n");
        }
        return text.append("\nMedians, with least and most. The ratio is the median of the repeats' own ratios. ")
                .append(verdict())
                .append('\n')
                .toString();
    }

    private String verdict() {
        long barred = lines.stream().filter(line -> !line.bar().isEmpty()).count();
        long missed = lines.stream().filter(line -> !line.reached()).count();
        return missed == 0 ? "All " + barred + " bars reached." : missed + " of " + barred + " bars missed.";
    }
}
