package io.fusecache.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Who may do what on a mount: as on a local disk. */
final class RightsIT {
    private static final String AS_USER = "as_user() { setpriv --reuid 1000 --regid 1000 --clear-groups \"$@\"; }\n";

    private static Cluster cluster;
    private static int directories;

    private Path here;
    private Path there;

    @BeforeAll
    static void start() throws IOException, InterruptedException {
        assumeTrue("root".equals(System.getProperty("user.name")), "other users' rights are tried as root");
        cluster = Cluster.start(2);
    }

    @AfterAll
    static void stop() throws IOException, InterruptedException {
        if (cluster != null) {
            cluster.close();
        }
    }

    @BeforeEach
    void enter() throws IOException, InterruptedException {
        String name = "d" + directories++;
        here = cluster.node(1).mount().resolve(name);
        there = cluster.node(2).mount().resolve(name);
        Shell.sh(cluster.node(1).mount(), "mkdir " + name + " && chmod 1777 " + name);
    }

    @Test
    void defaultAclsAreInheritedInTheUmasksPlace() throws Exception {
        assertThat(Shell.sh(here, """
                        umask 027
                        mkdir d && setfacl -m u:1000:rwx d && setfacl -d -m u:1001:rwx,o::- d
                        touch d/f && mkdir d/s && ln -s f d/l && mkfifo d/p && touch g
                        stat -c '%n %a' d d/f d/s d/l d/p g
                        getfacl -cnE d/f d/s | xargs
                        """)).isEqualTo("""
                        d 770
                        d/f 660
                        d/s 770
                        d/l 777
                        d/p 660
                        g 640
                        user::rw- user:1001:rwx group::r-x mask::rw- other::--- user::rwx user:1001:rwx group::r-x mask::rwx\
                         other::--- default:user::rwx default:user:1001:rwx default:group::r-x default:mask::rwx\
                         default:other::---
                        """);
    }

    @Test
    void modeAndAclChangeEachOther() throws Exception {
        assertThat(Shell.sh(here, """
                        touch f && chmod 600 f && setfacl -m u:7:rw f && stat -c %a f
                        chmod 640 f && getfacl -cnE f | xargs
                        setfacl -b f && stat -c %a f && getfattr -d -m - f
                        setfacl -m u:7:rw f && setfacl --set u::rw,g::r,o::r f && stat -c %a f && getfattr -d -m - f
                        """)).isEqualTo("""
                        660
                        user::rw- user:7:rw- group::--- mask::r-- other::---
                        600
                        644
                        """);
    }

    @Test
    void anAclGivesAndTakesOnEveryNodeAtOnce() throws Exception {
        Shell.sh(here, "echo secret > f && chmod 600 f");
        String read = AS_USER + "as_user cat f 2>&1 || true";
        for (int i = 0; i < 3; i++) {
            assertThat(Shell.sh(there, read)).contains("Permission denied");
            Shell.sh(here, "setfacl -m u:1000:r f");
            assertThat(Shell.sh(there, read)).isEqualTo("secret\n");
            Shell.sh(here, "chmod g-r f");
            assertThat(Shell.sh(there, read)).contains("Permission denied");
            Shell.sh(here, "chmod g+r f");
            assertThat(Shell.sh(there, read)).isEqualTo("secret\n");
            Shell.sh(here, "setfacl -b f");
        }
    }

    @Test
    void copiesAndArchivesKeepAclsAndAttributes() throws Exception {
        assertThat(Shell.sh(here, """
                        mkdir a && setfacl -m u:7:rwx a && setfacl -d -m g:8:rx a
                        touch a/f && setfacl -m u:9:r a/f
                        setfattr -n user.u -v 1 a/f && setfattr -n user.x/y -v 4 a/f && setfattr -n trusted.t -v 2 a/f && setfattr -n security.s -v 3 a/f
                        cp -a a b
                        rsync -aAX a/ c/
                        mkdir t && tar --acls --xattrs --xattrs-include='*' -cf - a | tar --acls --xattrs --xattrs-include='*' -xpf - -C t
                        told() { (cd "$1" && getfacl -nR . && getfattr -R -d -m - .); }
                        told a > told
                        for copy in b c t/a; do told $copy | cmp - told && echo same; done
                        """)).isEqualTo("same\nsame\nsame\n");
    }

    @Test
    void attributesOfUnknownNamespacesAreRefused() throws Exception {
        assertThat(Shell.sh(here, """
                        touch f
                        for name in other.a system.a user. trusted. security.; do setfattr -n $name -v 1 f 2>&1 || true; done
                        getfattr -n other.a f 2>&1 || true
                        """)).isEqualTo("""
                        setfattr: f: Operation not supported
                        setfattr: f: Operation not supported
                        setfattr: f: Invalid argument
                        setfattr: f: Invalid argument
                        setfattr: f: Invalid argument
                        f: other.a: Operation not supported
                        """);
    }

    @Test
    void whoeverChangesContentTakesTheSetIdBitsAway() throws Exception {
        String script = AS_USER + """
                for change in "sh -c 'echo x >> f'" 'truncate -s 5 f' 'fallocate -l 100 f' "sh -c ': > f'"; do
                  echo content > f && chmod 6777 f && eval "as_user $change" && stat -c %a f
                done
                chmod 6777 f && chown 1000:1000 f && stat -c %a f
                """;
        assertThat(Shell.sh(here, script)).isEqualTo("777\n".repeat(5));
    }

    @Test
    void whoHadItOpenBeforeTakesTheSetIdBitsAwayToo() throws Exception {
        String script = AS_USER + """
                echo content > f && mkfifo opened go && chmod 666 f opened go
                as_user sh -c 'exec 3>> f; echo > opened; read _ < go; echo more >&3' &
                read _ < opened; chmod 6777 f; echo > go; wait
                stat -c %a f && cat f
                """;
        assertThat(Shell.sh(here, script)).isEqualTo("777\ncontent\nmore\n");
    }

    @Test
    void onlyRootSeesTrustedAttributes() throws Exception {
        String script = AS_USER + """
                touch f && chmod 644 f && setfattr -n trusted.t -v 1 f && setfattr -n user.u -v 2 f
                getfattr -d -m - f && as_user getfattr -d -m - f
                """;
        assertThat(Shell.sh(here, script)).isEqualTo("""
                        # file: f
                        trusted.t="1"
                        user.u="2"

                        # file: f
                        user.u="2"

                        """);
    }
}
