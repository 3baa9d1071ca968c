//! Opt-out signals: what a site, a header or a document says about its use for training.
//!
//! Pure parsers, one module a signal, each to its specification. They take what was fetched
//! and never fetch. `None` means that there is no signal; input that is malformed counts as
//! the most restrictive reading of it.

mod agents;
mod ai_txt;
mod c2pa;
mod content_signal;
mod content_usage;
mod dictionary;
mod headers;
mod html;
mod json;
mod lines;
mod path;
mod robots;
mod robots_parse;
mod robots_tag;
mod rsl;
mod tdm;
mod url_pattern;

pub use agents::{AGENT_COLUMNS, AgentList, AgentPurpose, ListedAgent};
pub(crate) use ai_txt::AiTxt;
pub use ai_txt::ai_txt_allowed;
pub use c2pa::c2pa_training;
pub use content_signal::content_signal;
pub use content_usage::content_usage;
pub use headers::header_values;
pub use html::{HTML_LIMIT, HtmlSignals, html_signals};
pub(crate) use path::Target;
pub(crate) use robots::FlatRobots;
pub use robots::{AgentsApart, Robots, Rule, Said, robots_allowed};
pub use robots_tag::{TaggedContent, robots_tag, robots_tag_allowed};
pub(crate) use rsl::Rsl;
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
