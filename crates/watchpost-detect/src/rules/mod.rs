//! The rules that ship, as tables of data.
//!
//! A signature is a row: what it is called, the literals without which it cannot match (its gate), where it looks, how
//! it confirms, and the samples that prove it. To add one, add a row; the tests run over the tables.

mod behaviours;
mod cmdi;
mod csrf;
mod deserialization;
mod header;
mod java;
mod ldap;
mod nosqli;
mod php;
mod redirect;
mod rfi;
mod scanner;
mod sqli;
mod ssrf;
mod ssti;
mod traversal;
mod xss;
mod xxe;

use crate::check::Check;
use crate::rule::RuleInfo;
use crate::shell::ShellShape;
use crate::sql::Shape;

pub(crate) use behaviours::{BEHAVIOURS, Behaviour, Counted};

/// Where a signature looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every value.
    Any,
    /// Every value but user agents as browsers write them, whose grammar has parentheses and semicolons of its own.
    NotPlainAgent,
    /// The user agent.
    UserAgent,
    /// The request path.
    Path,
    /// A file of a multipart body, its head included.
    Part,
    /// What the application answered.
    Answer,
    /// The event's type.
    Kind,
}

/// How a signature confirms.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Matcher {
    /// A regular expression, case-insensitive, without Unicode classes.
    Regex(&'static str),
    /// A shape found by the SQL reader.
    Sql(Shape),
    /// A shape found by the reader of command lines.
    Shell(ShellShape),
    /// A named confirmer, which may look at the whole event.
    Check(Check),
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signature {
    pub(crate) info: &'static RuleInfo,
    /// Lower-case literals; a text without any of them is not looked at. Empty for shapes, which share a gate, and for
    /// checks that look at everything in their scope.
    pub(crate) gate: &'static [&'static str],
    pub(crate) scope: Scope,
    pub(crate) matcher: Matcher,
}

/// Makes one table of signatures: what the rows of a family share is said once.
macro_rules! signatures {
    (
        $table:ident, $family:ident, attack: $attack:expr, owasp: $owasp:expr;
        $($id:literal v $version:literal, $title:literal, $severity:ident $confidence:literal, $scope:ident, gate $gate:expr, $matcher:expr,
          fires [$($fires:expr),+ $(,)?], near [$($near:expr),+ $(,)?];)+
    ) => {
        pub(crate) static $table: &[$crate::rules::Signature] = &[$($crate::rules::Signature {
            info: &$crate::rule::RuleInfo {
                id: $id,
                version: $version,
                title: $title,
                family: watchpost_model::finding::AttackFamily::$family,
                severity: watchpost_model::event::Severity::$severity,
                confidence: $confidence,
                attack: $attack,
                owasp: $owasp,
                controls: $crate::rules::WEB_CONTROLS,
                fires: &[$($fires),+],
                near_misses: &[$($near),+],
            },
            gate: $gate,
            scope: $crate::rules::Scope::$scope,
            matcher: $matcher,
        }),+];
    };
}
pub(crate) use signatures;

/// Controls that a detected web attack is evidence for.
pub(crate) const WEB_CONTROLS: &[&str] =
    &["PCI DSS 10.4.1.1", "SOC 2 CC7.2", "ISO/IEC 27001 A.8.16", "GDPR Art. 32(1)(b)"];

/// All signatures, in a fixed order.
pub(crate) fn all_signatures() -> impl Iterator<Item = &'static Signature> {
    [
        sqli::SQLI,
        xss::XSS,
        traversal::TRAVERSAL,
        cmdi::CMDI,
        scanner::SCANNER,
        nosqli::NOSQLI,
        rfi::RFI,
        ssti::SSTI,
        ssti::JAVASCRIPT,
        php::PHP,
        java::JAVA,
        deserialization::DESERIALIZATION,
        xxe::XXE,
        ldap::LDAP,
        ssrf::SSRF,
        csrf::CSRF,
        header::HEADER,
        redirect::REDIRECT,
    ]
    .into_iter()
    .flatten()
}

/// Every rule, signatures first.
pub(crate) fn all() -> Vec<RuleInfo> {
    all_signatures()
        .map(|signature| signature.info)
        .chain(BEHAVIOURS.iter().map(|row| &row.info))
        .cloned()
        .collect()
}
