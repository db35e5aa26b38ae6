package io.fusecache.testkit.posix.scene;

import java.util.List;

/** The users on whose behalf calls are made. The group in question is always {@link #OWNER}'s. */
public enum Actor {
    ROOT("root", 0, 0),
    /** Owns the file in question. */
    OWNER("the owner", 61001, 61001),
    /** Has the file's group as its own. */
    FELLOW("a user of the group", 61002, 61001),
    /** Has the file's group among its supplementary groups, not first. */
    MEMBER("a member by supplementary group", 61003, 61003),
    /** Neither owns the file nor is in its group. */
    OTHER("another user", 61004, 61004);

    private final String phrase;
    private final int uid;
    private final int gid;

    Actor(String phrase, int uid, int gid) {
        this.phrase = phrase;
        this.uid = uid;
        this.gid = gid;
    }

    public int uid() {
        return uid;
    }

    public int gid() {
        return gid;
    }

    public List<Integer> groups() {
        return this == MEMBER ? List.of(61009, OWNER.gid, 61010) : List.of();
    }

    /** How many places to the left the permission bits of this user's class stand; 0 for root, who has none. */
    public int shift() {
        return switch (this) {
            case OWNER -> 6;
            case FELLOW, MEMBER -> 3;
            case OTHER, ROOT -> 0;
        };
    }

    @Override
    public String toString() {
        return phrase;
    }
}
