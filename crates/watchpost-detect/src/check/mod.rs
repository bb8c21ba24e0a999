//! Named confirmers: what a regular expression cannot decide.

mod address;
mod jndi;
mod ssrf;
mod web;

use std::ops::Range;

use watchpost_model::event::Event;

use crate::fields::Field;

/// What a check may look at besides the text.
pub(crate) struct Context<'a> {
    pub(crate) event: &'a Event,
    pub(crate) field: &'a Field<'a>,
    pub(crate) keys: &'a TokenKeys,
}

impl Context<'_> {
    /// The parameter, header or member that the text is the value of; empty where there is none.
    pub(crate) fn key(&self) -> &str {
        self.field.key.as_deref().unwrap_or("")
    }

    /// A request header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.event.http.as_ref()?.headers.get(name).map(String::as_str)
    }
}

/// Declares the checks: variant, name in rule files, function.
macro_rules! checks {
    ($($variant:ident = $name:literal => $function:path),+ $(,)?) => {
        /// A named confirmer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Check { $(#[doc = $name] $variant),+ }

        impl Check {
            /// Every check, for rule files that name them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in rule files.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The part of `text` that confirms.
            pub(crate) fn run(self, text: &str, context: &Context<'_>) -> Option<Range<usize>> {
                match self { $(Self::$variant => $function(text, context)),+ }
            }
        }
    };
}

checks! {
    SsrfMetadata = "ssrf_metadata" => ssrf::metadata,
    SsrfInternal = "ssrf_internal" => ssrf::internal,
    SsrfScheme = "ssrf_scheme" => ssrf::scheme,
    SsrfCallback = "ssrf_callback" => ssrf::callback,
    Jndi = "jndi" => jndi::find,
    RedirectTrick = "redirect_trick" => web::redirect_trick,
    RedirectAway = "redirect_away" => web::redirect_away,
    RemoteFile = "remote_file" => web::remote_file,
    HeaderBreak = "header_break" => web::header_break,
    HostPoison = "host_poison" => web::host_poison,
    Smuggling = "smuggling" => web::smuggling,
    CsrfReport = "csrf_report" => web::csrf_report,
    ForeignForm = "foreign_form" => web::foreign_form,
    SessionFixation = "session_fixation" => web::session_fixation,
}

/// Keys that check the signatures of tokens; empty until configured.
#[derive(Debug, Default)]
pub struct TokenKeys {}
