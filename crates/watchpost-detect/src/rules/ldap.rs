//! LDAP filter injection.

use super::Matcher::Regex;
use super::signatures;
use crate::rule::Sample::Value;

signatures! {
    LDAP, Ldap, attack: &["T1190", "T1087.002"], owasp: Some("A05:2025");

    "wp.ldap.filter" v 1, "LDAP filter that closes or opens a condition", High 88, Any, gate &[")(", ") (", "(|", "(&", "(!", "*)", "( |", "( &", "objectclass", "\\2a", "\\28", "(uid", "(cn", "(mail", "userpassword"],
        Regex(r#"\*\s*\)\s*\(\s*(?:[|&!]|[\w.;-]{1,40}\s*[~<>]?=|$)|\)\s*\(\s*[|&!]\s*(?:\(|$|\))|^\W*\w{0,40}\)\s*\(\s*[|&!]|[(]\s*[|&]\s*\(\s*[\w.;-]{1,40}\s*[~<>]?=|\)\s*\(\s*[\w-]{1,40}\s*[~<>]?=\s*(?:\*|\))|\(\s*!\s*\(\s*[&|]?\s*\(?\s*\w+\s*=|\(\s*(?:objectclass|objectcategory|uid|cn|userpassword|samaccountname|memberof|givenname|distinguishedname|useraccountcontrol|mail)\s*[~<>]?=\s*(?:\*|[\w@.-]+\*?\s*\))|\*\s*\(\s*[|&]|\*\){2,}\s*(?:[;\x00]|%00|$)|\)\){2,}\s*\(\|?|\\2a\\29\\28|\(\(\s*[|&]?\s*userpassword"#),
        fires [Value("*)(uid=*))(|(uid=*"), Value("admin)(&(password=*))"), Value("*(|(mail=*))"), Value("(&(objectClass=user)(cn=*))"), Value("admin*)((|userpassword=*)"), Value(")(cn=))")],
        near [Value("f(x)(y)"), Value("(a | b) and (c & d)"), Value("see (1)(2)"), Value("a * (b)"), Value("$($x:expr)*)($y)")];
    "wp.ldap.wildcard" v 1, "Value made of the signs of an LDAP filter", Medium 80, Any, gate &["*"],
        Regex(r#"^\w{0,20}(?:\*[()|&][()*|&!%';\x00\s]*|[(!&|]*\(\*\)[()*|&!\s]+)$|^\*\){1,}[);\s\x00]*(?:%00)?$|^(?:admin|administrator|root|manager|user)\*$|^\*\|$"#),
        fires [Value("*)(&"), Value("(*)*)"), Value("*()|&'"), Value("admin*"), Value("*|")],
        near [Value("*"), Value("**bold**"), Value("a*b"), Value("*.txt"), Value("f(*)")];
}
