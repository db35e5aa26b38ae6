package io.fusecache.filesystem;

/** The positions in a directory that do not come from the coordinator. */
final class DirectoryStream {
    static final long DOT = 1;
    static final long DOT_DOT = 2;

    private DirectoryStream() {}
}
