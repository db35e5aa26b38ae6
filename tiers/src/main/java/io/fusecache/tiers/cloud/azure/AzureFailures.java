package io.fusecache.tiers.cloud.azure;

import com.azure.core.exception.ClientAuthenticationException;
import com.azure.identity.CredentialUnavailableException;
import com.azure.storage.blob.models.BlobErrorCode;
import com.azure.storage.blob.models.BlobStorageException;
import io.fusecache.tiers.cloud.RefusedException;
import io.fusecache.tiers.cloud.ThrottledException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Turns what the SDK throws into what a store throws: one line that says what is wrong and the way out, refused where the same
 * request will be answered so again. Codes: "Blob Storage error codes" and "Common REST API error codes" of the service's reference.
 */
final class AzureFailures {
    private static final int REDIRECTION = 300;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;
    private static final int TIMED_OUT = 408;
    private static final int CONFLICT = 409;
    private static final int PRECONDITION_FAILED = 412;
    private static final int TOO_MANY = 429;
    private static final int SERVER_ERROR = 500;
    private static final int UNAVAILABLE = 503;
    private static final Pattern SIGNATURE = Pattern.compile("(?i)\\bsig=[^&\\s\"']+");

    private final AzureOptions options;
    private volatile boolean answered;

    AzureFailures(AzureOptions options) {
        this.options = options;
    }

    /** The object is not there, or not the one that was asked for; that of a container which is not there is none. */
    static boolean miss(BlobStorageException failure) {
        return miss(failure.getStatusCode(), failure.getErrorCode());
    }

    /** A precondition is also that nobody holds a lease: then the object is there, and stays. No request of ours has one of its target. */
    static boolean miss(int status, @Nullable BlobErrorCode code) {
        return switch (status) {
            case PRECONDITION_FAILED ->
                BlobErrorCode.CONDITION_NOT_MET.equals(code)
                        || BlobErrorCode.SOURCE_CONDITION_NOT_MET.equals(code)
                        || BlobErrorCode.CANNOT_VERIFY_COPY_SOURCE.equals(code);
            case NOT_FOUND ->
                BlobErrorCode.BLOB_NOT_FOUND.equals(code) || BlobErrorCode.CANNOT_VERIFY_COPY_SOURCE.equals(code);
            default -> false;
        };
    }

    /** At the key is another blob than the one to replace, or none any more. */
    static boolean occupied(BlobStorageException failure) {
        BlobErrorCode code = failure.getErrorCode();
        return (failure.getStatusCode() == CONFLICT && BlobErrorCode.BLOB_ALREADY_EXISTS.equals(code))
                || (failure.getStatusCode() == PRECONDITION_FAILED
                        && (BlobErrorCode.CONDITION_NOT_MET.equals(code)
                                || BlobErrorCode.TARGET_CONDITION_NOT_MET.equals(code)));
    }

    static String code(BlobStorageException failure) {
        BlobErrorCode code = failure.getErrorCode();
        return code == null ? "" : code.toString();
    }

    /** The service has answered once: what is wrong with credentials from now on may pass. */
    void answered() {
        if (!answered) {
            answered = true;
        }
    }

    IOException of(String what, RuntimeException failure) {
        if (Thread.currentThread().isInterrupted() || within(failure, InterruptedException.class) != null) {
            Thread.currentThread().interrupt();
            InterruptedIOException interrupted = new InterruptedIOException(what + " was interrupted");
            interrupted.initCause(failure);
            return interrupted;
        }
        if (within(failure, BlobStorageException.class) instanceof BlobStorageException service) {
            return of(what, service);
        }
        if (!answered && within(failure, CredentialUnavailableException.class) != null) {
            return new RefusedException(
                    "no credentials for %s were found: set AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or"
                                    .formatted(where())
                            + " AZURE_STORAGE_CONNECTION_STRING, give the machine or the pod an identity, or run 'az login'",
                    shown(failure));
        }
        if (!answered && within(failure, ClientAuthenticationException.class) instanceof RuntimeException refused) {
            return new RefusedException(
                    "this identity has no access to %s: %s".formatted(where(), line(refused)), shown(failure));
        }
        return new IOException("%s at %s: %s".formatted(what, where(), root(failure)), shown(failure));
    }

