//! What a licence policy says of a raw licence string.

mod file;
mod rows;
mod terms;

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use tamis_resource::{Identity, ResourceError, Result, nearest};

use crate::creative_commons;
use crate::expression::{Expression, License, Term};
use crate::names::Name;
use crate::parse::{self, Reading};
use terms::{Terms, Use};

pub use rows::{Row, UseRow};
pub use terms::Permission;

/// What a policy says of one licence for one use.
///
/// The order is that of a conjunction: `deny < missing < review < allow`. `a AND b` is the least
/// of both and `a OR b` the greatest: a part that is denied settles an AND whatever is unknown
/// beside it, and a part that is unknown is never better than one a person has to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// The licence forbids the use, or reserves all rights.
    Deny,
    /// No licence is stated, or nobody can tell which.
    Missing,
    /// A person has to decide.
    Review,
    /// The licence allows the use, with the obligations of the check.
    Allow,
}

impl Verdict {
    /// `allow`, `review`, `deny` or `missing`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Review => "review",
            Self::Deny => "deny",
            Self::Missing => "missing",
        }
    }
}

/// The answer of [`LicensePolicy::check`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// The SPDX expression the raw string names, as [`crate::license_id`] gives it; `None` if it
    /// names none.
    pub spdx: Option<String>,
    /// The verdict; never `Allow` where `spdx` is `None`.
    pub verdict: Verdict,
    /// Why, in one short sentence. Names licences and families, never the raw string.
    pub reason: String,
    /// What the use owes, sorted: `attribution`, `field-of-use`, `network-disclosure`,
    /// `no-derivatives`, `non-commercial`, `notice`, `share-alike`, `source-disclosure`. Of an OR
    /// those of the branch that decided, of an AND those of all its parts; empty where the
    /// verdict is `Deny` or `Missing`.
    pub obligations: Vec<String>,
}

/// A licence policy: what licences allow and what uses need. See `data/policy.toml` for the
/// format; it is exported whole as [`LicensePolicy::BUILTIN_TOML`].
#[derive(Debug, Clone)]
pub struct LicensePolicy {
    identity: Identity,
    uses: BTreeMap<String, Use>,
    /// Rules and their names.
    rules: Vec<(String, Terms)>,
    /// Licence id or reference to its rule.
    exact: HashMap<String, usize>,
    /// Family prefixes and their rules, longest first.
    prefixes: Vec<(String, usize)>,
}

const BUILTIN_URI: &str = "builtin:license_policy";
/// Names of licences in a reason; the rest is counted.
const MAX_REASONS: usize = 3;
/// SPDX ids are shorter than this; a reference may be any length and is not repeated then.
const MAX_SHOWN_NAME: usize = 80;

impl LicensePolicy {
    /// The built-in policy's text.
    pub const BUILTIN_TOML: &'static str = include_str!("../data/policy.toml");

    /// The policy that judges unless another is set.
    pub fn builtin() -> Arc<Self> {
        static BUILTIN: OnceLock<Arc<LicensePolicy>> = OnceLock::new();
        Arc::clone(BUILTIN.get_or_init(|| {
            let policy = Self::from_toml(BUILTIN_URI, Self::BUILTIN_TOML);
            Arc::new(policy.unwrap_or_else(|error| panic!("{error}")))
        }))
    }

    /// Reads a policy. It stands alone: nothing of the built-in one is added to it.
    ///
    /// # Errors
    /// [`ResourceError::Malformed`] with the line or key of what is not TOML, an unknown or
    /// missing key, an unknown permission or duty, a policy without uses, a licence that two
    /// rules name, or a name that is no current SPDX id, `LicenseRef-…` or `PREFIX*`.
    pub fn from_toml(uri: &str, text: &str) -> Result<Self> {
        file::read(uri, text)
    }

    /// Which policy this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// The names of the uses this policy judges, sorted.
    pub fn uses(&self) -> Vec<&str> {
        self.uses.keys().map(String::as_str).collect()
    }

    /// Judges a raw licence string for one use. `None`, a blank string and one that names no
    /// licence are `Missing`; a family without its version is `Review`.
    ///
    /// # Errors
    /// [`ResourceError::UnknownName`] when the policy has no such use.
    pub fn check(&self, raw: Option<&str>, use_case: &str) -> Result<Check> {
        let Some(case) = self.uses.get(use_case) else {
            return Err(ResourceError::UnknownName {
                kind: "use",
                name: use_case.to_owned(),
                known: self.uses().join(", "),
                nearest: nearest(use_case, self.uses()).map(str::to_owned),
            });
        };
        let Some(raw) = raw else {
            return Ok(unnamed(Verdict::Missing, "no licence is stated"));
        };
        Ok(match parse::read(raw) {
            Reading::Named(Name::Expression(expression)) => {
                let judged = self.judge(&expression, use_case, case);
                Check {
                    spdx: Some(expression.to_string()),
                    verdict: judged.verdict,
                    reason: judged.reason(),
                    obligations: judged.obligations.into_iter().map(str::to_owned).collect(),
                }
            }
            Reading::Named(Name::Family(family)) => unnamed(
                Verdict::Review,
                format!("raw names the {family} family but no version"),
            ),
            Reading::Named(Name::Reserved) => unnamed(Verdict::Deny, "raw reserves all rights"),
            Reading::Blank | Reading::Named(Name::Unasserted) => {
                unnamed(Verdict::Missing, "no licence is stated")
            }
            Reading::Unknown => unnamed(Verdict::Missing, "raw names no known licence"),
            Reading::TooLong => unnamed(
                Verdict::Missing,
                format!(
                    "raw is longer than {} bytes and was not read",
                    parse::MAX_BYTES
                ),
            ),
            Reading::Control => unnamed(Verdict::Missing, "raw holds control characters"),
        })
    }

