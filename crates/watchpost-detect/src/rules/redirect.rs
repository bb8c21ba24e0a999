//! Open redirects.

use super::Matcher::Check;
use super::signatures;
use crate::check::Check::{RedirectAway, RedirectTrick};
use crate::rule::Sample::{Headers, Param};

signatures! {
    REDIRECT, Redirect, attack: &["T1566.002"], owasp: Some("A01:2025");

    "wp.redirect.trick" v 1, "Redirect that looks local and is not", High 88, Any, gate &["/", "\\", ":", "@"],
        Check(RedirectTrick),
        fires [Param("next", "//x.example/"), Param("redirect", "/\\x.example"), Param("url", "https:x.example"), Param("return", "javascript:alert(1)"), Param("goto", "http://example.org@x.example/"), Param("next", "////x.example"), Param("returnUrl", "/%09/x.example")],
        near [Param("next", "/account//settings"), Param("redirect", "https://example.org/a"), Param("return", "a@b.example"), Param("q", "//comment")];
    "wp.redirect.away" v 1, "Redirect to another site", Medium 65, Any, gate &["://"],
        Check(RedirectAway),
        fires [Param("next", "https://x.example/"), Param("redirect_to", "http://evil.test/a"), Param("returnUrl", "https://x.example")],
        near [Headers(&[("Host", "www.example.org"), ("Referer", "https://example.net/?next=https://x.example/")]), Param("next", "/home"), Param("q", "https://x.example/"), Param("redirect_uri", "https://client.example/cb")];
}
