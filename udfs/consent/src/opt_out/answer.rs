//! What is answered.

use std::borrow::Cow;

use crate::signals::Permission;

use super::digest::Sha256Hex;

/// What a registry says of a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOutCheck {
    /// `allowed`, `disallowed`, `conditional` or `unknown`.
    pub verdict: &'static str,
    /// All evidence that was found, the most restrictive first; of equal ones those of the site
    /// before those of the page.
    pub signals: Vec<OptOutSignal>,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptOutSignal {
    /// `robots.txt`, `content-usage`, `content-signal`, `x-robots-tag`, `meta-robots`,
    /// `tdmrep`, `rsl`, `ai.txt` or `c2pa`.
    pub signal: &'static str,
    /// What it says, such as `disallow: GPTBot` or `train-ai=n`.
    pub value: Cow<'static, str>,
    /// When the snapshot it stands in was fetched, microseconds UTC.
    pub fetched_at: i64,
    /// The SHA-256 of that snapshot's body, 64 hexadecimal digits.
    pub sha256: Sha256Hex,
}

/// From the least to the most restrictive. Unknown is above allowed: one place that nobody
/// could read is enough to be unsure. It is below conditional: a restriction that is known is
/// not softened by what is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Allowed,
    Unknown,
    Conditional,
    Disallowed,
}

impl Level {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Unknown => "unknown",
            Self::Conditional => "conditional",
            Self::Disallowed => "disallowed",
        }
    }

    pub(super) fn of(allowed: bool) -> Self {
        if allowed {
            Self::Allowed
        } else {
            Self::Disallowed
        }
    }
}

impl From<Permission> for Level {
    fn from(permission: Permission) -> Self {
        match permission {
            Permission::Allowed => Self::Allowed,
            Permission::Conditional => Self::Conditional,
            Permission::Disallowed => Self::Disallowed,
        }
    }
}

impl OptOutCheck {
    pub(super) fn unknown() -> Self {
        Self {
            verdict: Level::Unknown.as_str(),
            signals: Vec::new(),
        }
    }
}

/// The answers of a batch, in the order of its questions. Their signals lie in one piece, so
/// that an answer takes no allocation of its own.
#[derive(Debug, Default)]
pub struct OptOutAnswers {
    /// Each verdict, and where its signals end; they begin where those of the answer before end.
    answers: Vec<(&'static str, usize)>,
    signals: Vec<OptOutSignal>,
}

impl OptOutAnswers {
    /// How many answers there are.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether there is no answer.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// Drops all answers and keeps the memory for others.
    pub fn clear(&mut self) {
        self.answers.clear();
        self.signals.clear();
    }

    /// Each verdict with its signals, see [`OptOutCheck`].
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &[OptOutSignal])> {
        let mut start = 0;
        self.answers.iter().map(move |&(verdict, end)| {
            let signals = &self.signals[start..end];
            start = end;
            (verdict, signals)
        })
    }

    pub(super) fn reserve(&mut self, more: usize) {
        self.answers.reserve(more);
        self.signals.reserve(more);
    }

    /// Adds an answer: `judge` appends its signals and gives its level.
    pub(super) fn push(&mut self, judge: impl FnOnce(&mut Vec<OptOutSignal>) -> Level) {
        let level = judge(&mut self.signals);
        self.answers.push((level.as_str(), self.signals.len()));
    }
}
