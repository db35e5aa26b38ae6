/**
 * The coordinator's HTTP: peers, where files are, statistics, health, metrics, as interfaces of before have them.
 *
 * <p>In come requests of people, scripts, probes and peers that speak no gRPC; out go JSON and Prometheus text. Nodes with a
 * session and files of the namespace are told as they are; what was told by HTTP alone is kept beside them, in memory. Every
 * error is {@code {"error": {"code", "message"}}} with the status that fits, and changes nothing. {@code openapi.json} beside
 * the classes describes it, and a test holds it to {@link io.fusecache.coordinator.rest.Endpoints}.
 */
@NullMarked
package io.fusecache.coordinator.rest;

import org.jspecify.annotations.NullMarked;
