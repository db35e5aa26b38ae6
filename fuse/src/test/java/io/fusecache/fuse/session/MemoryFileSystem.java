package io.fusecache.fuse.session;

import io.fusecache.fuse.sys.LocalFile;
import io.fusecache.fuse.sys.Posix;
import io.fusecache.fuse.sys.PosixException;
import io.fusecache.fuse.wire.Attributes;
import io.fusecache.fuse.wire.AttributesReply;
import io.fusecache.fuse.wire.Bytes;
import io.fusecache.fuse.wire.DirectoryBuffer;
import io.fusecache.fuse.wire.EntryReply;
import io.fusecache.fuse.wire.Errno;
import io.fusecache.fuse.wire.FileName;
import io.fusecache.fuse.wire.FuseRequest;
import io.fusecache.fuse.wire.OpenReply;
import io.fusecache.fuse.wire.StatfsReply;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A file system in memory for tests: what is in it stays until it is gone, and files can be given a backing file, which
 * they are then passed through to. One lock for everything; every answer is given at once.
 */
class MemoryFileSystem implements FuseHandler {
    static final int DIRECTORY = 0040000;
    static final int REGULAR = 0100000;
    private static final int SYMLINK = 0120000;
    private static final long LONG = 3_600_000_000_000L;

    /** One inode. */
    static final class Node {
        final long id;
        int mode;
        int uid;
        int gid;
        int links = 1;
        byte[] content = new byte[0];
        long mtimeSeconds = 1_700_000_000L;
        int mtimeNanos = 123_456_789;
        final TreeMap<FileName, Node> children = new TreeMap<>();
        final Map<Bytes, Bytes> xattrs = new TreeMap<>();

        @Nullable LocalFile backing;

        @Nullable BackingFile registered;

        Node(long id, int mode) {
            this.id = id;
            this.mode = mode;
        }

        boolean isDirectory() {
            return (mode & 0170000) == DIRECTORY;
        }
    }

    final Map<Long, Node> nodes = new ConcurrentHashMap<>();
    final AtomicLong requests = new AtomicLong();
    final AtomicLong lookups = new AtomicLong();
    volatile long validNanos = LONG;
    volatile boolean destroyed;
    volatile @Nullable Capabilities capabilities;
    private final AtomicLong lastId = new AtomicLong(1);

    MemoryFileSystem() {
        Node root = new Node(1, DIRECTORY | 0755);
        nodes.put(1L, root);
    }

    @Override
    public void init(Capabilities negotiated) {
        capabilities = negotiated;
    }

    @Override
    public void destroy() {
        destroyed = true;
    }

    Node root() {
        return node(1);
    }

    Node node(long id) {
        Node node = nodes.get(id);
        if (node == null) {
            throw new AssertionError("the kernel names node " + id + ", which it was never told of or has forgotten");
        }
        return node;
    }

    synchronized Node add(Node parent, String name, int mode, byte[] content) {
        return add(parent, FileName.of(name), mode, content);
    }

    private Node add(Node parent, FileName name, int mode, byte[] content) {
        Node node = new Node(lastId.incrementAndGet(), mode);
        node.content = content;
        nodes.put(node.id, node);
        parent.children.put(name, node);
        return node;
    }

    /** Lets a file be passed through to a file on disk from its next open on. */
    void back(Node node, FuseSession session, Path file) throws PosixException {
        LocalFile local = LocalFile.open(file, Posix.O_RDWR | Posix.O_CREAT, 0600);
        node.backing = local;
        node.registered = session.registerBacking(local.fd());
    }

    @Override
    public void handle(FuseRequest request, Reply reply) {
        requests.incrementAndGet();
        synchronized (this) {
            try {
                answer(request, reply);
            } catch (PosixException e) {
                reply.error(e.errno());
            }
        }
    }

