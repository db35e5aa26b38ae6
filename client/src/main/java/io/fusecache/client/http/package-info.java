/**
 * The HTTP side of a node: files by path, peers, cache, health, metrics, and the peer block handler beside them.
 *
 * <p>In come requests of people, scripts, probes and other nodes; out go JSON, file bytes and Prometheus text. What it
 * needs of the node stands in {@link io.fusecache.client.http.NodeFiles} and {@link io.fusecache.client.http.NodeInsight}. Every
 * error is a JSON object {@code {"error": {"code", "message"}}} with the status that fits, and changes nothing. The API
 * is described in {@code openapi.json} beside the classes, and a test holds it to {@link io.fusecache.client.http.Api}.
 */
@NullMarked
package io.fusecache.client.http;

import org.jspecify.annotations.NullMarked;
