//! File names.

/// What servers run when asked for it.
const RUN: &[&str] = &[
    "php", "php2", "php3", "php4", "php5", "php6", "php7", "php8", "phtml", "phtm", "phps", "pht", "phpt",
    "phar", "pgif", "shtml", "shtm", "stm", "asp", "aspx", "ashx", "asmx", "ascx", "asax", "asa", "axd",
    "cer", "cdx", "cshtml", "vbhtml", "soap", "rem", "config", "svc", "jsp", "jspx", "jspf", "jspa", "jsw",
    "jsv", "jhtml", "jtml", "do", "action", "cfm", "cfml", "cfc", "dbm", "cgi", "fcgi", "hta", "htc", "inc",
    "module", "ctp", "hphp", "nsf", "yaws", "war", "ear",
];

/// What a workstation runs when somebody opens it.
const OPEN: &[&str] = &[
    "exe",
    "scr",
    "com",
    "bat",
    "cmd",
    "pif",
    "vbs",
    "vbe",
    "jse",
    "wsf",
    "wsh",
    "ps1",
    "psm1",
    "msi",
    "msp",
    "lnk",
    "dll",
    "cpl",
    "jar",
    "reg",
    "inf",
    "scf",
    "url",
    "hta",
    "chm",
    "iso",
    "vhd",
    "appref-ms",
    "gadget",
    "application",
    "sys",
    "apk",
];

/// What the name of a document or picture ends in.
const HARMLESS: &[&str] = &[
    "jpg", "jpeg", "png", "gif", "bmp", "webp", "svg", "ico", "tif", "tiff", "pdf", "doc", "docx", "xls",
    "xlsx", "ppt", "pptx", "txt", "csv", "rtf", "odt", "zip", "mp3", "mp4", "avi", "mov", "wav", "xml",
    "json", "htm", "html", "log", "bak", "test", "blah", "jpg123", "xxx", "123",
];

/// Files that configure a server or an account.
const SETTINGS: &[&str] = &[
    ".htaccess",
    ".htpasswd",
    ".htgroup",
    ".user.ini",
    "php.ini",
    "web.config",
    "machine.config",
    "global.asax",
    "global.asa",
    "applicationhost.config",
    ".env",
    "authorized_keys",
    "id_rsa",
    ".bashrc",
    ".profile",
    ".bash_profile",
    ".ssh",
    "crontab",
    "passwd",
    "shadow",
    "httpd.conf",
    "nginx.conf",
    "uwsgi.ini",
    "web.xml",
    ".git",
    ".npmrc",
    "desktop.ini",
    "autorun.inf",
    "__init__.py",
    "wp-config.php",
    "thumbs.db.php",
];

fn lower_trimmed(name: &str) -> String {
    name.to_ascii_lowercase()
        .replace("%00", "\0")
        .replace("%20", " ")
        .replace("%2e", ".")
        .replace("%2f", "/")
        .replace("%5c", "\\")
        .replace("%0a", "\n")
        .replace("%0d", "\r")
        .replace("\\x00", "\0")
}

/// Would a server run a file of this name?
pub(super) fn runs(name: &str) -> bool {
    let name = lower_trimmed(name);
    let trimmed = name.trim_end_matches(['.', ' ', '/', '\\', '\0', '\n', '\r', '\t', ':']);
    let Some((stem, last)) = trimmed.rsplit_once('.') else { return false };
    // `config` and `action` are ordinary words where nothing else is odd.
    let is_word = matches!(
        last,
        "do" | "action"
            | "config"
            | "module"
            | "inc"
            | "soap"
            | "rem"
            | "com"
            | "dbm"
            | "war"
            | "ear"
            | "svc"
            | "cer"
            | "nsf"
    );
    (RUN.contains(&last.trim()) && !is_word)
        || (matches!(last, "war" | "cer") && !stem.is_empty())
        || SETTINGS.contains(&trimmed)
}

/// Words and an ending, and nothing that a shell or a file system reads: `cat (1).png`, `ping results.txt`.
pub(super) fn is_plain(name: &str) -> bool {
    let Some((stem, ending)) = name.trim().rsplit_once('.') else { return false };
    let is_plain = |ch: char| {
        ch.is_alphanumeric() || matches!(ch, ' ' | '.' | '_' | '-' | ',' | '+' | '(' | ')' | '[' | ']')
    };
    !stem.is_empty()
        && ending.len() <= 5
        && ending.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && ending.bytes().any(|byte| byte.is_ascii_alphabetic())
        && name.chars().all(is_plain)
        && !name.split(' ').any(|word| word.starts_with('-') && word.len() > 1)
}

