/** Contract suites that every implementation of a contract extends, fakes, and simulated clock, network and disk. */
@NullMarked
package io.fusecache.testkit;

import org.jspecify.annotations.NullMarked;
