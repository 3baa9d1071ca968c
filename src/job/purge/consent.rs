//! A newer consent registry: rows whose consent was in force and no longer is.

use std::collections::{HashMap, HashSet};

use datafusion::prelude::SessionContext;
use tamis_consent::{ConsentRegistry, ConsentStatus, SubjectKey};
use tamis_functions::table::{Column, Kind, Row, read_rows};

use crate::job::error::{JobError, Result};
use crate::job::keys::{Key, KeyKind};
use crate::job::pack::Pack;
use crate::job::spec::{Spec, SpecResource};

use super::demand::{Demand, ProvRow, Wanted};
use super::record::Withdrawal;

/// Statuses under which a row may be used.
const IN_FORCE: [&str; 3] = ["granted", "separate", "guardian"];
/// Rules by what a consent has become, in the order of the withdrawals.
const RULES: [(&str, &str); 4] = [
    ("consent_withdrawn", "consent withdrawn"),
    ("consent_refused", "consent refused"),
    ("consent_expired", "consent expired"),
    ("consent_missing", "no consent on record any more"),
];
const MISSING: usize = 3;

/// The consent of every subject of a registry at an instant, by subject ref. Ids are hashed while the
/// table is read and are not in it.
pub struct ConsentNow {
    identity: SpecResource,
    /// By ref: `None` is in force, else the index into [`RULES`].
    statuses: HashMap<u128, Option<u8>>,
    in_force: HashSet<u64>,
    not_in_force: HashSet<u64>,
    withdrawals: Vec<Withdrawal>,
    /// Whether `dropped/` holds the rows' content too.
    dropped_holds_rows: bool,
}

impl ConsentNow {
    /// Judges every subject of `registry`, which was loaded from `uri`, for the purpose of the job at
    /// an instant (microseconds UTC).
    pub async fn load(
        ctx: &SessionContext,
        uri: &str,
        registry: &ConsentRegistry,
        key: &SubjectKey,
        spec: &Spec,
        pack: Option<&Pack>,
        at: i64,
    ) -> Result<Self> {
        let columns = [Column::required("subject_id", Kind::Text)];
        let mut statuses = HashMap::new();
        let mut each = |row: &Row<'_>| {
            // An empty id was refused when the registry was loaded.
            if let Some(id) = row.text(0) {
                let status = registry.decide(Some(id), &spec.purpose, at).status;
                if let Some(reference) = parse(&key.subject_ref(id)) {
                    statuses.insert(reference, rule_of(status));
                }
            }
            Ok(())
        };
        let summary = read_rows(ctx, "consent", uri, &columns, &mut each).await?;
        if summary.sha256 != registry.identity().sha256 {
            return Err(JobError::failed(format!(
                "{uri}: the registry changed while it was read. Run again"
            )));
        }
        let prefix = |reference: &u128| u64::try_from(reference >> 64).unwrap_or_default();
        let prefixes = |in_force: bool| {
            statuses
                .iter()
                .filter(|(_, rule)| rule.is_none() == in_force)
                .map(|(reference, _)| prefix(reference))
                .collect::<HashSet<u64>>()
        };
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
        Ok(Self {
            identity: SpecResource::from(registry.identity()),
            in_force: prefixes(true),
            not_in_force: prefixes(false),
            statuses,
            withdrawals,
            dropped_holds_rows: spec.dropped == "rows",
        })
    }
}

fn parse(reference: &str) -> Option<u128> {
    u128::from_str_radix(reference, 16)
        .ok()
        .filter(|_| reference.len() == 32)
}

fn rule_of(status: ConsentStatus) -> Option<u8> {
    match status {
        ConsentStatus::Granted | ConsentStatus::Separate | ConsentStatus::Guardian => None,
        ConsentStatus::Withdrawn => Some(0),
        ConsentStatus::Refused => Some(1),
        ConsentStatus::Expired => Some(2),
        ConsentStatus::Missing => Some(3),
    }
}

impl Demand for ConsentNow {
    fn identity(&self) -> (&'static str, SpecResource) {
        ("consent", self.identity.clone())
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
        // `dropped/` names rows to account for them; it holds nobody's text unless told to.
        verdict != "drop" || self.dropped_holds_rows
    }

    fn judge(&self, row: &ProvRow<'_>, found: &mut dyn FnMut(usize)) {
        if !row
            .consent_status
            .is_some_and(|status| IN_FORCE.contains(&status))
        {
            return;
        }
        let status = row
            .subject_ref
            .and_then(parse)
            .and_then(|reference| self.statuses.get(&reference));
        match status {
            Some(None) => {}
            Some(Some(rule)) => found(usize::from(*rule)),
            None => found(MISSING),
        }
    }

    fn withdrawals(&self) -> &[Withdrawal] {
        &self.withdrawals
    }
}
