//! A policy as a table: every licence, what it allows and what each use makes of it.

use spdx::flags::IS_DEPRECATED;
use spdx::identifiers::LICENSES;

use super::terms::{Permission, Terms};
use super::{LicensePolicy, Verdict};
use crate::expression::{Expression, License};
use crate::names::Name;
use crate::parse::{self, Reading};

/// What a policy says of one licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The SPDX id, or a `LicenseRef-…` that the policy names.
    pub id: String,
    /// The title of the SPDX list; of a reference its id.
    pub name: String,
    /// Whether SPDX deprecates the id.
    pub deprecated: bool,
    /// What SPDX names in place of a deprecated id; the policy judges that. `None` for current
    /// ids and for the deprecated ones without a successor.
    pub successor: Option<String>,
    /// The name of the rule that decides; `None` when the policy has none.
    pub rule: Option<String>,
    /// Commercial use; `None` where the rule is for review or there is none.
    pub commercial: Option<Permission>,
    /// Making derivatives.
    pub derivatives: Option<Permission>,
    /// AI training.
    pub ai_training: Option<Permission>,
    /// What the licence asks for or keeps back, sorted, by the names [`super::Check`] uses.
    pub duties: Vec<&'static str>,
    /// The verdict for each use of the policy, sorted by use.
    pub uses: Vec<UseRow>,
}

/// What a policy says of one licence for one use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UseRow {
    /// The use, as [`LicensePolicy::uses`] names it.
    pub use_case: String,
    /// The verdict.
    pub verdict: Verdict,
    /// Why.
    pub reason: String,
}

impl LicensePolicy {
    /// What the policy says of every licence of the SPDX list, deprecated ids included, in the
    /// list's order, and then of every `LicenseRef-…` the policy names, sorted.
    pub fn rows(&self) -> impl Iterator<Item = Row> + '_ {
        let listed = LICENSES
            .iter()
            .filter(|license| crate::license_id(license.name).is_some())
            .map(|license| (license.name, license.full_name, license.flags));
        let mut references: Vec<&str> = self
            .exact
            .keys()
            .map(String::as_str)
            .filter(|name| name.starts_with("LicenseRef-"))
            .collect();
        references.sort_unstable();
        let references = references.into_iter().map(|name| (name, name, 0));
        listed
            .chain(references)
            .map(|(id, name, flags)| self.row(id, name, flags & IS_DEPRECATED != 0))
    }

    fn row(&self, id: &str, name: &str, deprecated: bool) -> Row {
        let expression = match parse::read(id) {
            Reading::Named(Name::Expression(expression)) => Some(expression),
            _ => None,
        };
        let rule = expression.as_ref().and_then(|expression| match expression {
            Expression::Term(term) => match &term.license {
                License::Listed { id, .. } => self.rule(id),
                License::Reference(reference) => self.rule(reference),
            },
            // No id stands for several licences.
            Expression::And(_) | Expression::Or(_) => None,
        });
        let statement = rule.and_then(|(_, terms)| match terms {
            Terms::Stated(statement) => Some(statement),
            Terms::Review(_) => None,
        });
        let uses = self.uses.iter().map(|(use_case, case)| {
            let judged = expression
                .as_ref()
                .map_or_else(super::Judged::nothing, |e| self.judge(e, use_case, case));
            UseRow {
                use_case: use_case.clone(),
                verdict: judged.verdict,
                reason: judged.reason(),
            }
        });
        Row {
            id: id.to_owned(),
            name: name.to_owned(),
            deprecated,
            successor: expression
                .as_ref()
                .map(Expression::to_string)
                .filter(|shown| deprecated && shown != id),
            rule: rule.map(|(name, _)| name.clone()),
            commercial: statement.map(|statement| statement.commercial),
            derivatives: statement.map(|statement| statement.derivatives),
            ai_training: statement.map(|statement| statement.ai_training),
            duties: rule.map_or_else(Vec::new, |(_, terms)| terms.obligations()),
            uses: uses.collect(),
        }
    }
}
