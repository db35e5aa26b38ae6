package io.fusecache.coordinator.state;

import io.fusecache.metadata.FileName;
import io.fusecache.metadata.NodeId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The layout of the state. The first byte of a key names its kind; numbers are big-endian, so that they sort.
 *
 * <pre>
 * A                          counters (next inode, next work, next session, history, usage): {@link Counters}
 * B                          volume: key prefix and namespace: {@link VolumeRecord}
 * C dir cookie               name and inode of the entry at that cookie
 * D dir name                 directory entry: {@link Entry}
 * E path 0 time ino          a file of the trash by the path it had, last removed first
 * F                          format of this layout: {@link StateFormat}
 * G dir                      when a listing of the bucket was last taken over: {@link ImportRecord}
 * H ino                      a file of the trash: {@link TrashRecord}
 * I ino                      inode: {@link Node}
 * J                          how long removed files are kept: {@link TrashRule}
 * K object-key               who owns a key of the bucket, and the work outstanding on it: {@link KeyRecord}
 * L ino parent name          a further name of an inode that has several (the first is in its I record)
 * M ino                      a RELOCATE work of that inode waits: its id
 * N                          a dump is being loaded, and is not whole yet: no client is let in
 * O session ino              an unlinked inode that the session holds open
 * P ino session              the same, by inode
 * Q ino                      limits of a directory's tree, and what it takes: {@link QuotaRecord}
 * R session slot             the last result of that slot: {@link ResultRecord}
 * S session                  session: {@link SessionRecord}
 * T seconds object-key       a K record of a freed key, to be forgotten after a while
 * U node 0 ino               that node began to upload the inode, and has not said that it ended
 * V ino                      content: {@link ContentRecord}
 * W id                       work that the bucket needs: {@link WorkRecord}
 * X ino name                 extended attribute: its value
 * Y node 0 ino               a write lease of that node
 * Z                          of a replica: up to where the log is in the state: {@link ReplicaRecord}
 * e until ino                the H records by the time until which they are kept
 * w due id                   the W records by the time at which they are due (or their lease runs out)
 * y node 0 id                the W records that a node has taken
 * </pre>
 */
public final class Keys {
    private Keys() {}

    public static byte[] counters() {
        return new byte[] {'A'};
    }

    public static byte[] volume() {
        return new byte[] {'B'};
    }

    public static byte[] format() {
        return new byte[] {'F'};
    }

    public static byte[] loading() {
        return new byte[] {'N'};
    }

    public static byte[] replica() {
        return new byte[] {'Z'};
    }

    public static byte[] cookie(long directory, long cookie) {
        return of('C', directory, cookie);
    }

    public static byte[] cookies(long directory) {
        return of('C', directory);
    }

    public static byte[] entry(long directory, FileName name) {
        return of('D', directory, name);
    }

    public static byte[] entries(long directory) {
        return of('D', directory);
    }

    /** Of the trash: {@code path} as {@link TrashRecord#pathBytes} has it. */
    public static byte[] removedPath(byte[] path, long removedMillis, long ino) {
        return ByteBuffer.allocate(18 + path.length)
                .put((byte) 'E')
                .put(path)
                .put((byte) 0)
                .putLong(Long.MAX_VALUE - removedMillis)
                .putLong(ino)
                .array();
    }

    /** What the keys of files begin with whose path begins with {@code start}. */
    public static byte[] removedPaths(byte[] start) {
        return ByteBuffer.allocate(1 + start.length).put((byte) 'E').put(start).array();
    }

    public static byte[] trashed(long ino) {
        return of('H', ino);
    }

    public static byte[] trashRule() {
        return new byte[] {'J'};
    }

    public static byte[] keptUntil(long millis, long ino) {
        return of('e', millis, ino);
    }

    public static byte[] keptUntil(long millis) {
        return of('e', millis);
    }

    public static byte[] imported(long directory) {
        return of('G', directory);
    }

    public static byte[] inode(long ino) {
        return of('I', ino);
    }

    public static byte[] objectKey(String key) {
        byte[] utf8 = key.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(1 + utf8.length).put((byte) 'K').put(utf8).array();
    }

    /** The bucket's key that the key of a K record is of. */
    public static String objectKeyOf(byte[] key) {
        return new String(key, 1, key.length - 1, StandardCharsets.UTF_8);
    }

    public static byte[] furtherName(long ino, long parent, FileName name) {
        byte[] bytes = name.toBytes();
        return ByteBuffer.allocate(17 + bytes.length)
                .put((byte) 'L')
                .putLong(ino)
                .putLong(parent)
                .put(bytes)
                .array();
    }

    public static byte[] furtherNames(long ino) {
        return of('L', ino);
    }

