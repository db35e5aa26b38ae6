package io.fusecache.tiers.cloud.azure;

import static org.assertj.core.api.Assertions.assertThat;

import com.azure.storage.blob.models.BlobErrorCode;
import org.junit.jupiter.api.Test;

final class AzureFailuresTest {
    @Test
    void anObjectIsGoneWhereTheAnswerSaysSoAndNotWhereItIsHeld() {
        assertThat(AzureFailures.miss(404, BlobErrorCode.BLOB_NOT_FOUND)).isTrue();
        assertThat(AzureFailures.miss(404, BlobErrorCode.CANNOT_VERIFY_COPY_SOURCE))
                .isTrue();
        assertThat(AzureFailures.miss(404, BlobErrorCode.CONTAINER_NOT_FOUND)).isFalse();
        assertThat(AzureFailures.miss(404, null)).isFalse();
        assertThat(AzureFailures.miss(412, BlobErrorCode.CONDITION_NOT_MET)).isTrue();
        assertThat(AzureFailures.miss(412, BlobErrorCode.SOURCE_CONDITION_NOT_MET))
                .isTrue();
        assertThat(AzureFailures.miss(412, BlobErrorCode.LEASE_ID_MISSING)).isFalse();
        assertThat(AzureFailures.miss(412, BlobErrorCode.LEASE_ID_MISMATCH_WITH_BLOB_OPERATION))
                .isFalse();
        assertThat(AzureFailures.miss(412, BlobErrorCode.TARGET_CONDITION_NOT_MET))
                .isFalse();
        assertThat(AzureFailures.miss(412, null)).isFalse();
        assertThat(AzureFailures.miss(409, BlobErrorCode.SNAPSHOTS_PRESENT)).isFalse();
    }
}
