package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

final class VerbLineTest {
    private static final VerbLine.Form FORM =
            new VerbLine.Form("quota", "set DIR --bytes SIZE", List.of("json"), List.of("bytes"), 1, 2);

    @Test
    void wordsAndOptionsComeInAnyOrder() throws Exception {
        for (String line : List.of("set d --bytes 1 --json", "set --bytes 1 --json d", "--json set --bytes 1 d")) {
            VerbLine parsed = FORM.parse(List.of(line.split(" ")));
            assertThat(parsed.words()).as(line).containsExactly("set", "d");
            assertThat(parsed.option("bytes")).hasValue("1");
            assertThat(parsed.has("json")).isTrue();
        }
    }
}
