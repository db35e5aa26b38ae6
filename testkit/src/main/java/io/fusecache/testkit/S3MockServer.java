package io.fusecache.testkit;

import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Adobe's S3Mock over a folder, in a process of its own on a port of loopback: a second S3 server, which shares no code with {@link
 * S3Server}. It takes any key for right. The module {@code stores/s3mock} has its libraries.
 */
public final class S3MockServer implements AutoCloseable {
    /** Of the two ports the first, which takes slashes and backslashes in paths. */
    private static final Pattern LISTENS = Pattern.compile("Tomcat started on ports (\\d+) \\(http\\)");

    private final ServerProcess process;

    private S3MockServer(ServerProcess process) {
        this.process = process;
    }

    /**
     * @param folder where it keeps its objects, in a form of its own
     */
    public static S3MockServer start(Path folder) throws IOException, InterruptedException {
        Path objects = Files.createDirectories(folder.resolve("s3mock"));
        // It has no setting for the address of its second port, which would be open to everybody.
        Path connector = folder.resolve("s3mock-connector.xml");
        Files.writeString(connector, """
                <beans xmlns="http://www.springframework.org/schema/beans"
                       xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
                       xsi:schemaLocation="http://www.springframework.org/schema/beans
                                           http://www.springframework.org/schema/beans/spring-beans.xsd">
                  <bean id="httpConnector" class="org.apache.catalina.connector.Connector">
                    <constructor-arg>
                      <bean class="org.apache.coyote.http11.Http11NioProtocol">
                        <property name="address" value="127.0.0.1"/>
                        <property name="port" value="0"/>
                      </bean>
                    </constructor-arg>
                  </bean>
                </beans>
                """);
        return new S3MockServer(ServerProcess.start(
                "s3mock",
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        ServerProcess.installed("s3mock/target/lib") + "/*",
                        "com.adobe.testing.s3mock.S3MockApplication",
                        "--server.address=127.0.0.1",
                        "--server.port=0",
                        "--server.ssl.enabled=false",
                        "--spring.main.sources=" + connector.toUri(),
                        "--spring.main.allow-bean-definition-overriding=true",
                        "--spring.main.banner-mode=off",
                        "--com.adobe.testing.s3mock.store.root=" + objects,
                        "--com.adobe.testing.s3mock.store.retain-files-on-exit=true"),
                LISTENS));
    }

    public void makeBucket(String name) throws IOException, InterruptedException {
        HttpRequest request = HttpRequest.newBuilder(endpoint().resolve("/" + name))
                .PUT(HttpRequest.BodyPublishers.noBody())
                .build();
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            if (response.statusCode() != HttpURLConnection.HTTP_OK) {
                throw new IOException("bucket " + name + ": " + response.statusCode() + " " + response.body());
            }
        }
    }

    public URI endpoint() {
        return process.endpoint();
    }

    @Override
    public void close() throws InterruptedException {
        process.close();
    }
}
