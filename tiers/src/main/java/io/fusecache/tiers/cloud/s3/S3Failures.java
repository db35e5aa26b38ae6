package io.fusecache.tiers.cloud.s3;

import io.fusecache.tiers.cloud.RefusedException;
import io.fusecache.tiers.cloud.ThrottledException;
import java.io.IOException;
import java.io.InterruptedIOException;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.exception.AbortedException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;

/**
 * Turns what the SDK throws into what a store throws: one line that says what is wrong and the way out, refused where the same
 * request will be answered so again. Codes: "Error responses" of the S3 API reference.
 */
final class S3Failures {
    private static final int MOVED = 301;
    private static final int REDIRECTED = 307;
    private static final int BAD_REQUEST = 400;
    private static final int UNAUTHORIZED = 401;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;
    private static final int REDIRECTION = 300;
    private static final int TIMED_OUT = 408;
    private static final int PRECONDITION_FAILED = 412;
    private static final int TOO_MANY = 429;
    private static final int SERVER_ERROR = 500;
    private static final int UNAVAILABLE = 503;

    private static final String CLOCK = "this machine's clock is off: set it (timedatectl set-ntp true)";

    private final S3Options options;
    private volatile boolean answered;

    S3Failures(S3Options options) {
        this.options = options;
    }

    /**
     * The object is not there, or not the one that was asked for. A 404 that does not say so may be of a gateway that knows nothing of the
     * bucket. (That of a HEAD request says nothing at all, and the SDK makes this of it: see {@link S3Requests#head}.)
     */
    static boolean miss(SdkException failure) {
        return failure instanceof AwsServiceException service
                && (service.statusCode() == PRECONDITION_FAILED
                        || (service.statusCode() == NOT_FOUND
                                && (code(service).equals("NoSuchKey")
                                        || code(service).equals("NoSuchVersion"))));
    }

    /** The store has answered once: what is wrong with credentials from now on may pass. */
    void answered() {
        if (!answered) {
            answered = true;
        }
    }

    static int status(SdkException failure) {
        return failure instanceof AwsServiceException service ? service.statusCode() : 0;
    }

    static String code(SdkException failure) {
        return failure instanceof AwsServiceException service
                        && service.awsErrorDetails() != null
                        && service.awsErrorDetails().errorCode() != null
                ? service.awsErrorDetails().errorCode()
                : "";
    }

    IOException of(String what, SdkException failure) {
        if (failure instanceof AbortedException) {
            Thread.currentThread().interrupt();
            InterruptedIOException interrupted = new InterruptedIOException(what + " was interrupted");
            interrupted.initCause(failure);
            return interrupted;
        }
        if (failure instanceof AwsServiceException service) {
            return of(what, service);
        }
        if (failure.getCause() instanceof RefusedException nobody) {
            return new RefusedException("%s: %s".formatted(where(), nobody.getMessage()), failure);
        }
        String message = String.valueOf(failure.getMessage());
        if (!answered && failure instanceof SdkClientException && message.contains("Unable to load credentials")) {
            return new RefusedException(
                    "no credentials for %s were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or"
                                    .formatted(where())
                            + " give the machine a role",
                    failure);
        }
        return new IOException("%s at %s: %s".formatted(what, where(), root(failure)), failure);
    }

    private IOException of(String what, AwsServiceException failure) {
        int status = failure.statusCode();
        S3Options.Google google = options.vendor();
        String help = google == null ? help(code(failure), status) : help(code(failure), google);
        String message = "%s at %s: %s%s".formatted(what, where(), reason(failure), help.isEmpty() ? "" : ": " + help);
        if (throttled(code(failure), status)) {
            return new ThrottledException(message, failure);
        }
        // An answer that begins well can still end in an error: then its status says nothing.
        boolean mayPass = status >= SERVER_ERROR
                || status == TIMED_OUT
                || (status == NOT_FOUND && code(failure).isEmpty())
                // A token that was taken before, and was taken back or has expired: the next one may do.
                || (status == UNAUTHORIZED && answered)
                || status < REDIRECTION;
        return mayPass || passing(code(failure))
                ? new IOException(message, failure)
                : new RefusedException(message, failure);
    }

    private static boolean throttled(String code, int status) {
        return status == UNAVAILABLE
                || status == TOO_MANY
                || code.equals("SlowDown")
                || code.equals("Throttling")
                || code.equals("ThrottlingException");
    }

    /** Codes of refusals that are none: a token that is renewed, a request that came too slowly, bytes that changed on the way. */
    private static boolean passing(String code) {
        return switch (code) {
            case "ExpiredToken",
                    "TokenRefreshRequired",
                    "RequestTimeout",
                    "InternalError",
                    "RequestTimeoutException",
                    "BadDigest",
                    "XAmzContentSHA256Mismatch",
                    "IncompleteBody",
                    "OperationAborted",
                    "ConditionalRequestConflict" -> true;
            default -> false;
        };
    }

    private static String help(String code, S3Options.Google google) {
        String key = google.tokens() == null ? "GCP_ACCESS_KEY_ID" : "GOOGLE_APPLICATION_CREDENTIALS";
        return switch (code) {
            case "NoSuchBucket" -> "make the bucket, or name another with -gcp-bucket";
            case "InvalidSecurity", "InvalidAccessKeyId", "AuthenticationRequired" ->
                "whoever this is is not known there: check " + key;
            case "SignatureDoesNotMatch" -> "the secret does not belong to this HMAC key: check GCP_SECRET_ACCESS_KEY";
            case "RequestTimeTooSkewed" -> CLOCK;
            case "AccessDenied", "Forbidden" ->
                "this account may not: it needs the role Storage Object User (roles/storage.objectUser) on the bucket";
            case "UserProjectMissing", "UserProjectAccountProblem", "AccountProblem" ->
                "the bucket's project has to be mended first: see its billing account";
            default -> "";
        };
    }

    private String help(String code, int status) {
        return switch (code) {
            case "NoSuchBucket" -> "make the bucket, or name another with -s3-bucket";
            case "InvalidAccessKeyId", "InvalidToken" -> "this access key is not known there: check AWS_ACCESS_KEY_ID";
            case "SignatureDoesNotMatch" ->
                "the secret does not belong to this access key: check AWS_SECRET_ACCESS_KEY";
            case "RequestTimeTooSkewed" -> CLOCK;
            case "AccessDenied", "AllAccessDisabled" ->
                "this user may not: it needs s3:ListBucket on the bucket, and s3:GetObject, s3:PutObject,"
                        + " s3:DeleteObject, s3:ListMultipartUploadParts and s3:AbortMultipartUpload on what is in it";
            case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException" ->
                "the bucket is in another region: name it with -s3-region";
            default -> {
                if (status == MOVED || status == REDIRECTED) {
                    yield "the bucket is in another region: name it with -s3-region";
                }
                yield status == FORBIDDEN || status == BAD_REQUEST
                        ? "check the credentials, the region and the clock"
                        : "";
            }
        };
    }

    private String where() {
        return "%s bucket '%s'".formatted(options.title(), options.bucket());
    }

    private static String reason(AwsServiceException failure) {
        String said = failure.awsErrorDetails() == null
                ? null
                : failure.awsErrorDetails().errorMessage();
        String code = code(failure);
        return "status " + failure.statusCode() + (code.isEmpty() ? "" : " " + code)
                + (said == null || said.isBlank() ? "" : " (" + said.strip() + ")");
    }

    private static String root(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        String message = cause.getMessage();
        return message == null || message.isBlank() ? cause.toString() : message;
    }
}
