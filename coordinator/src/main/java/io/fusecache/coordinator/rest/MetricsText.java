package io.fusecache.coordinator.rest;

import io.prometheus.metrics.core.metrics.CounterWithCallback;
import io.prometheus.metrics.core.metrics.GaugeWithCallback;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.model.registry.PrometheusRegistry;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** The figures of {@link Stats} in Prometheus' text format. */
final class MetricsText {
    static final String CONTENT_TYPE = PrometheusTextFormatWriter.CONTENT_TYPE;

    private final Supplier<Stats> source;
    private final PrometheusRegistry registry = new PrometheusRegistry();
    private final PrometheusTextFormatWriter writer = PrometheusTextFormatWriter.create();

    /** Of the scrape under way, so that its figures are of one moment; guarded by this. */
    private Stats stats;

    MetricsText(Supplier<Stats> source) {
        this.source = source;
        this.stats = source.get();
        gauge("peers_active", "peers that are alive", s -> s.peers().active());
        gauge(
                "sessions",
                "sessions, those included that may come back",
                s -> s.peers().sessions());
        gauge("inodes", "inodes of the namespace", s -> s.files().inodes());
        gauge("used_bytes", "bytes of all files", s -> s.files().usedBytes());
        gauge(
                "peer_available_bytes",
                "free space of the active peers' caches",
                s -> s.space().availableBytes());
        gauge(
                "peer_used_bytes",
                "bytes in the active peers' caches",
                s -> s.space().usedBytes());
        gauge(
                "leased_inodes",
                "inodes that some node may cache",
                s -> s.leases().inodes());
        gauge(
                "held_versions",
                "file versions with a known holder",
                s -> s.leases().versionsWithHolders());
        gauge("state_disk_bytes", "the namespace on disk", s -> s.state().diskBytes());
        gauge(
                "state_memory_bytes",
                "the database's caches and buffers",
                s -> s.state().memoryBytes());
        gauge("uptime_seconds", "since the start", Stats::uptimeSeconds);
        counter("commands", "commands executed", Stats::commands);
        counter("recalls", "leases recalled", s -> s.leases().recalls());
    }

    synchronized byte[] render() throws IOException {
        stats = source.get();
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        writer.write(text, registry.scrape());
        return text.toByteArray();
    }

    private void gauge(String name, String help, ToDoubleFunction<Stats> value) {
        GaugeWithCallback.builder()
                .name("fuse_coordinator_" + name)
                .help(help)
                .callback(gauge -> gauge.call(value.applyAsDouble(stats)))
                .register(registry);
    }

    private void counter(String name, String help, ToDoubleFunction<Stats> value) {
        CounterWithCallback.builder()
                .name("fuse_coordinator_" + name)
                .help(help)
                .callback(counter -> counter.call(value.applyAsDouble(stats)))
                .register(registry);
    }
}
