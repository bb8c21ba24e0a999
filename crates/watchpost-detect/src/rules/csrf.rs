//! Requests that another site made the browser send.

use super::Matcher::Check;
use super::signatures;
use crate::check::Check::{CsrfReport, ForeignForm, SessionFixation};
use crate::rule::Sample::{Headers, Kind, Post};

const FORM: &str = "application/x-www-form-urlencoded";

signatures! {
    CSRF, Csrf, attack: &["T1185", "T1190"], owasp: Some("A01:2025");

    "wp.csrf.reported" v 1, "Application refused an anti-forgery token", Medium 85, Kind, gate &["csrf", "xsrf", "forgery"],
        Check(CsrfReport),
        fires [Kind("csrf_failure"), Kind("csrf_token_mismatch"), Kind("invalid_xsrf_token"), Kind("csrf_violation")],
        near [Kind("csrf_token_issued"), Kind("login_failure"), Kind("csrf_check_passed")];
    "wp.csrf.origin" v 1, "Form sent from another site", Medium 70, Any, gate &["://"],
        Check(ForeignForm),
        fires [Post(&[("Host", "bank.example"), ("Origin", "https://x.test"), ("Content-Type", FORM)], "to=1&amount=5"), Post(&[("Host", "bank.example"), ("Referer", "http://x.test/a"), ("Content-Type", FORM)], "to=1"), Post(&[("Host", "bank.example"), ("Origin", "https://bank.example.x.test"), ("Content-Type", "multipart/form-data; boundary=x")], "--x")],
        near [Post(&[("Host", "www.bank.example"), ("Origin", "https://bank.example"), ("Content-Type", FORM)], "to=1"), Post(&[("Host", "bank.example"), ("Origin", "https://x.test"), ("Content-Type", "application/json")], "{}"), Headers(&[("Host", "bank.example"), ("Referer", "https://x.test/")])];
    "wp.csrf.fixation" v 1, "Session id that another site hands over", Medium 75, Any, gate &[],
        Check(SessionFixation),
        fires [Post(&[("Host", "shop.example"), ("Referer", "https://x.test/"), ("Content-Type", FORM)], "phpsessid=abc&user=a"), Post(&[("Host", "shop.example"), ("Referer", "https://x.test/"), ("Content-Type", FORM)], "jsessionid=1F2"), Post(&[("Host", "shop.example"), ("Referer", "https://x.test/"), ("Content-Type", FORM)], "connect.sid=s%3Aabc")],
        near [Post(&[("Host", "shop.example"), ("Referer", "https://shop.example/"), ("Content-Type", FORM)], "phpsessid=abc"), Headers(&[("Cookie", "PHPSESSID=abc")]), Post(&[("Host", "shop.example"), ("Referer", "https://x.test/"), ("Content-Type", FORM)], "session=morning")];
}
