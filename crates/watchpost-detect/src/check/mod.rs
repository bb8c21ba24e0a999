//! Named confirmers: what a regular expression cannot decide.

mod address;
mod forgery;
mod include;
mod jndi;
mod leak;
mod page;
mod ssrf;
mod token;
mod upload;
mod web;

use std::cell::OnceCell;
use std::ops::Range;

use watchpost_model::event::Event;

use crate::fields::Field;

pub use token::{KeyError, KeyKind, SECRET_BYTES_ADVISED, SECRET_BYTES_MIN, TokenKeys};

/// What a check may look at besides the text.
pub(crate) struct Context<'a> {
    pub(crate) event: &'a Event,
    pub(crate) field: &'a Field<'a>,
    pub(crate) keys: &'a TokenKeys,
    /// The problems of the text's tokens, worked out when the first rule asks.
    tokens: OnceCell<Vec<(token::Problem, Range<usize>)>>,
    /// Whether the key says that a server fetches what the value names, worked out when the first rule asks.
    is_fetched: OnceCell<bool>,
}

impl<'a> Context<'a> {
    /// For one text: a layer of `field`.
    pub(crate) const fn new(event: &'a Event, field: &'a Field<'a>, keys: &'a TokenKeys) -> Self {
        Self { event, field, keys, tokens: OnceCell::new(), is_fetched: OnceCell::new() }
    }

    fn token(&self, text: &str, problem: token::Problem) -> Option<Range<usize>> {
        let problems = self.tokens.get_or_init(|| token::problems(text, self));
        problems.iter().find(|(found, _)| *found == problem).map(|(_, range)| range.clone())
    }

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

/// One function a problem of tokens.
macro_rules! token_checks {
    ($($name:ident = $problem:ident),+ $(,)?) => {
        $(fn $name(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
            context.token(text, token::Problem::$problem)
        })+
    };
}

token_checks! {
    token_no_algorithm = NoAlgorithm,
    token_confusion = Confusion,
    token_key_name = KeyName,
    token_foreign_key = ForeignKey,
    token_critical = Critical,
    token_malformed = Malformed,
    token_out_of_time = OutOfTime,
}

/// Missing, or not one of the configured keys'.
fn token_no_signature(text: &str, context: &Context<'_>) -> Option<Range<usize>> {
    context.token(text, token::Problem::NoSignature).or_else(|| context.token(text, token::Problem::Forged))
}

checks! {
    SsrfMetadata = "ssrf_metadata" => ssrf::metadata,
    SsrfInternal = "ssrf_internal" => ssrf::internal,
    SsrfName = "ssrf_name" => ssrf::single_label,
    SsrfScheme = "ssrf_scheme" => ssrf::scheme,
    SsrfCallback = "ssrf_callback" => ssrf::callback,
    Jndi = "jndi" => jndi::find,
    RedirectTrick = "redirect_trick" => web::redirect_trick,
    RedirectAway = "redirect_away" => web::redirect_away,
    RemoteFile = "remote_file" => include::remote_file,
    HeaderBreak = "header_break" => web::header_break,
    InternalHeader = "internal_header" => web::internal_header,
    HostPoison = "host_poison" => web::host_poison,
    Smuggling = "smuggling" => web::smuggling,
    CsrfReport = "csrf_report" => forgery::csrf_report,
    ForeignForm = "foreign_form" => forgery::foreign_form,
    CrossSite = "cross_site" => forgery::cross_site,
    SessionFixation = "session_fixation" => forgery::session_fixation,
    TokenNoAlgorithm = "token_no_algorithm" => token_no_algorithm,
    TokenNoSignature = "token_no_signature" => token_no_signature,
    TokenConfusion = "token_confusion" => token_confusion,
    TokenKeyName = "token_key_name" => token_key_name,
    TokenForeignKey = "token_foreign_key" => token_foreign_key,
    TokenCritical = "token_critical" => token_critical,
    TokenMalformed = "token_malformed" => token_malformed,
    TokenOutOfTime = "token_out_of_time" => token_out_of_time,
    UploadName = "upload_name" => upload::bad_name,
    UploadShell = "upload_shell" => upload::web_shell,
    UploadPolyglot = "upload_polyglot" => upload::polyglot,
    UploadActive = "upload_active" => upload::active,
    UploadMismatch = "upload_mismatch" => upload::mismatch,
    UploadBomb = "upload_bomb" => upload::bomb,
    UploadSlip = "upload_slip" => upload::slip,
    UploadMacros = "upload_macros" => upload::macros,
    UploadValue = "upload_value" => upload::value,
    FileName = "file_name" => upload::plain_name,
    HarmlessMarkup = "harmless_markup" => page::harmless,
    HarmlessDrawing = "harmless_drawing" => page::harmless_drawing,
    GraphQl = "graphql" => page::graphql,
    NoOperator = "no_operator" => page::no_operator,
    CardNumber = "card_number" => leak::card_number,
}
