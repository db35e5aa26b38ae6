package io.fusecache.testkit.posix.rules;

import io.fusecache.testkit.posix.scene.Actor;
import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Outcome;
import io.fusecache.testkit.posix.scene.Violation;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** A POSIX ACL of acl(5), as the system's attributes hold it, and what it grants. */
record Acl(List<Entry> entries) {
    static final String ACCESS = "system.posix_acl_access";
    static final String DEFAULT = "system.posix_acl_default";

    static final int USER_OBJ = 1;
    static final int USER = 2;
    static final int GROUP_OBJ = 4;
    static final int GROUP = 8;
    static final int MASK = 16;
    static final int OTHER = 32;

    private static final int VERSION = 2;
    private static final int HEADER_BYTES = 4;
    private static final int ENTRY_BYTES = 8;

    /** @param id of a named user or group, else -1 */
    record Entry(int tag, int permissions, int id) {}

    Acl {
        entries = List.copyOf(entries);
    }

    /** One that says what a mode says. */
    static Acl of(int mode) {
        return new Acl(List.of(
                new Entry(USER_OBJ, mode >> 6 & 7, -1),
                new Entry(GROUP_OBJ, mode >> 3 & 7, -1),
                new Entry(OTHER, mode & 7, -1)));
    }

    /** With one more entry, in the order that the kernel wants. */
    Acl with(int tag, int permissions, int id) {
        List<Entry> more = new ArrayList<>(entries);
        more.removeIf(entry -> entry.tag == tag && entry.id == id);
        more.add(new Entry(tag, permissions, id));
        more.sort(Comparator.comparingInt(Entry::tag).thenComparingInt(Entry::id));
        return new Acl(more);
    }

    Acl withUser(Actor user, int permissions) {
        return with(USER, permissions, user.uid());
    }

    Acl withGroup(int gid, int permissions) {
        return with(GROUP, permissions, gid);
    }

    Acl withMask(int permissions) {
        return with(MASK, permissions, -1);
    }

    int permissions(int tag) {
        return entries.stream()
                .filter(entry -> entry.tag == tag)
                .mapToInt(Entry::permissions)
                .findFirst()
                .orElse(0);
    }

    boolean extended() {
        return entries.size() > 3;
    }

    /** The permission bits that go with it. */
    int mode() {
        return permissions(USER_OBJ) << 6 | permissions(extended() ? MASK : GROUP_OBJ) << 3 | permissions(OTHER);
    }

    /** What becomes of it when the mode is set. */
    Acl changed(int mode) {
        return with(USER_OBJ, mode >> 6 & 7, -1)
                .with(extended() ? MASK : GROUP_OBJ, mode >> 3 & 7, -1)
                .with(OTHER, mode & 7, -1);
    }

    /** What a file gets of it as its parent's default ACL, when it is made with this mode. */
    Acl inherited(int mode) {
        return changed(mode() & mode);
    }

    /** Whether it grants all of these, by the algorithm of acl(5); the file is {@link Actor#OWNER}'s and its group's. */
    boolean grants(Actor actor, int wanted) {
        if (actor == Actor.OWNER) {
            return (permissions(USER_OBJ) & wanted) == wanted;
        }
        int mask = extended() ? permissions(MASK) : 7;
        if (mask == 0) {
            // Linux looks at no ACL whose mask grants nothing, so who is only named there is one of the others.
            return !in(actor, Actor.OWNER.gid()) && (permissions(OTHER) & wanted) == wanted;
        }
        for (Entry entry : entries) {
            if (entry.tag == USER && entry.id == actor.uid()) {
                return (entry.permissions & mask & wanted) == wanted;
            }
        }
        List<Entry> groups = entries.stream()
                .filter(entry -> (entry.tag == GROUP_OBJ && in(actor, Actor.OWNER.gid()))
                        || (entry.tag == GROUP && in(actor, entry.id)))
                .toList();
        if (!groups.isEmpty()) {
            return groups.stream().anyMatch(entry -> (entry.permissions & mask & wanted) == wanted);
        }
        return (permissions(OTHER) & wanted) == wanted;
    }

    private static boolean in(Actor actor, int gid) {
        return actor.gid() == gid || actor.groups().contains(gid);
    }

    byte[] bytes() {
        return bytes(VERSION);
    }

    byte[] bytes(int version) {
        ByteBuffer buffer =
                ByteBuffer.allocate(HEADER_BYTES + ENTRY_BYTES * entries.size()).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putInt(version);
        for (Entry entry : entries) {
            buffer.putShort((short) entry.tag)
                    .putShort((short) entry.permissions)
                    .putInt(entry.id);
        }
        return buffer.array();
    }

    static Acl parse(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (buffer.getInt() != VERSION) {
            throw new Violation("an ACL of another version");
        }
        List<Entry> entries = new ArrayList<>();
        while (buffer.hasRemaining()) {
            entries.add(new Entry(buffer.getShort(), buffer.getShort(), buffer.getInt()));
        }
        return new Acl(entries);
    }

    Outcome set(Caller caller, String path, String attribute) {
        return caller.setxattr(path, attribute, bytes(), 0).orNotApplicable("ACLs");
    }

    static Acl get(Caller caller, String path, String attribute) {
        return parse(caller.buffered(caller.getxattr(path, attribute, 10_000).ok()));
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder();
        for (Entry entry : entries) {
            String kind = switch (entry.tag) {
                case USER_OBJ, USER -> "u:";
                case GROUP_OBJ, GROUP -> "g:";
                case MASK -> "m:";
                default -> "o:";
            };
            text.append(text.isEmpty() ? "" : ",")
                    .append(kind)
                    .append(entry.id < 0 ? "" : entry.id + ":")
                    .append(entry.permissions);
        }
        return text.toString();
    }
}
