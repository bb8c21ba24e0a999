use super::{
    Expr, Field, FieldName, Pattern, QUERY_CHARS_MAX, QUERY_DEPTH_MAX, Query, QueryFault, QueryProblem, Term,
    Test,
};

fn read(text: &str) -> Query {
    text.parse().unwrap_or_else(|fault: QueryFault| panic!("{text}: {fault}"))
}

fn refused(text: &str) -> QueryFault {
    text.parse::<Query>().expect_err(text)
}

#[test]
fn a_query_prints_as_it_is_understood() {
    for (text, expect) in [
        ("", ""),
        ("   ", ""),
        ("login", "login"),
        ("a b", "a b"),
        ("a AND b and c", "a b c"),
        ("a b or c", "a b or c"),
        ("a (b or c)", "a (b or c)"),
        ("not a -b", "-a -b"),
        ("-(a or b)", "-(a or b)"),
        ("\"union select\" x", "\"union select\" x"),
        (r#""say \"hi\"""#, r#""say \"hi\"""#),
        ("un*ion", "un*ion"),
        (r"50\*", "\"50*\""),
        ("status:>=500", "status:>=500"),
        ("status:>499", "status:>=500"),
        ("status: 404", "status:404"),
        ("status:400..499", "status:400..499"),
        ("bytes:..2000", "bytes:<=2000"),
        ("http.response.status_code:<400", "status:<=399"),
        ("severity:>=high", "severity:>=high"),
        ("severity:>high", "severity:critical"),
        ("severity:low..medium", "severity:low..medium"),
        ("Severity:HIGH", "severity:high"),
        ("category:Data_Access", "category:data_access"),
        ("outcome:(failure or unknown)", "outcome:failure or outcome:unknown"),
        ("user:(anna bob) x", "(user:anna or user:bob) x"),
        ("ip:203.0.113.9/24", "ip:203.0.113.0/24"),
        ("ip:2001:DB8:0::1", "ip:2001:db8::1"),
        ("ip:::ffff:192.0.2.1", "ip:192.0.2.1"),
        ("ip:203.0.*", "ip:203.0.*"),
        ("ip:build-host", "ip:build-host"),
        ("method:post", "method:POST"),
        ("type:Login_*", "type:login_*"),
        ("path:/../etc/passwd", "path:/../etc/passwd"),
        ("path:\"<script>\"", "path:\"<script>\""),
        ("path:\\<script\\>*", "path:\\<script>*"),
        ("user:*", "user:*"),
        ("header.X-Api-Key:*", "header.x-api-key:*"),
        ("details.order.id:77", "details.order.id:77"),
        ("at:2026-11-21", "at:2026-11-21T00:00:00.000Z..<2026-11-22T00:00:00.000Z"),
        ("at:>=2026-11-21T08:30", "at:>=2026-11-21T08:30:00.000Z"),
        ("at:>=2026-11-21T08:00+05:45", "at:>=2026-11-21T02:15:00.000Z"),
        ("at:2026-11-21T08:00-03:30", "at:2026-11-21T11:30:00.000Z..<2026-11-21T11:31:00.000Z"),
        ("at:2026-11-21T10:00:00+02:00", "at:2026-11-21T08:00:00.000Z..<2026-11-21T08:00:01.000Z"),
    ] {
        let query = read(text);
        assert_eq!(query.to_string(), expect, "{text}");
        assert_eq!(read(expect), query, "{text}: its print reads back");
    }
}

#[test]
fn a_fault_says_where_and_what_was_meant() {
    for (text, at, length, message, suggestion) in [
        ("statsu:500", 0, 6, "there is no field \"statsu\"", Some("status")),
        ("a usr:x", 2, 3, "there is no field \"usr\"", Some("user")),
        ("http://x", 0, 4, "there is no field \"http\"", None),
        ("status:abc", 7, 3, "\"abc\" is no value of status", None),
        ("status:5*", 7, 2, "status takes no wildcard", None),
        ("status:", 7, 0, "status needs a value", None),
        ("status:500..400", 7, 8, "this range ends before it begins", None),
        ("severity:>critical", 10, 8, "there is no severity in this range", None),
        ("severity:hihg", 9, 4, "\"hihg\" is no value of severity", None),
        ("severity:criticl", 9, 7, "\"criticl\" is no value of severity", Some("critical")),
        ("category:auth", 9, 4, "\"auth\" is no category", None),
        ("category:authent", 9, 7, "\"authent\" is no category", Some("authentication")),
        ("details.n:>5", 10, 1, "details.n is not compared by '>'", None),
        ("user:(anna <b)", 11, 1, "user is not compared by '<'", None),
        ("ip:>=203.0.113.7", 3, 1, "ip is not compared by '>'", None),
        ("category:>auth", 9, 1, "category is not compared by '>'", None),
        ("ip:203.0.113", 3, 9, "\"203.0.113\" is no address", None),
        ("ip:203.0.113.0/99", 3, 14, "\"203.0.113.0/99\" is no network", None),
        ("at:yesterday", 3, 9, "\"yesterday\" is no value of at", None),
        ("(a or b", 0, 1, "this bracket is not closed", None),
        ("a)", 1, 1, "this bracket closes nothing", None),
        ("user:(a", 5, 1, "this bracket is not closed", None),
        ("user:()", 5, 2, "there is no value in these brackets", None),
        ("()", 1, 0, "a condition is missing", None),
        ("a or", 4, 0, "a condition is missing", None),
        ("or a", 0, 2, "\"or\" needs a condition before and after it", None),
        ("a - b", 2, 1, "this minus takes nothing away", None),
        ("ä \"open", 2, 5, "this quotation has no end", None),
        ("details.a\u{e4}:1", 0, 0, "", None),
    ] {
        if message.is_empty() {
            // A name with a letter that fields do not have is text.
            assert_eq!(read(text).to_string(), format!("\"{text}\""));
            continue;
        }
        let fault = refused(text);
        assert_eq!((fault.at, fault.length, fault.message.as_str()), (at, length, message), "{text}");
        assert_eq!(fault.suggestion.as_deref(), suggestion, "{text}");
        assert!(fault.suggestion.is_some() || !fault.expected.is_empty() || at + length > 0, "{text}");
    }
}

#[test]
fn a_fault_says_what_is_wrong_in_values_too() {
    let text = |text: &str| text.to_owned();
    for (query, problem) in [
        ("statsu:500", QueryProblem::NoField { text: text("statsu") }),
        ("status:abc", QueryProblem::NoValue { field: text("status"), text: text("abc") }),
        ("category:auth", QueryProblem::NoWord { field: text("category"), text: text("auth") }),
        ("ip:>=203.0.113.7", QueryProblem::NotCompared { field: text("ip"), sign: text(">") }),
        ("a \"open", QueryProblem::NoEnd),
    ] {
        let fault = refused(query);
        assert_eq!(*fault.problem, problem, "{query}");
        assert_eq!(fault.message, problem.to_string(), "{query}");
    }
}

#[test]
fn size_is_bounded() {
    assert!(refused(&"x".repeat(QUERY_CHARS_MAX + 1)).message.contains("characters"));
    let nested = |n: usize| format!("{}a{}", "(".repeat(n), ")".repeat(n));
    read(&nested(QUERY_DEPTH_MAX));
    assert_eq!(refused(&nested(QUERY_DEPTH_MAX + 1)).message, "nested deeper than 32");
    read(&format!("{}a", "-".repeat(QUERY_DEPTH_MAX)));
    assert!(refused(&format!("{}a", "-".repeat(QUERY_DEPTH_MAX + 1))).message.contains("nested"));
    assert!(refused(&"a ".repeat(65)).message.contains("conditions"));
    read(&"a ".repeat(64));
}

#[test]
fn wildcards_stand_for_anything() {
    for (pattern, text, expect) in [
        ("a*c", "abc", true),
        ("a*c", "ac", true),
        ("a*c", "acd", false),
        ("*b*", "abc", true),
        ("a*a", "a", false),
        ("*", "", true),
        ("a*b*c", "a-bb-c", true),
        ("a*b*c", "a-c-b", false),
    ] {
        let Some(Expr::Term(Term::Text(read))) = read(pattern).expr().cloned() else { panic!("{pattern}") };
        assert_eq!(read.matches(text), expect, "{pattern} on {text}");
    }
    assert!(Pattern::of(vec![String::new(), String::new()]).is_everything());
}

#[test]
fn every_field_can_be_asked_for() {
    for name in FieldName::ALL {
        let query = read(&format!("{name}:*"));
        assert_eq!(query.expr(), Some(&Expr::Term(Term::Field(Field::Named(*name), Test::Given))), "{name}");
    }
}

#[test]
fn the_page_for_people_names_every_field() {
    let page = include_str!("../../../../docs/search.md");
    for name in FieldName::ALL {
        let listed = page.lines().any(|line| line.starts_with('|') && line.contains(&format!("`{name}`")));
        assert!(listed, "docs/search.md has no line about {name}");
    }
}
