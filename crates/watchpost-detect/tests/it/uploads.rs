//! Uploads: names, types and contents, bad and harmless.

use std::collections::BTreeMap;

use watchpost_detect::{Verdict, inspect_request};

struct File<'a>(&'a str, &'a str, &'a str);

fn verdict(File(name, declared, content): &File<'_>) -> Verdict {
    let body = format!(
        "--x\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nMy holidays\r\n--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {declared}\r\n\r\n{content}\r\n--x--\r\n"
    );
    let headers: BTreeMap<String, String> =
        [("Content-Type".to_owned(), "multipart/form-data; boundary=x".to_owned())].into();
    inspect_request("POST", "/upload", &headers, Some(&body))
}

fn families(file: &File<'_>) -> Vec<&'static str> {
    verdict(file).categories.iter().map(|family| family.as_str()).collect()
}

fn has_macros(file: &File<'_>) -> bool {
    verdict(file).findings.iter().any(|found| found.rule_id == "wp.upload.macro")
}

const PNG: &str =
    "\u{89}PNG\r\n\u{1a}\n\0\0\0\rIHDR\0\0\0\u{1}\0\0\0\u{1}\u{8}\u{6}\0\0\0\u{1f}\u{15}\u{c4}\u{89}";
const JPG: &str = "\u{ff}\u{d8}\u{ff}\u{e0}\0\u{10}JFIF\0\u{1}\u{1}\0\0\u{1}\0\u{1}\0\0\u{ff}\u{db}";
const GIF: &str = "GIF89a\u{1}\0\u{1}\0\u{80}\0\0\u{ff}\u{ff}\u{ff}\0\0\0!\u{f9}\u{4}";
const EICAR: &str = r"X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";

const BAD: &[File<'_>] = &[
    File("shell.php", "application/octet-stream", "x"),
    File("shell.PHP5", "image/png", PNG),
    File("shell.phtml", "image/gif", GIF),
    File("shell.phar", "image/png", PNG),
    File("shell.pht", "text/plain", "x"),
    File("cmd.asp", "image/jpeg", JPG),
    File("cmd.aspx", "text/plain", "x"),
    File("cmd.ashx", "text/plain", "x"),
    File("cmd.jsp", "text/plain", "x"),
    File("cmd.jspx", "text/plain", "x"),
    File("cmd.cfm", "text/plain", "x"),
    File("cmd.shtml", "text/html", "x"),
    File("cmd.cgi", "text/plain", "x"),
    File("app.war", "application/zip", "x"),
    File("shell.php.jpg", "image/jpeg", JPG),
    File("shell.jpg.php", "image/jpeg", JPG),
    File("shell.php.blah", "image/jpeg", JPG),
    File("shell.asp;.jpg", "image/jpeg", JPG),
    File("shell.aspx::$DATA", "image/jpeg", JPG),
    File("shell.php%00.jpg", "image/jpeg", JPG),
    File("shell.php\0.jpg", "image/jpeg", JPG),
    File("shell.php.", "image/jpeg", JPG),
    File("shell.php ", "image/jpeg", JPG),
    File("shell. php", "image/jpeg", JPG),
    File("shell.php/", "image/jpeg", JPG),
    File("shell.php%0a", "image/jpeg", JPG),
    File("shell.pHp", "image/jpeg", JPG),
    File("shell.php#.png", "image/png", PNG),
    File("photo\u{202e}gpj.exe", "image/jpeg", JPG),
    File(".htaccess", "text/plain", "x"),
    File(".user.ini", "text/plain", "x"),
    File("web.config", "text/xml", "x"),
    File("../../../var/www/a.png", "image/png", PNG),
    File("..\\..\\a.png", "image/png", PNG),
    File("/etc/cron.d/a", "text/plain", "x"),
    File("C:\\inetpub\\wwwroot\\a.png", "image/png", PNG),
    File("invoice.pdf.exe", "application/pdf", "x"),
    File("photo.jpg.scr", "image/jpeg", "x"),
    File("$(id).png", "image/png", PNG),
    File("a;id.png", "image/png", PNG),
    File("a.gif", "image/gif", "GIF89a;<?php system($_GET['c']); ?>"),
    File("a.jpg", "image/jpeg", "\u{ff}\u{d8}\u{ff}\u{e0}<?php phpinfo(); ?>"),
    File("a.png", "image/png", "\u{89}PNG\r\n<?=`$_GET[0]`?>"),
    File("a.txt", "text/plain", "<?php @eval($_POST['x']);?>"),
    File("a.txt", "text/plain", "<%eval request(\"x\")%>"),
    File(
        "a.txt",
        "text/plain",
        "<%@ page import=\"java.util.*\"%><% Runtime.getRuntime().exec(request.getParameter(\"c\")); %>",
    ),
    File("a.txt", "text/plain", "<script runat=\"server\">x</script>"),
    File("a.jpg", "image/jpeg", "MZ\u{90}\0\u{3}\0\0\0This program cannot be run in DOS mode"),
    File("a.png", "image/png", "\u{7f}ELF\u{2}\u{1}\u{1}"),
    File("a.pdf", "application/pdf", "<html><script>alert(1)</script></html>"),
    File("a.jpg", "image/jpeg", "#!/bin/bash\nid"),
    File(
        "a.svg",
        "image/svg+xml",
        "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>",
    ),
    File("a.svg", "image/svg+xml", "<svg onload=alert(1)>"),
    File(
        "a.svg",
        "image/svg+xml",
        "<?xml version=\"1.0\"?><!DOCTYPE svg [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><svg>&x;</svg>",
    ),
    File("a.svg", "image/svg+xml", "<svg><a xlink:href=\"javascript:alert(1)\">x</a></svg>"),
    File(
        "a.pdf",
        "application/pdf",
        "%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>",
    ),
    File("a.pdf", "application/pdf", "%PDF-1.7\n1 0 obj<</S/Launch/F(cmd.exe)>>"),
    File("a.hta", "text/html", "<hta:application id=x>"),
    File("a.txt", "text/plain", EICAR),
    File("eicar.com", "application/octet-stream", EICAR),
    File(
        "a.mvg",
        "image/x-mvg",
        "push graphic-context\nviewbox 0 0 1 1\nimage over 0,0 0,0 'ephemeral:/tmp/a'",
    ),
    File("a.csv", "text/csv", "name\n=cmd|' /C calc'!A0"),
    File("a.m3u8", "text/plain", "#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\nconcat:http://x/|file:///etc/passwd"),
    File("a.doc", "application/msword", "\u{d0}\u{cf}\u{11}\u{e0}\u{a1}\u{b1}\u{1a}\u{e1} _VBA_PROJECT "),
    File("a.htaccess.txt", "text/plain", "AddType application/x-httpd-php .jpg"),
    File("a.ini", "text/plain", "auto_prepend_file=a.jpg"),
];

const HARMLESS: &[File<'_>] = &[
    File("photo.png", "image/png", PNG),
    File("photo.jpg", "image/jpeg", JPG),
    File("photo.JPEG", "image/jpeg", JPG),
    File("anim.gif", "image/gif", GIF),
    File("photo (1).jpg", "image/jpeg", JPG),
    File("IMG_2024-01-02 10.11.12.jpg", "image/jpeg", JPG),
    File(
        "caf\u{e9} r\u{e9}sum\u{e9}.pdf",
        "application/pdf",
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj",
    ),
    File(
        "report.v1.2.final.docx",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "PK\u{3}\u{4}\u{14}\0\u{6}\0[Content_Types].xml",
    ),
    File(
        "backup-2024.tar.gz",
        "application/gzip",
        "\u{1f}\u{8b}\u{8}\0\0\0\0\0\0\u{3}\u{4b}\u{4}\0\0\0\0\0\u{5}\0\0\0",
    ),
    File("data.csv", "text/csv", "name,amount\nAnna,-5\nBob,+7"),
    File("notes.txt", "text/plain", "Remember the milk."),
    File("guide.md", "text/markdown", "Open a file with `<?php echo 'Hello'; ?>` at the top."),
    File("script.js", "text/javascript", "console.log('hi')"),
    File("main.py", "text/x-python", "import os\nprint(os.getcwd())"),
    File("build.sh", "application/x-sh", "#!/bin/sh\nmake all"),
    File("index.html", "text/html", "<!doctype html><html><body>Hello</body></html>"),
    File("style.css", "text/css", "body { color: red }"),
    File("data.json", "application/json", "{\"a\": 1}"),
    File(
        "icon.svg",
        "image/svg+xml",
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"><path d=\"M0 0h1v1z\"/></svg>",
    ),
    File("song.mp3", "audio/mpeg", "ID3\u{3}\0\0\0\0\0"),
    File("php-notes.pdf", "application/pdf", "%PDF-1.4\n%\u{e2}\u{e3}"),
    File("my.php.notes.md", "text/markdown", "how to"),
    File("photo.png", "application/octet-stream", PNG),
    File("photo.jpg", "image/png", PNG),
    File("", "application/octet-stream", ""),
    File("C:\\fakepath\\photo.jpg", "image/jpeg", JPG),
    File("Smith & Sons; offer.pdf", "application/pdf", "%PDF-1.4"),
    File("50% off.png", "image/png", PNG),
    File("archive.zip", "application/zip", "PK\u{3}\u{4}\u{a}\0\0\0\0\0a.txt"),
    File("setup.exe", "application/octet-stream", "MZ\u{90}\0\u{3}"),
];

/// A zip file with these entries, each of this content, a character for each byte.
fn zip(names: &[&str], content: &str) -> String {
    let number = |value: usize, n: usize| -> String {
        (0..n).map(|at| char::from(u8::try_from(value >> (8 * at) & 0xff).expect("one byte"))).collect()
    };
    let (mut files, mut list, mut offset) = (Vec::new(), Vec::new(), 0);
    for name in names {
        let sizes = format!("{}{}", number(content.len(), 4), number(content.len(), 4));
        let about =
            format!("\u{14}\0\0\0\0\0\0\0\0\0\u{1}\u{2}\u{3}\u{4}{sizes}{}\0\0", number(name.len(), 2));
        list.push(format!("PK\u{1}\u{2}\u{14}\u{3}{about}{}{}{name}", "\0".repeat(10), number(offset, 4)));
        let file = format!("PK\u{3}\u{4}{about}{name}{content}");
        offset += file.chars().count();
        files.push(file);
    }
    format!("{}{}PK\u{5}\u{6}{}", files.concat(), list.concat(), "\0".repeat(18))
}

const DOCUMENT: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";

#[test]
fn documents_with_macros_are_seen_whatever_they_are_called() {
    let base = ["[Content_Types].xml", "_rels/.rels", "word/document.xml"];
    let with = |name: &str| zip(&[&base[..], &[name]].concat(), "<w/>");
    let long = zip(&[&base[..], &["word/vbaProject.bin"]].concat(), &"lorem ipsum ".repeat(20_000));
    for (name, content) in [
        ("letter.docx", with("word/vbaProject.bin")),
        ("letter.docm", with("word/vbaProject.bin")),
        ("letter.docx", with("word/VBAPROJECT.BIN")),
        ("letter.docx", with("vbaProject.bin")),
        ("table.xlsm", with("xl/vbaProject.bin")),
        ("table.xlsx", with("xl/macrosheets/sheet1.xml")),
        ("slides.pptx", with("ppt/vbaProject.bin")),
        ("letter", with("word/vbaProject.bin")),
        ("long.docx", long),
        // As text that was no UTF-8 comes in: bytes are lost.
        ("letter.docx", with("word/vbaProject.bin").replace('\u{14}', "\u{fffd}")),
    ] {
        let file = File(name, DOCUMENT, &content);
        assert!(has_macros(&file), "{name}: {:?}", families(&file));
    }
    let told = zip(&base, "how to open vbaProject.bin, xl/macrosheets/ and activeX/");
    let long = zip(&base, &"lorem ipsum vbaProject.bin ".repeat(10_000));
    for (name, content) in [
        ("letter.docx", with("word/styles.xml")),
        ("letter.docx", with("word/media/vbaProject.bin.png")),
        ("letter.docx", with("word/media/my-vbaProject.bin")),
        ("letter.docx", with("word/vbaProject.bin.png").replace('\u{14}', "\u{fffd}")),
        ("letter.docx", told),
        ("long.docx", long),
    ] {
        let file = File(name, DOCUMENT, &content);
        assert_eq!(families(&file), [""; 0], "{name}");
    }
}

fn is_upload(file: &File<'_>) -> bool {
    families(file).contains(&"upload")
}

#[test]
fn bad_files_are_seen() {
    let missed: Vec<String> = BAD
        .iter()
        .filter(|file| !is_upload(file))
        .map(|File(name, _, content)| format!("{name:?} {content:?}"))
        .collect();
    assert!(BAD.len() >= 40, "a catalogue, not a sample");
    assert!(missed.is_empty(), "{} missed:\n{}", missed.len(), missed.join("\n"));
}

#[test]
fn harmless_files_are_left_alone() {
    let flagged: Vec<String> = HARMLESS
        .iter()
        .filter(|file| !families(file).is_empty())
        .map(|file| format!("{:?} {:?}", file.0, families(file)))
        .collect();
    assert!(HARMLESS.len() >= 20, "a catalogue, not a sample");
    assert!(flagged.len() <= 1, "{} flagged:\n{}", flagged.len(), flagged.join("\n"));
}