    public static byte[] relocation(long ino) {
        return of('M', ino);
    }

    public static byte[] orphan(long session, long ino) {
        return of('O', session, ino);
    }

    public static byte[] orphans(long session) {
        return of('O', session);
    }

    public static byte[] orphanHolder(long ino, long session) {
        return of('P', ino, session);
    }

    public static byte[] orphanHolders(long ino) {
        return of('P', ino);
    }

    public static byte[] quota(long directory) {
        return of('Q', directory);
    }

    public static byte[] quotas() {
        return new byte[] {'Q'};
    }

    public static byte[] result(long session, int slot) {
        return of('R', session, slot);
    }

    public static byte[] results(long session) {
        return of('R', session);
    }

    public static byte[] session(long session) {
        return of('S', session);
    }

    public static byte[] sessions() {
        return new byte[] {'S'};
    }

    public static byte[] freed(long seconds, String key) {
        byte[] utf8 = key.getBytes(StandardCharsets.UTF_8);
        return ByteBuffer.allocate(9 + utf8.length)
                .put((byte) 'T')
                .putLong(seconds)
                .put(utf8)
                .array();
    }

    public static byte[] content(long ino) {
        return of('V', ino);
    }

    public static byte[] work(long id) {
        return of('W', id);
    }

    public static byte[] attribute(long ino, FileName name) {
        return of('X', ino, name);
    }

    public static byte[] attributes(long ino) {
        return of('X', ino);
    }

    public static byte[] writeLease(NodeId node, long ino) {
        return of('Y', node.value(), ino);
    }

    /** Of all nodes. */
    public static byte[] writeLeases() {
        return new byte[] {'Y'};
    }

    /** How far the node's changes in delegated directories have come: goes with its write leases, when those are taken from it. */
    public static byte[] delegatedChanges(NodeId node) {
        return writeLease(node, 0);
    }

    public static byte[] writeLeases(NodeId node) {
        return of('Y', node.value());
    }

    public static byte[] upload(NodeId node, long ino) {
        return of('U', node.value(), ino);
    }

    public static byte[] uploads(NodeId node) {
        return of('U', node.value());
    }

    public static byte[] taken(String node, long id) {
        return of('y', node, id);
    }

    public static byte[] taken(String node) {
        return of('y', node);
    }

    public static byte[] due(long dueMillis, long id) {
        return of('w', dueMillis, id);
    }

    public static byte[] due(long dueMillis) {
        return of('w', dueMillis);
    }

    /** No key of this kind, which has a number first, is below. */
    static byte[] first(char kind) {
        return of(kind, 0);
    }

    /** The end of the range of all keys that begin with {@code prefix}. */
    public static byte[] after(byte[] prefix) {
        byte[] end = prefix.clone();
        for (int i = end.length - 1; i >= 0; i--) {
            if (++end[i] != 0) {
                return Arrays.copyOf(end, i + 1);
            }
        }
        throw new AssertionError("no key begins with 0xff");
    }

    /** The first key after {@code key}. */
    public static byte[] justAfter(byte[] key) {
        return Arrays.copyOf(key, key.length + 1);
    }

    /** The number at {@code offset} of a key. */
    public static long number(byte[] key, int offset) {
        return ByteBuffer.wrap(key).getLong(offset);
    }

    /** What follows {@code offset}, as a name. */
    public static FileName name(byte[] key, int offset) {
        return RecordReader.name(Arrays.copyOfRange(key, offset, key.length));
    }

    /** The same, as the name of an extended attribute. */
    public static FileName attributeName(byte[] key, int offset) {
        return RecordReader.attributeName(Arrays.copyOfRange(key, offset, key.length));
    }

    private static byte[] of(char kind, String node) {
        byte[] id = node.getBytes(StandardCharsets.US_ASCII);
        return ByteBuffer.allocate(2 + id.length)
                .put((byte) kind)
                .put(id)
                .put((byte) 0)
                .array();
    }

    private static byte[] of(char kind, String node, long number) {
        byte[] prefix = of(kind, node);
        return ByteBuffer.allocate(prefix.length + 8)
                .put(prefix)
                .putLong(number)
                .array();
    }

    private static byte[] of(char kind, long number) {
        return ByteBuffer.allocate(9).put((byte) kind).putLong(number).array();
    }

    private static byte[] of(char kind, long first, long second) {
        return ByteBuffer.allocate(17)
                .put((byte) kind)
                .putLong(first)
                .putLong(second)
                .array();
    }

    private static byte[] of(char kind, long number, FileName name) {
        byte[] bytes = name.toBytes();
        return ByteBuffer.allocate(9 + bytes.length)
                .put((byte) kind)
                .putLong(number)
                .put(bytes)
                .array();
    }
}
