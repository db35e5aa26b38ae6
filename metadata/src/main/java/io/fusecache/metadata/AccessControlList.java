package io.fusecache.metadata;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An access control list, as acl(5) has it and as the kernel spells it in an extended attribute: a version, then entries of
 * tag, permissions and id, little-endian, in the order user, named users, group, named groups, mask, others.
 */
public final class AccessControlList {
    /** Who may do what with an inode. Kept in step with its permissions. */
    public static final FileName ACCESS = name("system.posix_acl_access");

    /** What a new entry of a directory starts with. */
    public static final FileName DEFAULT = name("system.posix_acl_default");

    private static final int VERSION = 2;
    private static final int HEADER_BYTES = 4;
    private static final int ENTRY_BYTES = 8;
    private static final int ALL = 7;

    /** Whom an entry is for; declared in the order in which a list has them. */
    private enum Tag {
        USER_OWNER(0x01),
        USER(0x02),
        GROUP_OWNER(0x04),
        GROUP(0x08),
        MASK(0x10),
        OTHER(0x20);

        final int code;

        Tag(int code) {
            this.code = code;
        }

        boolean named() {
            return this == USER || this == GROUP;
        }

        static Tag of(int code) throws ErrnoException {
            for (Tag tag : values()) {
                if (tag.code == code) {
                    return tag;
                }
            }
            throw new ErrnoException(Errno.EINVAL, "an ACL entry of tag " + code);
        }
    }

    private record Entry(Tag tag, int permissions, int id) {
        Entry with(int changed) {
            return new Entry(tag, changed & ALL, id);
        }
    }

    private final List<Entry> entries;

    private AccessControlList(List<Entry> entries) {
        this.entries = List.copyOf(entries);
    }

    /** Whether an attribute of that name is an ACL. */
    public static boolean names(FileName attribute) {
        return attribute.equals(ACCESS) || attribute.equals(DEFAULT);
    }

    /** Null for a list without entries, which takes away the one there is. EINVAL, EOPNOTSUPP for another version. */
    public static @Nullable AccessControlList parse(byte[] value) throws ErrnoException {
        if (value.length < HEADER_BYTES || (value.length - HEADER_BYTES) % ENTRY_BYTES != 0) {
            throw new ErrnoException(Errno.EINVAL, "an ACL of " + value.length + " bytes");
        }
        ByteBuffer in = ByteBuffer.wrap(value).order(ByteOrder.LITTLE_ENDIAN);
        int version = in.getInt();
        if (version != VERSION) {
            throw new ErrnoException(Errno.EOPNOTSUPP, "an ACL of version " + version);
        }
        List<Entry> entries = new ArrayList<>();
        while (in.hasRemaining()) {
            Tag tag = Tag.of(Short.toUnsignedInt(in.getShort()));
            int permissions = Short.toUnsignedInt(in.getShort());
            int id = in.getInt();
            if ((permissions & ~ALL) != 0 || (tag.named() && id == -1)) {
                throw new ErrnoException(Errno.EINVAL, "an ACL entry with permissions " + permissions + " for " + id);
            }
            entries.add(new Entry(tag, permissions, tag.named() ? id : -1));
        }
        if (entries.isEmpty()) {
            return null;
        }
        check(entries);
        return new AccessControlList(entries);
    }

    private static void check(List<Entry> entries) throws ErrnoException {
        Map<Tag, Integer> count = new EnumMap<>(Tag.class);
        Tag before = Tag.USER_OWNER;
        for (Entry entry : entries) {
            count.merge(entry.tag(), 1, Integer::sum);
            if (entry.tag().compareTo(before) < 0) {
                throw new ErrnoException(Errno.EINVAL, "an ACL with " + entry.tag() + " after " + before);
            }
            before = entry.tag();
        }
        boolean named = count.containsKey(Tag.USER) || count.containsKey(Tag.GROUP);
        int masks = count.getOrDefault(Tag.MASK, 0);
        if (count.getOrDefault(Tag.USER_OWNER, 0) != 1
                || count.getOrDefault(Tag.GROUP_OWNER, 0) != 1
                || count.getOrDefault(Tag.OTHER, 0) != 1
                || masks > 1
                || (named && masks == 0)) {
            throw new ErrnoException(
                    Errno.EINVAL, "an ACL has one owner, one group, one other, and a mask where it names anybody");
        }
    }

    public byte[] toBytes() {
        ByteBuffer out =
                ByteBuffer.allocate(HEADER_BYTES + ENTRY_BYTES * entries.size()).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(VERSION);
        for (Entry entry : entries) {
            out.putShort((short) entry.tag().code)
                    .putShort((short) entry.permissions())
                    .putInt(entry.id());
        }
        return out.array();
    }

    /** Whether permission bits say all that it says. */
    public boolean minimal() {
        return entries.size() == 3;
    }

    /** {@code permissions} with the nine bits that stat(2) shows of it: the group's are the mask. */
    public int shownIn(int permissions) {
        return (permissions & ~0777) | of(Tag.USER_OWNER) << 6 | of(groupClass()) << 3 | of(Tag.OTHER);
    }

    /** After a chmod(2). */
    public AccessControlList changedTo(int permissions) {
        return with(permissions >> 6, permissions >> 3, permissions);
    }

    /** What a default ACL becomes for a new inode that is asked for with {@code permissions}: neither gives more. */
    public AccessControlList limitedTo(int permissions) {
        return with(
                of(Tag.USER_OWNER) & permissions >> 6,
                of(groupClass()) & permissions >> 3,
                of(Tag.OTHER) & permissions);
    }

    private Tag groupClass() {
        return entries.stream().anyMatch(entry -> entry.tag() == Tag.MASK) ? Tag.MASK : Tag.GROUP_OWNER;
    }

    private int of(Tag tag) {
        for (Entry entry : entries) {
            if (entry.tag() == tag) {
                return entry.permissions();
            }
        }
        throw new AssertionError("an ACL without " + tag);
    }

    private AccessControlList with(int owner, int group, int other) {
        Tag groupClass = groupClass();
        List<Entry> changed = new ArrayList<>(entries.size());
        for (Entry entry : entries) {
            if (entry.tag() == Tag.USER_OWNER) {
                changed.add(entry.with(owner));
            } else if (entry.tag() == groupClass) {
                changed.add(entry.with(group));
            } else {
                changed.add(entry.tag() == Tag.OTHER ? entry.with(other) : entry);
            }
        }
        return new AccessControlList(changed);
    }

    /** What it lets a user of one group do who is not the owner: the bits of read 4, write 2 and execute 1. */
    public int allows(int uid, int gid, int owningGroup) {
        int mask = of(groupClass());
        int groups = 0;
        boolean member = false;
        for (Entry entry : entries) {
            switch (entry.tag()) {
                case USER -> {
                    if (entry.id() == uid) {
                        return entry.permissions() & mask;
                    }
                }
                case GROUP_OWNER, GROUP -> {
                    if ((entry.tag() == Tag.GROUP ? entry.id() : owningGroup) == gid) {
                        member = true;
                        groups |= entry.permissions();
                    }
                }
                case USER_OWNER, MASK, OTHER -> {}
            }
        }
        return member ? groups & mask : of(Tag.OTHER);
    }

    private static FileName name(String text) {
        try {
            return FileName.of(text);
        } catch (ErrnoException e) {
            throw new AssertionError(e);
        }
    }
}
