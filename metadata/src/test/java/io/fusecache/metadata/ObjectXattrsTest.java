package io.fusecache.metadata;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class ObjectXattrsTest {
    private static final Map<String, String> OBJECT = Map.of("fusecache-mode", "644");

    private static Map<FileName, byte[]> attributes(String name, int bytes) throws ErrnoException {
        Map<FileName, byte[]> map = new HashMap<>();
        byte[] value = new byte[bytes];
        java.util.Arrays.fill(value, (byte) 0xfe);
        map.put(FileName.of(name), value);
        map.put(FileName.of("user.empty"), new byte[0]);
        return map;
    }

    @Test
    void attributesComeBackAsTheyWent() throws Exception {
        Map<FileName, byte[]> before = attributes("security.capability", 20);
        Map<String, String> object = ObjectXattrs.add(OBJECT, before);
        assertThat(object).containsEntry("fusecache-mode", "644").hasSize(2);
        assertThat(object.values()).allMatch(value -> value.matches("[A-Za-z0-9_-]+"));
        Map<FileName, byte[]> after = ObjectXattrs.parse(object);
        assertThat(after.keySet()).isEqualTo(before.keySet());
        after.forEach((name, value) -> assertThat(value).isEqualTo(before.get(name)));
    }

    @Test
    void whatDoesNotFitStaysHome() throws Exception {
        assertThat(ObjectXattrs.add(OBJECT, attributes("user.big", 1_100))).isEqualTo(OBJECT);
        assertThat(ObjectXattrs.add(OBJECT, Map.of())).isSameAs(OBJECT);
    }

    @Test
    void whatAStrangerWroteIsAsAbsent() {
        for (String text : new String[] {"", "!", "AAAA", "/w", "BXVzZXI", "AQAAAA"}) {
            assertThat(ObjectXattrs.parse(Map.of(ObjectXattrs.KEY, text)))
                    .as(text)
                    .isEmpty();
        }
    }
}
