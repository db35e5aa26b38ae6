package io.fusecache.metadata;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class AccessControlListTest {
    private static final String FULL = "u::7 u:1000:6 g::5 g:50:7 m::6 o::1";

    /** Entries as {@code tag:id:permissions}; a list as the kernel spells it. */
    private static byte[] spelled(String text) {
        String[] entries = text.isEmpty() ? new String[0] : text.split(" ");
        ByteBuffer out = ByteBuffer.allocate(4 + 8 * entries.length).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(2);
        for (String entry : entries) {
            String[] parts = entry.split(":", -1);
            boolean named = !parts[1].isEmpty();
            int tag = switch (parts[0]) {
                case "u" -> named ? 0x02 : 0x01;
                case "g" -> named ? 0x08 : 0x04;
                case "m" -> 0x10;
                case "o" -> 0x20;
                default -> Integer.parseInt(parts[0]);
            };
            out.putShort((short) tag)
                    .putShort(Short.parseShort(parts[2]))
                    .putInt(named ? Integer.parseInt(parts[1]) : -1);
        }
        return out.array();
    }

    private static AccessControlList list(String text) throws ErrnoException {
        return Objects.requireNonNull(AccessControlList.parse(spelled(text)));
    }

    @Test
    void whatIsParsedIsSpelledAsBefore() throws ErrnoException {
        assertThat(list(FULL).toBytes()).isEqualTo(spelled(FULL));
        assertThat(AccessControlList.parse(spelled(""))).isNull();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "u::7 g::7",
                "u::7 g::7 o::7 o::7",
                "g::7 u::7 o::7",
                "u::7 u:1000:7 g::7 o::7",
                "u::7 g::7 g:50:7 o::7",
                "u::8 g::7 o::7",
                "u::7 u:-1:7 g::7 m::7 o::7",
                "u::7 g::7 m::7 m::7 o::7",
                "u::7 g::7 64::7 o::7",
            })
    void whatIsNoListIsInvalid(String text) {
        assertThatThrownBy(() -> AccessControlList.parse(spelled(text)))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
    }

    @Test
    void aListOfAnotherVersionOrLengthIsRefused() {
        assertThatThrownBy(() -> AccessControlList.parse(new byte[] {1, 0, 0, 0}))
                .isInstanceOfSatisfying(
                        ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EOPNOTSUPP));
        for (int length : new int[] {0, 3, 5, 11, 13}) {
            assertThatThrownBy(() -> AccessControlList.parse(new byte[length]))
                    .isInstanceOfSatisfying(
                            ErrnoException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        }
    }

    @Test
    void permissionsShowTheMaskForTheGroup() throws ErrnoException {
        assertThat(list(FULL).shownIn(06000)).isEqualTo(06761);
        assertThat(list("u::6 g::4 o::0").shownIn(0777)).isEqualTo(0640);
        assertThat(list("u::6 g::4 o::0").minimal()).isTrue();
        assertThat(list("u::6 g::4 m::4 o::0").minimal()).isFalse();
    }

    @Test
    void permissionsChangeTheMaskAndLeaveTheNamed() throws ErrnoException {
        assertThat(list(FULL).changedTo(0640).toBytes()).isEqualTo(spelled("u::6 u:1000:6 g::5 g:50:7 m::4 o::0"));
        assertThat(list("u::6 g::4 o::0").changedTo(0751).toBytes()).isEqualTo(spelled("u::7 g::5 o::1"));
    }

    @Test
    void aNewInodeGetsWhatBothGive() throws ErrnoException {
        AccessControlList limited = list(FULL).limitedTo(0666);
        assertThat(limited.toBytes()).isEqualTo(spelled("u::6 u:1000:6 g::5 g:50:7 m::6 o::0"));
        assertThat(limited.shownIn(0666)).isEqualTo(0660);
    }

    @Test
    void theMaskBoundsNamedUsersAndGroups() throws ErrnoException {
        AccessControlList list = list(FULL);
        assertThat(list.allows(1000, 1, 99)).isEqualTo(6);
        assertThat(list.allows(2000, 50, 99)).isEqualTo(6);
        assertThat(list.allows(2000, 99, 99)).isEqualTo(4);
        assertThat(list.allows(2000, 1, 99)).isEqualTo(1);
    }
}
