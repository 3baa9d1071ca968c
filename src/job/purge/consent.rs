//! A newer consent registry: rows whose consent was in force and no longer is.

use std::collections::HashSet;
use std::sync::Arc;

use tamis_consent::{AskedPurpose, ConsentRegistry, ConsentStatus, SubjectHash};

use crate::job::keys::{Key, KeyKind};
use crate::job::pack::Pack;
use crate::job::spec::{Spec, SpecResource};

use super::demand::{Demand, ProvRow, Wanted, holds_content};
use super::record::Withdrawal;

/// Rules by what a consent has become, in the order of the withdrawals.
const RULES: [(&str, &str); 4] = [
    ("consent_withdrawn", "consent withdrawn"),
    ("consent_refused", "consent refused"),
    ("consent_expired", "consent expired"),
    ("consent_missing", "no consent on record any more"),
];
const MISSING: usize = 3;

/// The consents of a registry at an instant, by subject ref.
pub struct ConsentNow {
    registry: Arc<ConsentRegistry>,
    purpose: AskedPurpose,
    at: i64,
    /// Of the subjects by the key of the indexes; two subjects may share one.
    in_force: HashSet<u64>,
    not_in_force: HashSet<u64>,
    withdrawals: Vec<Withdrawal>,
    /// Whether `dropped/` holds the rows' content too.
    dropped_holds_rows: bool,
}

impl ConsentNow {
    /// Judges every subject of `registry`, which knows its subjects by the key of the output, for the
    /// purpose of the job at an instant (microseconds UTC).
    pub fn new(registry: Arc<ConsentRegistry>, spec: &Spec, pack: Option<&Pack>, at: i64) -> Self {
        let purpose = registry.purpose(&spec.purpose);
        let (mut in_force, mut not_in_force) = (HashSet::new(), HashSet::new());
        for subject in registry.each_subject() {
            let status = registry.decide_for(subject, purpose, at).status;
            let prefixes = match rule_of(status) {
                None => &mut in_force,
                Some(_) => &mut not_in_force,
            };
            prefixes.insert(subject.prefix());
        }
        let withdrawals = RULES
            .iter()
            .map(|(rule, reason)| Withdrawal {
                rule: (*rule).to_owned(),
                clause: pack.map_or_else(String::new, |pack| pack.clause(rule).to_owned()),
                kind: KeyKind::Subject.name().to_owned(),
                reason: (*reason).to_owned(),
                ..Withdrawal::default()
            })
            .collect();
        Self {
            registry,
            purpose,
            at,
            in_force,
            not_in_force,
            withdrawals,
            dropped_holds_rows: spec.dropped == "rows",
        }
    }
}

/// The rule a row is taken out under, as an index into [`RULES`]; `None` when consent is in force.
fn rule_of(status: ConsentStatus) -> Option<usize> {
    match status {
        ConsentStatus::Granted | ConsentStatus::Separate | ConsentStatus::Guardian => None,
        ConsentStatus::Withdrawn => Some(0),
        ConsentStatus::Refused => Some(1),
        ConsentStatus::Expired => Some(2),
        ConsentStatus::Missing => Some(MISSING),
    }
}

impl Demand for ConsentNow {
    fn identity(&self) -> (&'static str, SpecResource) {
        ("consent", SpecResource::from(self.registry.identity()))
    }

    fn wanted(&self) -> Wanted<'_> {
        // A subject that the registry no longer names cannot be looked up by its key.
        Wanted::Every(KeyKind::Subject)
    }

    fn concerns(&self, (kind, key): Key) -> bool {
        kind == KeyKind::Subject
            && (!self.in_force.contains(&key) || self.not_in_force.contains(&key))
    }

    fn covers(&self, verdict: &str) -> bool {
        holds_content(verdict, self.dropped_holds_rows)
    }

    fn judge(&self, row: &ProvRow<'_>, found: &mut dyn FnMut(usize)) {
        if !row
            .consent_status
            .and_then(ConsentStatus::from_name)
            .is_some_and(ConsentStatus::is_in_force)
        {
            return;
        }
        let status = row
            .subject_ref
            .and_then(SubjectHash::from_subject_ref)
            .map_or(ConsentStatus::Missing, |subject| {
                self.registry
                    .decide_for(subject, self.purpose, self.at)
                    .status
            });
        if let Some(rule) = rule_of(status) {
            found(rule);
        }
    }

    fn withdrawals(&self) -> &[Withdrawal] {
        &self.withdrawals
    }
}
