//! Inclusion of files of other servers.

use super::Matcher::Check;
use super::signatures;
use crate::check::Check::RemoteFile;
use crate::rule::Sample::{Param, Value};

signatures! {
    RFI, Rfi, attack: &["T1190", "T1105"], owasp: Some("A05:2025");

    "wp.rfi.include" v 1, "File of another server where a local one is expected", High 86, Any, gate &["tp:", "tps:", "tp%3a", "tps%3a", "\\\\", "tp?", "tps?", "file?", "file:", "tp://", "jar:"],
        Check(RemoteFile),
        fires [Param("page", "http://x.example/shell.txt?"), Param("_CONF[path]", "https://x.example"), Value("http://66.240.183.75/crash.php"), Value("http://x.example/r57.txt%00"), Param("template", "ftp://x.example/a.inc"), Value("https://foo.bar?")],
        near [Param("url", "https://example.org/webhook"), Value("see http://example.org/a.php for more"), Param("page", "about"), Value("https://example.org/search?q=a")];
}
