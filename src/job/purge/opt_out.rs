//! Newer opt-out signals: rows whose address is off-limits by now.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tamis_consent::opt_out::{OptOutRegistry, OptOutRules};

use crate::job::keys::{Key, KeyKind};
use crate::job::pack::Pack;
use crate::job::spec::{Spec, SpecResource};

use super::demand::{Demand, ProvRow, Wanted, holds_content};
use super::record::Withdrawal;

/// The rule of the policy that such a row fails.
const RULE: &str = "opt_out_disallowed";
/// A contract with the supplier goes before signals, as in the pack.
const CONTRACTED: &str = "commercial";
/// Addresses repeat: a site's pages share one, and a file is sorted by nothing. Bounded.
const MOST_REMEMBERED: usize = 1 << 16;

/// The opt-out signals of a registry at an instant.
pub struct OptOutNow {
    registry: Arc<OptOutRegistry>,
    rules: OptOutRules,
    at: i64,
    withdrawals: Vec<Withdrawal>,
    /// Whether `dropped/` holds the rows' content too.
    dropped_holds_rows: bool,
    answers: Mutex<HashMap<String, bool>>,
}

impl OptOutNow {
    /// Asks `registry` what is in force at an instant (microseconds UTC).
    pub fn new(
        registry: Arc<OptOutRegistry>,
        rules: OptOutRules,
        spec: &Spec,
        pack: Option<&Pack>,
        at: i64,
    ) -> Self {
        Self {
            registry,
            rules,
            at,
            withdrawals: vec![Withdrawal {
                rule: RULE.to_owned(),
                clause: pack.map_or_else(String::new, |pack| pack.clause(RULE).to_owned()),
                kind: KeyKind::Url.name().to_owned(),
                reason: "the site forbids the use by now".to_owned(),
                ..Withdrawal::default()
            }],
            dropped_holds_rows: spec.dropped == "rows",
            answers: Mutex::default(),
        }
    }

    fn is_disallowed(&self, url: &str) -> bool {
        // A thread that died left no half-written answer behind.
        let mut answers = self
            .answers
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(answer) = answers.get(url) {
            return *answer;
        }
        let check = self.registry.check(Some(url), self.at, &self.rules);
        let answer = check.verdict == "disallowed";
        if answers.len() >= MOST_REMEMBERED {
            answers.clear();
        }
        answers.insert(url.to_owned(), answer);
        answer
    }
}

impl Demand for OptOutNow {
    fn identity(&self) -> (&'static str, SpecResource) {
        ("opt_out", SpecResource::from(self.registry.identity()))
    }

    fn wanted(&self) -> Wanted<'_> {
        // A key is a hash of the whole address; the signals are about hosts and paths.
        Wanted::Every(KeyKind::Url)
    }

    fn concerns(&self, (kind, _): Key) -> bool {
        kind == KeyKind::Url
    }

    fn covers(&self, verdict: &str) -> bool {
        holds_content(verdict, self.dropped_holds_rows)
    }

    fn judge(&self, row: &ProvRow<'_>, found: &mut dyn FnMut(usize)) {
        if row.acquisition_mode == Some(CONTRACTED) {
            return;
        }
        if row.url.is_some_and(|url| self.is_disallowed(url)) {
            found(0);
        }
    }

    fn withdrawals(&self) -> &[Withdrawal] {
        &self.withdrawals
    }
}

#[cfg(test)]
mod tests {
    use tamis_consent::opt_out::{OptOutRegistryBuilder, SnapshotRow};
    use tamis_consent::signals::AgentList;

    use super::*;

    #[test]
    fn a_contract_goes_before_signals_and_a_row_without_an_address_stays() {
        let mut builder = OptOutRegistryBuilder::new("signals.csv");
        let row = SnapshotRow {
            url: "example.org",
            fetched_at: 1,
            kind: "robots.txt",
            status: Some(200),
            body: b"User-agent: *\nDisallow: /closed/\n",
            sha256: None,
        };
        builder.push(String::new, row).unwrap();
        let now = OptOutNow {
            registry: Arc::new(builder.finish("", "").unwrap()),
            rules: OptOutRules {
                agents: Arc::new(AgentList::builtin().clone()),
                max_age: 1000,
                also_at: None,
            },
            at: 10,
            withdrawals: Vec::new(),
            dropped_holds_rows: false,
            answers: Mutex::default(),
        };
        let leaves = |url: Option<&'static str>, mode: Option<&'static str>| {
            let row = ProvRow {
                row_id: "",
                subject_ref: None,
                text_sha256: None,
                url,
                consent_status: None,
                acquisition_mode: mode,
            };
            let mut left = false;
            now.judge(&row, &mut |_| left = true);
            left
        };
        let closed = Some("https://example.org/closed/1");
        assert!(leaves(closed, Some("self_collected")));
        assert!(leaves(closed, None));
        assert!(!leaves(closed, Some("commercial")));
        assert!(!leaves(Some("https://example.org/open/1"), None));
        assert!(!leaves(Some("https://elsewhere.example/"), None));
        assert!(!leaves(None, None));
        assert!(!now.covers("drop"));
    }
}
