//! Opt-out signals: what a site, a header or a document says about its use for training.
//!
//! Pure parsers, one module a signal, each to its specification. They take what was fetched
//! and never fetch. `None` means that there is no signal; input that is malformed counts as
//! the most restrictive reading of it.

mod c2pa;
mod headers;
mod html;
mod json;
mod rsl;
mod tdm;
mod url_pattern;

pub use c2pa::c2pa_training;
pub use headers::header_values;
pub use html::{HTML_LIMIT, HtmlSignals, html_signals};
pub use rsl::{rsl_allowed, rsl_permission};
pub use tdm::{Tdm, TdmRules, TdmVia, tdm, tdm_reserved};

/// What a signal says of a use, from the least to the most restrictive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// The use is allowed.
    Allowed,
    /// The use is allowed under conditions the signal names (a payment, a contact, a licence).
    Conditional,
    /// The use is not allowed.
    Disallowed,
}

impl Permission {
    /// `allowed`, `conditional` or `disallowed`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Conditional => "conditional",
            Self::Disallowed => "disallowed",
        }
    }
}
