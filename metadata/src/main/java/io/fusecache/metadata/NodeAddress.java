package io.fusecache.metadata;

/** A live node and where its peer server listens ({@code host:port}). */
public record NodeAddress(NodeId id, String http, String grpc) {}
