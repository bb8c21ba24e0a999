use super::*;

fn body(text: &str, content_type: &str) -> Vec<(String, String)> {
    let mut fields = Fields::default();
    fields.add_body(text, content_type);
    fields.take_long();
    fields.all.iter().map(|field| (field.name(), field.value.to_owned())).collect()
}

fn pairs(expect: &[(&str, &str)]) -> Vec<(String, String)> {
    expect.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn bodies_are_split_by_what_they_are() {
    for (text, content_type, expect) in [
        (
            "aa=xx&bb=yy",
            "application/x-www-form-urlencoded",
            &[("http.body.aa", "xx"), ("http.body.bb", "yy")][..],
        ),
        ("aa=xx&bb=yy", "", &[("http.body.aa", "xx"), ("http.body.bb", "yy")]),
        (
            "id=1/*&bb=yy&id=*%2F2",
            "",
            &[
                ("http.body.id", "1/*"),
                ("http.body.bb", "yy"),
                ("http.body.id", "*%2F2"),
                ("http.body.id", "1/*&bb=yy&id=*%2F2"),
            ],
        ),
        (
            "id=1+union&bb=yy&ID=select+1",
            "",
            &[
                ("http.body.id", "1+union"),
                ("http.body.bb", "yy"),
                ("http.body.ID", "select+1"),
                ("http.body.id", "1+union&bb=yy&ID=select+1"),
                ("http.body.id", "1+union&bb=yy&ID=select+1"),
            ],
        ),
        // Nothing of a statement in them, or nothing but words.
        ("id=a+bb&id=cc", "", &[("http.body.id", "a+bb"), ("http.body.id", "cc")]),
        ("id=select&id=union", "", &[("http.body.id", "select"), ("http.body.id", "union")]),
        (
            r#"{"a":{"bb":"x\"y"},"c":["dd"]}"#,
            "application/json",
            &[("http.body.bb", r#"x\"y"#), ("http.body.c", "dd")],
        ),
        (r#"{"a":"cut off"#, "", &[("http.body.a", "cut off")]),
        ("just text", "text/plain", &[("http.body", "just text")]),
        (
            "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.php\"\r\n\r\nhello\r\n--x--",
            "multipart/form-data; boundary=x",
            &[
                (
                    "http.body.file",
                    "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a.php\"\r\n\r\nhello",
                ),
                ("http.body.filename", "a.php"),
                ("http.body", "x--"),
            ],
        ),
        (
            "--x\r\nContent-Disposition: form-data; name=\"url\"\r\n\r\nhello\r\n--x--",
            "multipart/form-data; boundary=x",
            &[("http.body.url", "hello"), ("http.body", "x--")],
        ),
    ] {
        assert_eq!(body(text, content_type), pairs(expect), "body {text:?}");
    }
}

#[test]
fn a_short_value_between_long_ones_is_looked_at() {
    let prose = "The quick brown fox jumps over the lazy dog. ".repeat(8_000);
    let json = format!("{{\"t\":\"{prose}\",\"q\":\"needle\",\"z\":\"{prose}\"}}");
    let form = format!("t={prose}&q=needle&z={prose}");
    let xml = format!("<r><t>{prose}</t><q>needle</q><z>{prose}</z></r>");
    let part = |name: &str, text: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{text}\r\n")
    };
    let parts = format!("{}{}{}--x--", part("t", &prose), part("q", "needle"), part("z", &prose));
    for (text, content_type) in [
        (json, "application/json"),
        (form, "application/x-www-form-urlencoded"),
        (xml, "application/xml"),
        (parts, "multipart/form-data; boundary=x"),
    ] {
        let found = body(&text, content_type);
        assert!(
            found.iter().any(|(name, value)| name == "http.body.q" && value == "needle"),
            "{content_type}"
        );
        let n_bytes = found.iter().map(|(_, value)| value.len()).sum::<usize>();
        assert!(n_bytes <= BODY_BYTES_MAX, "{content_type}: {n_bytes}");
        let mut fields = Fields::default();
        fields.add_body(&text, content_type);
        fields.take_long();
        assert!(fields.n_dropped > 0, "{content_type}: says that it was cut");
    }
}

#[test]
fn the_tail_of_a_long_body_is_kept() {
    let text = format!("{}needle", "ü".repeat(400_000));
    let found = body(&text, "text/plain");
    assert!(found.iter().any(|(_, value)| value.ends_with("needle")), "tail is looked at");
    assert!(found.iter().map(|(_, value)| value.len()).sum::<usize>() < 300_000, "middle is left out");
}
