package io.fusecache.client;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Properties;

/** The version of this build. */
public final class Version {
    private static final String DESCRIPTOR = "/META-INF/maven/io.fusecache/fusecache-client/pom.properties";

    private Version() {}

    /** As the jar says; {@code development} where classes run from a build folder. */
    public static String text() {
        try (InputStream descriptor = Version.class.getResourceAsStream(DESCRIPTOR)) {
            if (descriptor == null) {
                return "development";
            }
            Properties properties = new Properties();
            properties.load(descriptor);
            return properties.getProperty("version", "development");
        } catch (IOException unreadable) {
            throw new UncheckedIOException("the jar's own " + DESCRIPTOR + " cannot be read", unreadable);
        }
    }
}
