package io.fusecache.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fusecache.client.settings.Setting;
import io.fusecache.client.settings.UsageException;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class MountSourceTest {
    @Test
    void sourcesSayWhatFlagsWould() throws UsageException {
        assertThat(MountSource.parse("file:///data/bucket").settings())
                .isEqualTo(Map.of(Setting.CLOUD_PROVIDER, "file", Setting.FILE_ROOT, "/data/bucket"));
        assertThat(MountSource.parse("s3://b/team/data").settings())
                .isEqualTo(Map.of(Setting.CLOUD_PROVIDER, "s3", Setting.S3_BUCKET, "b", Setting.PREFIX, "team/data"));
        assertThat(MountSource.parse("gs://b").settings())
                .isEqualTo(Map.of(Setting.CLOUD_PROVIDER, "gcp", Setting.GCP_BUCKET, "b", Setting.PREFIX, ""));
        assertThat(MountSource.parse("azure://acc/con/p").settings())
                .isEqualTo(Map.of(
                        Setting.CLOUD_PROVIDER,
                        "azure",
                        Setting.AZURE_ACCOUNT,
                        "acc",
                        Setting.AZURE_CONTAINER,
                        "con",
                        Setting.PREFIX,
                        "p"));
        assertThat(MountSource.parse("az://acc/con/p")).isEqualTo(MountSource.parse("azure://acc/con/p"));
    }

    @Test
    void aFolderIsTheSameHoweverItIsWritten() throws UsageException {
        assertThat(MountSource.parse("/data/../data/b").name())
                .isEqualTo(MountSource.parse("file:///data/b").name())
                .isNotEqualTo(MountSource.parse("/data/c").name());
    }

    @Test
    void whatIsNoSourceIsNamed() {
        for (String wrong : List.of("ftp://x/y", "s3://", "azure://account", "file://host/x", "S3://b")) {
            assertThatThrownBy(() -> MountSource.parse(wrong))
                    .as(wrong)
                    .isInstanceOf(UsageException.class)
                    .hasMessageContaining(wrong);
        }
    }
}