    private void answer(FuseRequest request, Reply reply) throws PosixException {
        switch (request) {
            case FuseRequest.Lookup r -> {
                lookups.incrementAndGet();
                Node child = node(r.nodeId()).children.get(r.name());
                if (child == null) {
                    reply.entry(EntryReply.negative(validNanos));
                } else {
                    reply.entry(entry(child));
                }
            }
            case FuseRequest.Getattr r ->
                reply.attributes(new AttributesReply(validNanos, attributes(node(r.nodeId()))));
            case FuseRequest.Setattr r -> setattr(r, reply);
            case FuseRequest.Readlink r -> reply.link(Bytes.of(node(r.nodeId()).content));
            case FuseRequest.Symlink r ->
                reply.entry(entry(add(
                        node(r.nodeId()), r.name(), SYMLINK | 0777, r.target().toByteArray())));
            case FuseRequest.Mknod r -> reply.entry(entry(add(node(r.nodeId()), r.name(), r.mode(), new byte[0])));
            case FuseRequest.Mkdir r ->
                reply.entry(entry(add(node(r.nodeId()), r.name(), DIRECTORY | r.mode(), new byte[0])));
            case FuseRequest.Unlink r -> remove(node(r.nodeId()), r.name(), reply);
            case FuseRequest.Rmdir r -> {
                Node child = node(r.nodeId()).children.get(r.name());
                if (child != null && !child.children.isEmpty()) {
                    reply.error(Errno.ENOTEMPTY);
                } else {
                    remove(node(r.nodeId()), r.name(), reply);
                }
            }
            case FuseRequest.Rename r -> rename(r, reply);
            case FuseRequest.Link r -> {
                Node node = node(r.oldNodeId());
                node.links++;
                node(r.nodeId()).children.put(r.newName(), node);
                reply.entry(entry(node));
            }
            case FuseRequest.Open r -> {
                Node node = node(r.nodeId());
                if ((r.flags() & Posix.O_TRUNC) != 0) {
                    resize(node, 0);
                }
                reply.opened(open(node));
            }
            case FuseRequest.Create r -> {
                Node node = add(node(r.nodeId()), r.name(), r.mode(), new byte[0]);
                node.uid = r.header().uid();
                node.gid = r.header().gid();
                reply.created(entry(node), open(node));
            }
            case FuseRequest.Read r -> {
                byte[] content = node(r.nodeId()).content;
                int from = (int) Math.min(r.offset(), content.length);
                int length = Math.min(r.size(), content.length - from);
                reply.data(MemorySegment.ofArray(content).asSlice(from, length));
            }
            case FuseRequest.Write r -> {
                Node node = node(r.nodeId());
                int length = (int) r.data().byteSize();
                if (r.offset() + length > node.content.length) {
                    node.content = Arrays.copyOf(node.content, (int) r.offset() + length);
                }
                MemorySegment.ofArray(node.content).asSlice(r.offset(), length).copyFrom(r.data());
                reply.written(length);
            }
            case FuseRequest.Statfs _ -> reply.statfs(new StatfsReply(1000, 900, 800, 70, 60, 4096, 255, 4096));
            case FuseRequest.Opendir r -> reply.opened(OpenReply.of(r.nodeId(), 0));
            case FuseRequest.Readdir r -> readdir(r, reply);
            case FuseRequest.Setxattr r -> {
                node(r.nodeId()).xattrs.put(r.name(), r.value());
                reply.ok();
            }
            case FuseRequest.Getxattr r -> {
                Bytes value = node(r.nodeId()).xattrs.get(r.name());
                if (value == null) {
                    reply.error(Errno.ENODATA);
                } else if (r.size() == 0) {
                    reply.xattrSize(value.length());
                } else if (r.size() < value.length()) {
                    reply.error(Errno.ERANGE);
                } else {
                    reply.data(MemorySegment.ofArray(value.toByteArray()));
                }
            }
            case FuseRequest.Release _,
                    FuseRequest.Releasedir _,
                    FuseRequest.Flush _,
                    FuseRequest.Fsync _,
                    FuseRequest.Fsyncdir _ -> reply.ok();
            case FuseRequest.Forget _, FuseRequest.BatchForget _ -> reply.none();
            default -> reply.error(Errno.ENOSYS);
        }
    }

