package io.fusecache.cli;

import io.fusecache.client.settings.Setting;
import io.fusecache.client.settings.UsageException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.EnumMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What {@code fusecache mount} mounts: {@code file:///folder} or a plain path, {@code s3://bucket/prefix},
 * {@code gs://bucket/prefix}, {@code azure://account/container/prefix}.
 *
 * @param settings that say the same as flags would
 */
record MountSource(String text, Map<Setting, String> settings) {
    private static final Pattern URI = Pattern.compile("([a-z0-9]+)://([^/]*)(/.*)?");
    private static final int NAME_DIGITS = 12;

    MountSource {
        settings = Map.copyOf(settings);
    }

    static MountSource parse(String text) throws UsageException {
        Matcher matcher = URI.matcher(text);
        if (!matcher.matches()) {
            if (text.contains("://")) {
                throw unknown(text);
            }
            return folder(Path.of(text));
        }
        String authority = matcher.group(2);
        String path = matcher.group(3) == null ? "" : matcher.group(3).substring(1);
        return switch (matcher.group(1)) {
            case "file" -> {
                if (!authority.isEmpty() && !authority.equals("localhost")) {
                    throw new UsageException("mount: " + text + " names a host: write file:///folder");
                }
                yield folder(Path.of("/" + path));
            }
            case "s3" -> bucket(text, "s3", Setting.S3_BUCKET, authority, path);
            case "gs" -> bucket(text, "gcp", Setting.GCP_BUCKET, authority, path);
            case "az", "azure" -> azure(text, authority, path);
            default -> throw unknown(text);
        };
    }

    private static UsageException unknown(String text) {
        return new UsageException(
                "mount: unknown source '" + text
                        + "': expected file:///FOLDER, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://ACCOUNT/CONTAINER/PREFIX");
    }

    private static MountSource folder(Path path) {
        Path folder = path.toAbsolutePath().normalize();
        return new MountSource(
                "file://" + folder, Map.of(Setting.CLOUD_PROVIDER, "file", Setting.FILE_ROOT, folder.toString()));
    }

    private static MountSource bucket(String text, String provider, Setting bucket, String name, String prefix)
            throws UsageException {
        if (name.isEmpty()) {
            throw unknown(text);
        }
        Map<Setting, String> settings = new EnumMap<>(Setting.class);
        settings.put(Setting.CLOUD_PROVIDER, provider);
        settings.put(bucket, name);
        settings.put(Setting.PREFIX, prefix);
        return new MountSource(text, settings);
    }

    private static MountSource azure(String text, String account, String path) throws UsageException {
        int slash = path.indexOf('/');
        String container = slash < 0 ? path : path.substring(0, slash);
        if (account.isEmpty() || container.isEmpty()) {
            throw unknown(text);
        }
        Map<Setting, String> settings = new EnumMap<>(Setting.class);
        settings.put(Setting.CLOUD_PROVIDER, "azure");
        settings.put(Setting.AZURE_ACCOUNT, account);
        settings.put(Setting.AZURE_CONTAINER, container);
        settings.put(Setting.PREFIX, slash < 0 ? "" : path.substring(slash + 1));
        return new MountSource("azure://" + account + "/" + path, settings);
    }

    /** A name for the places where this source's cache and state are kept: the same for the same source. */
    String name() {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest).substring(0, NAME_DIGITS);
        } catch (NoSuchAlgorithmException impossible) {
            throw new AssertionError(impossible);
        }
    }
}
