package io.fusecache.tiers.cloud.s3;

import io.fusecache.tiers.cloud.BearerTokens;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.SdkHttpResponse;

/**
 * Says to Google Cloud Storage with a bearer token what the SDK says to S3: with a token, the XML API has names of its own for the same
 * headers, and does not heed Amazon's ("Fully migrate from Amazon S3 to Cloud Storage"). Requests signed with an HMAC key stay as they are.
 */
final class GoogleDialect implements ExecutionInterceptor {
    private static final String THEIRS = "x-goog-";
    private static final String AMAZONS = "x-amz-";

    private final BearerTokens tokens;

    GoogleDialect(BearerTokens tokens) {
        this.tokens = tokens;
    }

    @Override
    public SdkHttpRequest modifyHttpRequest(Context.ModifyHttpRequest context, ExecutionAttributes attributes) {
        String token;
        try {
            token = tokens.token();
        } catch (IOException failure) {
            throw SdkClientException.create(String.valueOf(failure.getMessage()), failure);
        }
        SdkHttpRequest.Builder request = context.httpRequest().toBuilder();
        for (Map.Entry<String, List<String>> header :
                context.httpRequest().headers().entrySet()) {
            String name = header.getKey().toLowerCase(Locale.ROOT);
            if (name.startsWith(AMAZONS)) {
                request.removeHeader(header.getKey());
                request.putHeader(THEIRS + name.substring(AMAZONS.length()), header.getValue());
            }
        }
        return request.putHeader("Authorization", "Bearer " + token).build();
    }

    /** Attributes have their names back. */
    @Override
    public SdkHttpResponse modifyHttpResponse(Context.ModifyHttpResponse context, ExecutionAttributes attributes) {
        SdkHttpResponse.Builder response = context.httpResponse().toBuilder();
        for (Map.Entry<String, List<String>> header :
                context.httpResponse().headers().entrySet()) {
            String name = header.getKey().toLowerCase(Locale.ROOT);
            if (name.startsWith(THEIRS + "meta-")) {
                response.removeHeader(header.getKey());
                response.putHeader(AMAZONS + name.substring(THEIRS.length()), header.getValue());
            }
        }
        return response.build();
    }
}