    private void setattr(FuseRequest.Setattr r, Reply reply) throws PosixException {
        Node node = node(r.nodeId());
        if (r.sets(FuseRequest.Setattr.SIZE)) {
            resize(node, r.size());
        }
        if (r.sets(FuseRequest.Setattr.MODE)) {
            node.mode = r.mode();
        }
        if (r.sets(FuseRequest.Setattr.UID)) {
            node.uid = r.uid();
        }
        if (r.sets(FuseRequest.Setattr.GID)) {
            node.gid = r.gid();
        }
        if (r.sets(FuseRequest.Setattr.MTIME)) {
            node.mtimeSeconds = r.mtimeSeconds();
            node.mtimeNanos = r.mtimeNanos();
        }
        reply.attributes(new AttributesReply(validNanos, attributes(node)));
    }

    private void remove(Node parent, FileName name, Reply reply) {
        Node child = parent.children.remove(name);
        if (child == null) {
            reply.error(Errno.ENOENT);
        } else {
            child.links--;
            reply.ok();
        }
    }

    private void rename(FuseRequest.Rename r, Reply reply) {
        Node from = node(r.nodeId());
        Node to = node(r.newParent());
        Node moved = from.children.get(r.name());
        Node target = to.children.get(r.newName());
        if (moved == null) {
            reply.error(Errno.ENOENT);
        } else if ((r.flags() & FuseRequest.Rename.NOREPLACE) != 0 && target != null) {
            reply.error(Errno.EEXIST);
        } else if ((r.flags() & FuseRequest.Rename.EXCHANGE) != 0 && target != null) {
            from.children.put(r.name(), target);
            to.children.put(r.newName(), moved);
            reply.ok();
        } else {
            from.children.remove(r.name());
            to.children.put(r.newName(), moved);
            reply.ok();
        }
    }

    private void readdir(FuseRequest.Readdir r, Reply reply) throws PosixException {
        DirectoryBuffer listing = reply.directory(r.size(), r.plus());
        List<Map.Entry<FileName, Node>> entries =
                new ArrayList<>(node(r.nodeId()).children.entrySet());
        for (int i = (int) r.offset(); i < entries.size(); i++) {
            Node child = entries.get(i).getValue();
            FileName name = entries.get(i).getKey();
            boolean fits = r.plus()
                    ? listing.add(entry(child), name, i + 1L)
                    : listing.add(child.id, child.mode, name, i + 1L);
            if (!fits) {
                break;
            }
        }
        reply.listing(listing);
    }

    private static void resize(Node node, long size) throws PosixException {
        if (node.backing != null) {
            node.backing.truncate(size);
        } else {
            node.content = Arrays.copyOf(node.content, (int) size);
        }
    }

    private static OpenReply open(Node node) {
        return node.registered != null
                ? OpenReply.passthrough(node.id, node.registered.id())
                : OpenReply.of(node.id, 0);
    }

    EntryReply entry(Node node) throws PosixException {
        return new EntryReply(node.id, 0, validNanos, validNanos, attributes(node));
    }

    private static Attributes attributes(Node node) throws PosixException {
        long size = node.backing != null ? node.backing.stat().size() : node.content.length;
        return new Attributes(
                node.id,
                size,
                (size + 511) / 512,
                node.mtimeSeconds,
                node.mtimeNanos,
                node.mtimeSeconds,
                node.mtimeNanos,
                node.mtimeSeconds,
                node.mtimeNanos,
                node.mode,
                node.links,
                node.uid,
                node.gid,
                0,
                4096,
                0);
    }
}