    private IOException of(String what, BlobStorageException failure) {
        int status = failure.getStatusCode();
        String code = code(failure);
        String help = help(code, status);
        String message = "%s at %s: status %d%s%s"
                .formatted(
                        what,
                        where(),
                        status,
                        code.isEmpty() ? "" : " " + code,
                        help.isEmpty() ? detail(failure) : ": " + help);
        if (status == UNAVAILABLE || status == TOO_MANY || code.equals("ServerBusy")) {
            return new ThrottledException(message, shown(failure));
        }
        // An answer that begins well can still end in an error: then its status says nothing.
        boolean mayPass = status >= SERVER_ERROR
                || status == TIMED_OUT
                || (status == NOT_FOUND && code.isEmpty())
                || (status == FORBIDDEN && answered && code.equals("AuthenticationFailed"))
                || status < REDIRECTION
                || passing(code)
                // How Azurite says Md5Mismatch.
                || (code.equals("InvalidOperation")
                        && String.valueOf(failure.getServiceMessage()).contains("contentMD5"));
        return mayPass ? new IOException(message, shown(failure)) : new RefusedException(message, shown(failure));
    }

    /** Codes of refusals that are none: bytes that changed on the way, another's copy or container that is in the midst of something. */
    private static boolean passing(String code) {
        return switch (code) {
            case "Md5Mismatch",
                    "InvalidMd5",
                    "PendingCopyOperation",
                    "ContainerBeingDeleted",
                    "AccountBeingCreated",
                    "OperationTimedOut",
                    "InternalError",
                    "BlobBeingRehydrated" -> true;
            default -> false;
        };
    }

    private static String help(String code, int status) {
        return switch (code) {
            case "ContainerNotFound", "ContainerDisabled" ->
                "make the container, or name another with -azure-container";
            case "AuthenticationFailed", "InvalidAuthenticationInfo" ->
                "the key or signature is not this account's, or this machine's clock is off: check AZURE_STORAGE_KEY or"
                        + " AZURE_STORAGE_SAS_TOKEN, and timedatectl";
            case "AuthorizationFailure" ->
                "it is not let in: check AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN, the role Storage Blob Data Contributor"
                        + " of an identity, and the account's firewall";
            case "AuthorizationPermissionMismatch",
                    "InsufficientAccountPermissions",
                    "AuthorizationServiceMismatch",
                    "AuthorizationResourceTypeMismatch" ->
                "this identity may not: it needs the role Storage Blob Data Contributor on the container, or a signature"
                        + " with permissions racwdl";
            case "AuthorizationSourceIPMismatch", "AuthorizationProtocolMismatch" ->
                "the signature is not for this address or protocol";
            case "KeyBasedAuthenticationNotPermitted" ->
                "the account takes no keys: leave AZURE_STORAGE_KEY out and use an identity";
            case "AccountIsDisabled" -> "the account is disabled";
            case "SnapshotsPresent" -> "it has snapshots, which are not ours to remove: remove them first";
            case "BlobArchived" -> "it is in the archive tier: move it to an online tier first";
            case "BlobImmutableDueToPolicy" -> "a policy of the container keeps it as it is";
            default ->
                (code.startsWith("Lease") && status >= CONFLICT) || code.equals("LeaseIdMissing")
                        ? "somebody holds a lease on it"
                        : "";
        };
    }

    private String where() {
        return "Azure container '%s' of account '%s'".formatted(options.container(), options.account());
    }

    private static String detail(BlobStorageException failure) {
        String said = failure.getServiceMessage();
        if (said == null || said.isBlank()) {
            return "";
        }
        return " ("
                + SIGNATURE.matcher(said.strip().lines().findFirst().orElse("")).replaceAll("sig=...") + ")";
    }

    private static String root(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return line(cause);
    }

    private static String line(Throwable failure) {
        String message = failure.getMessage();
        return message == null || message.isBlank()
                ? failure.toString()
                : SIGNATURE
                        .matcher(message.strip().lines().findFirst().orElse(""))
                        .replaceAll("sig=...");
    }

    /** As a cause, unless it would show a signature. */
    private static @Nullable Throwable shown(Throwable failure) {
        for (Throwable each = failure; each != null; each = each.getCause()) {
            if (each.getMessage() != null
                    && SIGNATURE.matcher(each.getMessage()).find()) {
                return null;
            }
        }
        return failure;
    }

    private static @Nullable Throwable within(Throwable failure, Class<? extends Throwable> kind) {
        for (Throwable each = failure; each != null; each = each.getCause()) {
            if (kind.isInstance(each)) {
                return each;
            }
        }
        return null;
    }
}
