package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.client.settings.UsageException;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class MembersVerbTest {
    private static Map<String, Object> member(String id, String host, int raft, int grpc, int http) {
        return Map.of("id", id, "host", host, "raft_port", raft, "grpc_port", grpc, "http_port", http);
    }

    @Test
    void aMemberIsNamedWithItsPorts() throws Exception {
        assertThat(MembersVerb.added("d=host-d:7080")).isEqualTo(member("d", "host-d", 7080, 9080, 8080));
        assertThat(MembersVerb.added("c4=localhost:17120:19120:18120"))
                .isEqualTo(member("c4", "localhost", 17120, 19120, 18120));
        assertThat(MembersVerb.added("d=[::1]:7080:7081:7082")).isEqualTo(member("d", "::1", 7080, 7081, 7082));
    }

    @Test
    void whatIsNoMemberIsRefused() {
        for (String wrong :
                new String[] {"d", "d=", "d=host", "=host:1", "d=host:1:2", "d=host:123456", "d e=host:1"}) {
            assertThatThrownBy(() -> MembersVerb.added(wrong))
                    .as(wrong)
                    .isInstanceOf(UsageException.class)
                    .hasMessageContaining("ID=HOST:RAFTPORT");
        }
    }
}
