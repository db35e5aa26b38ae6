package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.azure.core.http.jdk.httpclient.JdkHttpClientBuilder;
import com.azure.core.util.BinaryData;
import com.azure.storage.blob.BlobContainerClient;
import com.azure.storage.blob.BlobContainerClientBuilder;
import com.azure.storage.blob.models.BlobItem;
import com.azure.storage.common.StorageSharedKeyCredential;
import io.fusecache.testkit.AzureServer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The bucket is a container of a real Azure Blob server. */
final class AzureIT {
    /** More than one part, and more than one range. */
    private static final int LARGE_LINES = 3_000_000;

    @TempDir
    Path folder;

    private static List<String> store(AzureServer server, String key) {
        return List.of(
                "-cloud-provider",
                "azure",
                "-azure-container",
                "models",
                "-azure-endpoint",
                server.endpoint().toString(),
                "-azure-account",
                AzureServer.ACCOUNT,
                "-azure-key",
                key);
    }

    /** The vendor's client, as other programs use it. */
    private static BlobContainerClient container(AzureServer server) {
        return new BlobContainerClientBuilder()
                .endpoint(server.endpoint().toString())
                .containerName("models")
                .credential(new StorageSharedKeyCredential(AzureServer.ACCOUNT, AzureServer.KEY))
                .httpClient(new JdkHttpClientBuilder().build())
                .buildClient();
    }

    @Test
    void aTreeIsThereAsPlainBlobsAndOnEveryNode() throws Exception {
        try (AzureServer server = AzureServer.start(folder)) {
            BlobContainerClient container = container(server);
            container.create();
            container.getBlobClient("theirs/object").upload(BinaryData.fromString("theirs"));
            try (Cluster cluster = Cluster.startOn(store(server, AzureServer.KEY), 2)) {
                Path mount = cluster.node(1).mount();
                assertThat(mount.resolve("theirs/object")).hasContent("theirs");
                Path tree = Files.createDirectory(mount.resolve("tree"));
                Shell.sh(
                        tree,
                        "mkdir a b 'ü %41+' && seq " + LARGE_LINES + " > large && touch empty && ln -s large link"
                                + " && for i in $(seq 50); do seq $i > a/$i; done && seq 7 > 'ü %41+/x' && chmod 640 empty");
                var sums = Trees.sums(tree);
                cluster.node(1).flush();
                assertThat(container.getBlobClient("tree/a/7").downloadContent().toString())
                        .as("a plain blob")
                        .isEqualTo("1\n2\n3\n4\n5\n6\n7\n");
                assertThat(Trees.sums(cluster.node(2).mount().resolve("tree"))).isEqualTo(sums);

                cluster.node(1).stop();
                cluster.node(2).stop();
                ClusterNode third = cluster.addNode();
                Path again = third.mount().resolve("tree");
                assertThat(Trees.sums(again)).as("from the bucket alone").isEqualTo(sums);
                assertThat(Shell.sh(again, "stat -c %a empty && readlink link")).isEqualTo("640\nlarge\n");

                Files.move(again.resolve("a"), third.mount().resolve("moved"));
                Files.delete(again.resolve("large"));
                Awaitility.await("the blobs, which follow")
                        .atMost(Duration.ofMinutes(2))
                        .untilAsserted(() -> assertThat(container.listBlobs().stream()
                                        .map(BlobItem::getName)
                                        .filter(name -> name.startsWith("tree/a/")
                                                || name.equals("tree/large")
                                                || name.startsWith("moved/"))
                                        .filter(name -> !name.endsWith("/")))
                                .hasSize(50)
                                .allMatch(name -> name.startsWith("moved/")));
            }
        }
    }

    @Test
    void aWrongKeyIsOneLineAtTheStart() throws Exception {
        String wrong = "d3Jvbmcga2V5";
        try (AzureServer server = AzureServer.start(folder);
                Cluster cluster = Cluster.startOn(store(server, wrong), 0)) {
            container(server).create();
            Daemon daemon = cluster.prepareNode("-mount-retries", "0").launch();
            assertThat(daemon.awaitEnd()).isEqualTo(1);
            assertThat(daemon.output())
                    .contains("Azure container 'models'")
                    .contains("check AZURE_STORAGE_KEY")
                    .doesNotContain(wrong);
        }
    }
}
