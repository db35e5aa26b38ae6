package io.fusecache.client.http;

import io.fusecache.client.http.ReadCounts.Tier;
import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** The figures of the node in Prometheus' text format; METRICS.md says what each one counts. */
final class MetricsText {
    static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

    private final NodeInsight insight;
    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();

    /** Of the scrape under way, so that its figures are of one moment; guarded by this. */
    private NodeStatus status;

    private ReadCounts reads;

    MetricsText(NodeInsight insight) {
        this.insight = insight;
        this.status = insight.status();
        this.reads = insight.reads();
        gauge(
                "fuse_coordinator_available",
                "1 while the session with the coordinator stands",
                status -> status.coordinator().connected() ? 1 : 0);
        gauge(
                "fuse_changes_pending",
                "changes in delegated directories that the coordinator is still to get",
                status -> status.coordinator().pendingChanges());
        counter(
                "fuse_changes_set_aside_total",
                "changes in delegated directories that the coordinator did not take",
                () -> status.coordinator().changesSetAside());
        gauge(
                "fuse_nvme_used_bytes",
                "bytes of the cache on NVMe",
                status -> status.nvme().usedBytes());
        gauge(
                "fuse_nvme_capacity_bytes",
                "capacity of the cache",
                status -> status.nvme().capacityBytes());
        gauge(
                "fuse_nvme_unpersisted_bytes",
                "cached bytes that the bucket does not have",
                status -> status.nvme().unpersistedBytes());
        gauge("fuse_nvme_files", "files in the cache", status -> status.nvme().files());
        gauge(
                "fuse_upload_pending_files",
                "files that wait for upload",
                status -> status.uploads().pendingFiles());
        gauge(
                "fuse_upload_pending_bytes",
                "bytes that wait for upload",
                status -> status.uploads().pendingBytes());
        gauge(
                "fuse_passthrough_enabled",
                "1 where the kernel reads and writes cached files itself",
                status -> status.kernel().passthrough() ? 1 : 0);
        gauge(
                "fuse_memory_arena_bytes",
                "size of the off-heap arena",
                status -> status.memory().arenaBytes());
        gauge(
                "fuse_memory_arena_used_bytes",
                "bytes of the arena in use",
                status -> status.memory().arenaUsedBytes());
        gauge(
                "fuse_memory_resident_bytes",
                "resident memory of the process",
                status -> status.memory().residentBytes());
        gauge(
                "fuse_backup_newest_timestamp_seconds",
                "when the newest backup of the namespace was made, 0 where none is known",
                status -> status.backup() == null ? 0 : status.backup().madeAt().getEpochSecond());
        gauge(
                "fuse_backup_newest_bytes",
                "size of that backup",
                status -> status.backup() == null ? 0 : status.backup().bytes());
        counter(
                "fuse_cache_evictions",
                "files evicted from NVMe",
                () -> status.nvme().evictions());
        counter(
                "fuse_cache_corrupt_blocks",
                "cached or arriving blocks whose checksum was wrong",
                () -> status.nvme().corruptBlocks());
        counter(
                "fuse_upload_conflicts",
                "objects of others where one of ours goes, kept beside it",
                () -> status.uploads().conflicts());
        counter("fuse_cache_write_count", "commits of file content", () -> reads.writes());
        counter("fuse_cache_write_bytes", "bytes of those commits", () -> reads.writtenBytes());
        bucketRequests();
        gauge(
                "fuse_bucket_keys_left_out",
                "keys of the bucket that no path can lead to",
                ignored -> insight.bucketKeysLeftOut());
        counter(
                "fuse_kernel_names_dropped",
                "times that the kernel had to drop all names of the mount",
                insight::kernelNamesDropped);
        tier("nvme", ReadCounts::nvme);
        tier("peer", ReadCounts::peer);
        tier("cloud", ReadCounts::cloud);
    }

    synchronized byte[] render() throws IOException {
        status = insight.status();
        reads = insight.reads();
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        writer.write(text, registry.scrape());
        return text.toByteArray();
    }

    private void bucketRequests() {
        counter(
                "fuse_bucket_requests_repeated",
                "requests to the bucket that had to be sent again",
                () -> reads.requests().repeated());
        counter(
                "fuse_bucket_requests_throttled",
                "requests that the bucket refused because they were too many",
                () -> reads.requests().throttled());
        gauge(
                "fuse_bucket_requests_limit",
                "requests to the bucket in flight at most",
                ignored -> reads.requests().limit());
        counter(
                "fuse_bucket_requests_hedged",
                "reads of the bucket that were asked for a second time",
                () -> reads.requests().hedged());
        counter(
                "fuse_bucket_requests_hedges_won",
                "second requests that were answered first",
                () -> reads.requests().hedgesWon());
        counter(
                "fuse_bucket_hedged_bytes",
                "bytes that second requests asked for",
                () -> reads.requests().hedgedBytes());
    }

    private void tier(String name, Function<ReadCounts, Tier> tier) {
        String prefix = "fuse_cache_" + name;
        counter(
                prefix + "_hits",
                "reads that the tier served",
                () -> tier.apply(reads).hits());
        counter(
                prefix + "_misses",
                "reads that the tier could not serve",
                () -> tier.apply(reads).misses());
        counter(
                prefix + "_read_bytes",
                "bytes that the tier served",
                () -> tier.apply(reads).bytes());
        counter(
                prefix + "_read_seconds",
                "time spent waiting for them",
                () -> tier.apply(reads).secondsSpent());
        gauge(
                prefix + "_read_mbps",
                "MB/s of the tier over all reads since start",
                ignored -> tier.apply(reads).megabytesPerSecond());
    }

    private void gauge(String name, String help, ToDoubleFunction<NodeStatus> value) {
        GaugeWithCallback.builder()
                .name(name)
                .help(help)
                .callback(gauge -> gauge.call(value.applyAsDouble(status)))
                .register(registry);
    }

    private void counter(String name, String help, java.util.function.DoubleSupplier value) {
        CounterWithCallback.builder()
                .name(name)
                .help(help)
                .callback(counter -> counter.call(value.getAsDouble()))
                .register(registry);
    }
}
