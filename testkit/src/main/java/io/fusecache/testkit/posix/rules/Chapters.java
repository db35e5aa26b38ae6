package io.fusecache.testkit.posix.rules;

import io.fusecache.testkit.posix.scene.Rule;
import io.fusecache.testkit.posix.scene.Rules;
import java.util.List;

/** The table of contents. */
public final class Chapters {
    private Chapters() {}

    /** All rules. */
    public static List<Rule> all() {
        Rules rules = new Rules();
        PathRules.add(rules);
        MakingRules.add(rules);
        OpenRules.add(rules);
        LinkRules.add(rules);
        RemovingRules.add(rules);
        StickyRules.add(rules);
        RenameRules.add(rules);
        RenameFlagRules.add(rules);
        ModeRules.add(rules);
        OwnerRules.add(rules);
        DescriptorRules.add(rules);
        ReadRules.add(rules);
        WriteRules.add(rules);
        SeekRules.add(rules);
        SpaceRules.add(rules);
        CopyRules.add(rules);
        MappingRules.add(rules);
        DirectRules.add(rules);
        UnnamedRules.add(rules);
        SyncRules.add(rules);
        FlockRules.add(rules);
        RecordLockRules.add(rules);
        LockWaitRules.add(rules);
        AttributeRules.add(rules);
        AttributeLimitRules.add(rules);
        AclRules.add(rules);
        AclInheritanceRules.add(rules);
        StatRules.add(rules);
        DirectoryRules.add(rules);
        AccessTimeRules.add(rules);
        SetIdRules.add(rules);
        NameRules.add(rules);
        SizeRules.add(rules);
        TimestampRules.add(rules);
        AccessRules.add(rules);
        AtRules.add(rules);
        SymlinkRules.add(rules);
        NamelessRules.add(rules);
        FailureRules.add(rules);
        ProgramRules.add(rules);
        ReadOnlyRules.add(rules);
        SocketRules.add(rules);
        OldTimeRules.add(rules);
        HandleRules.add(rules);
        ControlRules.add(rules);
        LimitRules.add(rules);
        return rules.all();
    }
}
