//! Server-side request forgery.

use super::Matcher::Check;
use super::signatures;
use crate::check::Check::{SsrfCallback, SsrfInternal, SsrfMetadata, SsrfScheme};
use crate::rule::Sample::{Param, Value};

signatures! {
    SSRF, Ssrf, attack: &["T1190", "T1552.005"], owasp: Some("A01:2025");

    "wp.ssrf.metadata" v 1, "Cloud metadata address", Critical 95, Any, gate &[],
        Check(SsrfMetadata),
        fires [Value("http://169.254.169.254/latest/meta-data/"), Value("http://0xA9FEA9FE/"), Value("http://metadata.google.internal/computeMetadata/v1/"), Value("http://[::ffff:a9fe:a9fe]/"), Value("http://[fd00:ec2::254]/latest/"), Param("url", "100.100.100.200/latest/")],
        near [Value("169.254.169.254"), Value("http://169.255.169.254/"), Value("http://metadata.example.org/"), Value("http://1.2.169.254/")];
    "wp.ssrf.internal" v 1, "Internal address", High 88, Any, gate &[],
        Check(SsrfInternal),
        fires [Value("http://127.0.0.1:6379/"), Value("http://2130706433/"), Value("http://0177.0.0.1/"), Value("http://[::1]/admin"), Value("http://localtest.me/"), Value("http://a.example@10.0.0.1/"), Param("url", "localhost/"), Param("webhook", "192.168.0.1:8080")],
        near [Value("127.0.0.1"), Value("http://localhost.example.org/"), Value("http://172.32.0.1/"), Value("2130706433"), Param("url", "https://example.org/?ip=127.0.0.1"), Param("redirect_uri", "http://127.0.0.1:51004/callback")];
    "wp.ssrf.scheme" v 1, "Scheme that reaches other services", High 85, Any, gate &["://", "jar:", "netdoc:"],
        Check(SsrfScheme),
        fires [Value("gopher://127.0.0.1:6379/_INFO"), Value("dict://x.example:11211/stat"), Value("jar:http://x.example/a.jar!/b"), Param("url", "file:///etc/hosts")],
        near [Value("https://example.org/gopher"), Value("the gopher: a rodent"), Value("ssh://git@example.org/a.git")];
    "wp.ssrf.callback" v 1, "Service that records who asks it", High 88, Any, gate &["burpcollab", "oast", "interact", "dnslog.cn", "ceye.io", "bxss.me", "xss.ht", "requestrepo", "zhack.ca", "r87.me"],
        Check(SsrfCallback),
        fires [Value("http://abc123.oastify.com/"), Value("https://x.oast.fun"), Param("host", "q1.burpcollaborator.net")],
        near [Value("https://toast.fun/bread"), Value("http://example.org/oastify.com"), Value("oastify.com explained")];
}
