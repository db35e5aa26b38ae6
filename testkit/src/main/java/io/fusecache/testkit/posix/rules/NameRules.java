package io.fusecache.testkit.posix.rules;

import static io.fusecache.testkit.posix.scene.FileType.DIRECTORY;
import static io.fusecache.testkit.posix.scene.Flags.NAME_MAX;

import io.fusecache.testkit.posix.scene.Caller;
import io.fusecache.testkit.posix.scene.Rules;
import java.util.List;

/** Names of 1 to 255 bytes of anything but a slash and NUL, as path_resolution(7) has them. */
final class NameRules {
    private static final String PAGE = "path_resolution(7)";

    private NameRules() {}

    static void add(Rules rules) {
        for (int code = 1; code < 256; code++) {
            if (code != '/') {
                name(
                        rules,
                        "the byte 0x" + Integer.toHexString(code),
                        code == '.' ? "..." : String.valueOf((char) code));
                name(rules, "the byte 0x" + Integer.toHexString(code) + " between others", "a" + (char) code + "b");
            }
        }
        for (int length = 1; length <= NAME_MAX; length++) {
            name(rules, length + " bytes", "n".repeat(length));
        }
        name(rules, "255 times the byte 0xff", "\u00ff".repeat(NAME_MAX));
        name(rules, "a dot in front", ".hidden");
        name(rules, "two dots in front", "..hidden");
        name(rules, "a dot at the end", "name.");
        name(rules, "spaces around", "  name  ");
        name(rules, "a broken UTF-8 sequence", "\u00c3(");
        name(rules, "half a surrogate in UTF-8", "\u00ed\u00a0\u0080");
        name(rules, "an overlong slash in UTF-8", "\u00c0\u00af");
        name(rules, "letters of UTF-8", "\u00c3\u00a4\u00e2\u0082\u00ac\u00f0\u009f\u0098\u0080");
        name(rules, "percent signs that look like codes", "%2F%00%25");
        name(rules, "backslashes", "..\\..\\name");
        name(rules, "a name of a device elsewhere", "CON");
        name(rules, "line breaks", "a\nb\r\nc");
        rules.add(PAGE, "case matters", scene -> {
            scene.file("Name", "upper").file("name", "lower");
            scene.equal("content", "upper", scene.content("Name"));
            scene.equal("names", List.of("Name", "name"), scene.names("."));
        });
        rules.add(PAGE, "names are compared by bytes: composed and decomposed letters differ", scene -> {
            scene.file("\u00c3\u00a4", "composed").file("a\u00cc\u0088", "decomposed");
            scene.equal("names", 2, scene.names(".").size());
        });
    }

    private static void name(Rules rules, String text, String name) {
        rules.add(PAGE, "a name may be or have " + text, scene -> {
            Caller root = scene.root();
            scene.file(name, "content");
            scene.equal("names", List.of(name), scene.names("."));
            scene.equal("content", "content", scene.content(name));
            root.rename(name, "other").ok();
            scene.absent(name);
            root.link("other", name).ok();
            scene.links(2, name);
            root.unlink(name).ok();
            scene.make(DIRECTORY, name).file(name + "/f", "inside");
            scene.equal("content", "inside", scene.content(name + "/f"));
            root.unlink(name + "/f").ok();
            root.rmdir(name).ok();
            root.symlink(name, name).ok();
            root.readlink(name, 300).is(name.length());
        });
    }
}
