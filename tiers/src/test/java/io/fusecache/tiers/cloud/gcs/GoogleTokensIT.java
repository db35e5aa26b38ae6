package io.fusecache.tiers.cloud.gcs;

import static org.assertj.core.api.Assertions.assertThat;

import io.fusecache.testkit.GoogleServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Application default credentials, which the environment of a process says. */
final class GoogleTokensIT {
    @TempDir
    Path folder;

    /** What a process prints that asks for a token in this environment. */
    private String token(Map<String, String> environment) throws IOException, InterruptedException {
        ProcessBuilder child = new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Duser.home=" + folder,
                "-cp",
                System.getProperty("java.class.path"),
                TokenOfThisProcess.class.getName());
        child.environment().keySet().removeIf(name -> name.startsWith("GOOGLE_") || name.startsWith("CLOUDSDK_"));
        child.environment().put("HOME", folder.toString());
        child.environment().putAll(environment);
        Process process = child.start();
        process.getErrorStream().transferTo(System.err);
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        return output.strip();
    }

    @Test
    void aPodOrMachineIsItsServiceAccount() throws Exception {
        try (GoogleServer google = GoogleServer.start()) {
            assertThat(token(Map.of("GCE_METADATA_HOST", google.endpoint().getAuthority())))
                    .isEqualTo("ya29.test-1");
        }
    }

    @Test
    void aVariableNamesTheFileOfAServiceAccount() throws Exception {
        try (GoogleServer google = GoogleServer.start()) {
            Path file = google.serviceAccountKey(folder);
            assertThat(token(Map.of("GOOGLE_APPLICATION_CREDENTIALS", file.toString())))
                    .isEqualTo("ya29.test-1");
        }
    }

    @Test
    void nobodyIsOneLineWithTheWayOut() throws Exception {
        assertThat(token(Map.of("NO_GCE_CHECK", "true")))
                .contains("no credentials were found")
                .contains("GCP_ACCESS_KEY_ID")
                .contains("GOOGLE_APPLICATION_CREDENTIALS")
                .doesNotContain("\n");
    }
}
