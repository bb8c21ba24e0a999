//! Line breaks and headers inside values, poisoned hosts, smuggled requests.

use super::Matcher::Check;
use super::signatures;
use crate::check::Check::{HeaderBreak, HostPoison, Smuggling};
use crate::rule::Sample::{Headers, Post, Value};

const BOTH: &[(&str, &str)] = &[("Content-Length", "4"), ("Transfer-Encoding", "chunked")];

signatures! {
    HEADER, HeaderInjection, attack: &["T1190"], owasp: Some("A05:2025");

    "wp.header.break" v 1, "Line break followed by a header", High 88, Any, gate &["\r", "\n", "%0d", "%0a", "\\r", "\\n", "\u{560a}", "\u{560d}"],
        Check(HeaderBreak),
        fires [Value("x\r\nSet-Cookie: a=b"), Value("en\nLocation: http://x.example/"), Value("a\r\n\r\n<html>"), Value("x%0d%0aX-Injected: 1"), Value("\u{560d}\u{560a}Set-Cookie:a=b"), Value("a@x.example\nBcc: b@x.example")],
        near [Value("first line\nsecond line"), Value("note:\nLocation of the house"), Value("Dear all,\n\nthanks: a lot")];
    "wp.header.host" v 1, "Host header that is not a host", Medium 78, Any, gate &[],
        Check(HostPoison),
        fires [Headers(&[("Host", "example.org:80@x.example")]), Headers(&[("Host", "example.org, x.example")]), Headers(&[("Host", "example.org"), ("X-Host", "x.example")]), Headers(&[("X-Forwarded-Host", "example.org\"><script>")])],
        near [Headers(&[("Host", "example.org:8443")]), Headers(&[("Host", "[2001:db8::1]:80")]), Headers(&[("Host", "app"), ("X-Forwarded-Host", "www.example.org")]), Value("x.example@y")];
    "wp.header.smuggling" v 1, "Request that two servers read differently", High 88, Any, gate &[],
        Check(Smuggling),
        fires [Post(BOTH, "0\r\n\r\nG"), Headers(&[("Transfer-Encoding", "xchunked")]), Headers(&[("Transfer-Encoding", "chunked, identity")]), Headers(&[("Content-Length", "+5")])],
        near [Headers(&[("Transfer-Encoding", "chunked")]), Headers(&[("Content-Length", "5")]), Headers(&[("Transfer-Encoding", "gzip, chunked")])];
}
