/**
 * Azure Blob Storage: {@link io.fusecache.tiers.cloud.azure.AzureStore}. In come single requests of
 * {@link io.fusecache.tiers.cloud.ObjectStore}; out go HTTP requests of the vendor's SDK, which no type of another package knows.
 */
@NullMarked
package io.fusecache.tiers.cloud.azure;

import org.jspecify.annotations.NullMarked;