/// Is anything wrong with the name?
pub(super) fn is_bad(name: &str) -> bool {
    if name.len() < 2 {
        return false;
    }
    let name = lower_trimmed(name);
    let base = name.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or("");
    let is_windows_root = name.as_bytes().get(1..3).is_some_and(|two| two == b":\\" || two == b":/");
    let fake_path = name.starts_with("c:\\fakepath\\");
    let has_path = name.contains("../")
        || name.contains("..\\")
        || name.starts_with('/')
        || name.starts_with("\\\\")
        || (is_windows_root && !fake_path)
        || name.starts_with("file:");
    let has_control = name.chars().any(char::is_control);
    // Characters that turn the reading direction hide the real end.
    let turns = name.contains(['\u{202e}', '\u{202d}', '\u{200e}', '\u{200f}', '\u{2066}', '\u{2067}']);
    has_path
        || has_control
        || turns
        || runs(base)
        || is_stream(base)
        || is_setting(base)
        || hides(base)
        || has_code(base)
        || name.len() > 512
}

/// `a.asp::$DATA`, `a.php:.jpg`, `a.asp;.jpg`
fn is_stream(base: &str) -> bool {
    base.contains("::$")
        || base.contains("::%24")
        || [":", ";", "#", "?", "%", "\0", "\u{ff0e}"]
            .iter()
            .any(|mark| base.split_once(mark).is_some_and(|(first, _)| runs(first)))
}

fn is_setting(base: &str) -> bool {
    let base = base.trim_end_matches(['.', ' ', '/', '\0']);
    SETTINGS.contains(&base)
        || base.starts_with(".ht")
        || base.starts_with(".user.ini")
        || base.starts_with("web.config")
}

/// Two endings of which one is run: by servers that look at any of them, or by people who see the first.
fn hides(base: &str) -> bool {
    let labels: Vec<&str> = base.split('.').collect();
    if labels.len() < 2 {
        return false;
    }
    let ends: Vec<&str> = labels[1..].iter().map(|label| label.trim()).collect();
    let (last, inner) = ends.split_last().expect("at least one");
    let is_run = |end: &str| {
        RUN.contains(&end)
            && !matches!(
                end,
                "do" | "action"
                    | "config"
                    | "module"
                    | "inc"
                    | "soap"
                    | "rem"
                    | "com"
                    | "dbm"
                    | "svc"
                    | "war"
                    | "ear"
                    | "cer"
                    | "nsf"
            )
    };
    let server = inner.iter().any(|end| is_run(end))
        && !matches!(*last, "md" | "diff" | "patch" | "dist" | "example" | "sample" | "twig" | "gz");
    let opens_last = OPEN.contains(last)
        && inner.iter().any(|end| HARMLESS.contains(end) && !matches!(*end, "zip" | "json" | "xml" | "123"));
    let opens_inner = inner.iter().any(|end| {
        OPEN.contains(end)
            && !matches!(*end, "com" | "url" | "sys" | "iso" | "jar" | "application" | "inf" | "reg" | "dll")
    }) && HARMLESS.contains(last)
        && !matches!(*last, "zip" | "xml" | "json" | "log");
    // `shell. jspx`: blanks before the ending are cut off by some.
    let spaced = labels[1..].iter().any(|label| label.starts_with(' ') && is_run(label.trim()));
    let many_spaces = base.contains("     ");
    // `a.php5.`, `a.jpg.php%`: the label begins with an ending that is run.
    let prefixed = last.starts_with("php")
        && last.len() > 3
        && last.len() < 8
        && last[3..].chars().all(|ch| !ch.is_ascii_alphabetic() || ch == 'x');
    server
        || opens_last
        || opens_inner
        || spaced
        || many_spaces
        || prefixed
        || (last.is_empty() && inner.iter().any(|end| is_run(end)))
}

/// Shell, markup or a query in a name.
fn has_code(base: &str) -> bool {
    base.contains("$(")
        || base.contains('`')
        || base.contains("${")
        || base.contains("<script")
        || base.contains("onerror=")
        || base.contains("onload=")
        || base.contains('|')
        || base.contains("' or ")
        || base.contains("'--")
        || base.contains("sleep(")
        || base.contains("{{")
        || base.split_once(';').is_some_and(|(_, rest)| {
            let rest = rest.trim_start();
            let word = rest.split([' ', '.', ';', '/']).next().unwrap_or("");
            // `Tom & Jerry; cat & mouse.mp4`: two of a phrase.
            let is_phrase = word == "cat" && rest[word.len()..].starts_with(" & ");
            !is_phrase
                && matches!(
                    word,
                    "id" | "ls"
                        | "cat"
                        | "sleep"
                        | "whoami"
                        | "curl"
                        | "wget"
                        | "ping"
                        | "nc"
                        | "rm"
                        | "bash"
                        | "sh"
                        | "php"
                        | "python"
                )
        })
}
