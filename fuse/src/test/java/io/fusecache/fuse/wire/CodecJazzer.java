package io.fusecache.fuse.wire;

import com.code_intelligence.jazzer.junit.FuzzTest;

/**
 * Coverage-guided fuzzing of the decoder, for an hour when one is free: {@code JAZZER_FUZZ=1 mvn -pl fuse test
 * -Dtest=CodecJazzer}. Not part of every build, as its agent takes longer to start than the other tests to run; {@link
 * CodecFuzzTest} is.
 */
class CodecJazzer {
    @FuzzTest(maxDuration = "1h")
    void anyMessageIsDecodedOrRefused(byte[] message) {
        CodecFuzzTest.decode(message);
    }
}