    fn judge(&self, expression: &Expression, use_case: &str, case: &Use) -> Judged {
        match expression {
            Expression::Term(term) => self.judge_term(term, use_case, case),
            Expression::And(operands) => {
                let mut parts = operands
                    .iter()
                    .map(|operand| self.judge(operand, use_case, case));
                let first = parts.next();
                parts.fold(first.unwrap_or_else(Judged::nothing), Judged::and)
            }
            Expression::Or(operands) => operands
                .iter()
                .map(|operand| self.judge(operand, use_case, case))
                .max_by(Judged::compare)
                .unwrap_or_else(Judged::nothing),
        }
    }

    fn judge_term(&self, term: &Term, use_case: &str, case: &Use) -> Judged {
        let shown = term.to_string();
        let shown = if shown.len() <= MAX_SHOWN_NAME {
            shown.as_str()
        } else {
            "a licence reference"
        };
        let (name, listed) = match &term.license {
            License::Listed { id, .. } => (*id, true),
            License::Reference(reference) => (reference.as_str(), false),
        };
        // An addition nobody has read may add limits as well as permissions.
        if term
            .exception
            .as_ref()
            .is_some_and(|exception| exception.starts_with("AdditionRef-"))
        {
            return Judged::new(
                Verdict::Review,
                "the policy has no reading of the addition to a licence".to_owned(),
            );
        }
        match self.rule(name) {
            Some((_, terms)) => {
                let (verdict, why) = terms.judge(case);
                let reason = match why {
                    Some(why) => format!("{shown}: {why}"),
                    None => format!("{shown} allows {use_case}"),
                };
                let obligations = match verdict {
                    Verdict::Allow | Verdict::Review => terms.obligations(),
                    Verdict::Deny | Verdict::Missing => Vec::new(),
                };
                Judged {
                    verdict,
                    reasons: vec![reason],
                    obligations,
                }
            }
            None if listed => Judged::new(
                Verdict::Review,
                format!("{shown}: the policy has no rule for this licence"),
            ),
            // Whatever somebody calls LicenseRef: its terms are unknown, and its name may be
            // anything, so it is not repeated.
            None => Judged::new(
                Verdict::Missing,
                "the policy has no rule for a licence reference".to_owned(),
            ),
        }
    }

    /// The rule for a licence id or reference. A family holds only what there is: anybody can
    /// write a reference that begins like one of ours.
    fn rule(&self, name: &str) -> Option<&(String, Terms)> {
        let rule = self.exact.get(name).or_else(|| {
            if creative_commons::is_invented(name) {
                return None;
            }
            self.prefixes
                .iter()
                .find(|(prefix, _)| name.starts_with(prefix.as_str()))
                .map(|(_, rule)| rule)
        })?;
        self.rules.get(*rule)
    }
}

fn unnamed(verdict: Verdict, reason: impl Into<String>) -> Check {
    Check {
        spdx: None,
        verdict,
        reason: reason.into(),
        obligations: Vec::new(),
    }
}

/// The verdict of a part of an expression; reasons and obligations sorted, each once.
#[derive(Debug, PartialEq, Eq)]
struct Judged {
    verdict: Verdict,
    reasons: Vec<String>,
    obligations: Vec<&'static str>,
}

impl Judged {
    fn new(verdict: Verdict, reason: String) -> Self {
        Self {
            verdict,
            reasons: vec![reason],
            obligations: Vec::new(),
        }
    }

    fn nothing() -> Self {
        Self::new(Verdict::Missing, "no licence is stated".to_owned())
    }

    /// All of both has to be kept; the worse verdict and the reasons for it.
    fn and(mut self, mut other: Self) -> Self {
        match self.verdict.cmp(&other.verdict) {
            Ordering::Less => {}
            Ordering::Greater => self.reasons = other.reasons,
            Ordering::Equal => merge(&mut self.reasons, &mut other.reasons),
        }
        self.verdict = self.verdict.min(other.verdict);
        if self.verdict >= Verdict::Review {
            merge(&mut self.obligations, &mut other.obligations);
        } else {
            self.obligations.clear();
        }
        self
    }

    /// Which of two branches to take: the better verdict, then fewer obligations, then the
    /// alphabet, so that the order of an OR does not matter.
    fn compare(&self, other: &Self) -> Ordering {
        self.verdict
            .cmp(&other.verdict)
            .then_with(|| other.obligations.len().cmp(&self.obligations.len()))
            .then_with(|| other.obligations.cmp(&self.obligations))
            .then_with(|| other.reasons.cmp(&self.reasons))
    }

    fn reason(&self) -> String {
        let shown = self.reasons.len().min(MAX_REASONS);
        let mut reason = self.reasons[..shown].join("; ");
        if self.reasons.len() > shown {
            reason.push_str(&format!("; and {} more", self.reasons.len() - shown));
        }
        reason
    }
}

fn merge<T: Ord>(into: &mut Vec<T>, from: &mut Vec<T>) {
    into.append(from);
    into.sort_unstable();
    into.dedup();
}
