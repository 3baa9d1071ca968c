//! The manifests of an output, back to the first: what left, when and why, and whether it all adds up.

use std::collections::{BTreeSet, HashMap};

use crate::job::error::{JobError, Result};
use crate::job::manifest::{self, Manifest, ManifestUnit, number_of};
use crate::job::output::Output;
use crate::job::provenance::row_id;
use crate::job::receipt::{ClearReceipt, OutputFile};
use crate::job::verify::Check;

use super::record::{PurgeRecord, SUPERSEDED, Withdrawal};

/// All manifests but the current one, and every row that has left.
#[derive(Debug)]
pub struct History {
    /// Oldest first.
    earlier: Vec<Manifest>,
    /// By row id: the manifest whose purge it left with (an index; `earlier.len()` is the current one).
    left: HashMap<String, usize>,
}

/// How a row left.
#[derive(Debug)]
pub struct Departure<'a> {
    /// The manifest that committed it.
    pub manifest: &'a str,
    /// The purge.
    pub purge: &'a PurgeRecord,
    /// Every withdrawal that names the row.
    pub withdrawals: Vec<&'a Withdrawal>,
}

impl History {
    /// Reads the manifests before `current`, each by the digest its successor holds.
    pub async fn read(output: &Output, current: &Manifest) -> Result<Self> {
        let mut earlier: Vec<Manifest> = Vec::new();
        let mut next = current;
        while let Some(previous) = &next.previous {
            let expected = number_of(&next.stored.path).map(|number| number - 1);
            if number_of(&previous.path) != expected || next.purge.is_none() {
                return Err(JobError::failed(format!(
                    "{}: does not follow on {}",
                    output.uri(&next.stored.path),
                    previous.path
                )));
            }
            let read =
                manifest::read_as(output, &previous.path, &previous.sha256, &next.stored.path);
            earlier.push(read.await?);
            next = &earlier[earlier.len() - 1];
        }
        if next.stored.path != manifest::FIRST {
            return Err(JobError::failed(format!(
                "{}: names no manifest before it, and is not the first",
                output.uri(&next.stored.path)
            )));
        }
        earlier.reverse();
        let mut left = HashMap::new();
        for (index, manifest) in earlier.iter().chain([current]).enumerate() {
            let withdrawals = manifest.purge.iter().flat_map(|purge| &purge.withdrawals);
            for row in withdrawals.flat_map(|withdrawal| &withdrawal.rows) {
                left.entry(row.clone()).or_insert(index);
            }
        }
        Ok(Self { earlier, left })
    }

    /// The earlier manifests as objects.
    pub fn objects(&self) -> impl Iterator<Item = &OutputFile> {
        self.earlier.iter().map(|manifest| &manifest.stored)
    }

    /// The manifest the job itself committed.
    pub fn first<'a>(&'a self, current: &'a Manifest) -> &'a Manifest {
        self.earlier.first().unwrap_or(current)
    }

    /// How a row left. `None` when no purge names it.
    pub fn departure<'a>(&'a self, current: &'a Manifest, row: &str) -> Option<Departure<'a>> {
        let manifest = self.earlier.get(*self.left.get(row)?).unwrap_or(current);
        let purge = manifest.purge.as_ref()?;
        Some(Departure {
            manifest: &manifest.stored.path,
            purge,
            withdrawals: purge
                .withdrawals
                .iter()
                .filter(|withdrawal| withdrawal.rows.iter().any(|named| named == row))
                .collect(),
        })
    }

    /// Whether the purges add up. `None` when there was none.
    pub fn check(&self, output: &Output, current: &Manifest) -> Option<Check> {
        let mut problems = Vec::new();
        let all: Vec<&Manifest> = self.earlier.iter().chain([current]).collect();
        for (index, pair) in all.windows(2).enumerate() {
            let [before, after] = pair else { continue };
            let mut wrong = |what: String| {
                problems.push(format!("{}: {what}", output.uri(&after.stored.path)));
            };
            let Some(purge) = &after.purge else { continue };
            let named: BTreeSet<&String> = purge
                .withdrawals
                .iter()
                .flat_map(|withdrawal| &withdrawal.rows)
                .collect();
            let again = named
                .iter()
                .filter(|row| self.left.get(**row) != Some(&(index + 1)))
                .count();
            if again > 0 {
                wrong(format!("{again} rows had left before"));
            }
            if named.len() as u64 != purge.rows
                || purge.verdicts.values().sum::<u64>() != purge.rows
            {
                wrong(format!(
                    "says that {} rows left and names {}",
                    purge.rows,
                    named.len()
                ));
            }
            if after.purged != before.purged + purge.rows
                || after.rows_in != before.rows_in
                || after.job != before.job
            {
                wrong("its counts do not follow on the manifest before it".to_owned());
            }
            let old: BTreeSet<&str> = before.objects().map(|file| file.path.as_str()).collect();
            let new: BTreeSet<&str> = after.objects().map(|file| file.path.as_str()).collect();
            for file in &purge.superseded {
                if !old.contains(file.path.as_str()) || new.contains(file.path.as_str()) {
                    wrong(format!("{} is not superseded by it", file.path));
                }
            }
        }
        let known: BTreeSet<(&str, &str)> = all
            .iter()
            .filter_map(|manifest| manifest.purge.as_ref())
            .flat_map(|purge| &purge.superseded)
            .map(|file| (file.path.as_str(), file.sha256.as_str()))
            .collect();
        for file in &current.kept {
            let original = file
                .path
                .strip_prefix(SUPERSEDED)
                .and_then(|name| name.trim_start_matches('/').split_once('/'));
            if !original.is_some_and(|(_, path)| known.contains(&(path, file.sha256.as_str()))) {
                problems.push(format!(
                    "{}: kept, but no purge superseded it",
                    output.uri(&file.path)
                ));
            }
        }
        let units: u64 = current.units.iter().map(|unit| unit.purged).sum();
        if units != current.purged || self.left.len() as u64 != current.purged {
            problems.push(format!(
                "{}: {} rows left, its units say {units}, the purges name {}",
                output.uri(&current.stored.path),
                current.purged,
                self.left.len()
            ));
        }
        (!self.earlier.is_empty()).then(|| Check {
            name: "purges".into(),
            detail: format!(
                "{} rows left in {} purges, each named with its reason; {} superseded objects kept",
                current.purged,
                self.earlier.len(),
                current.kept.len()
            ),
            problems,
        })
    }

    /// Adds the rows of a unit that have left to those its files hold. Gives what is wrong: a row that
    /// is still there, or one that went without a purge.
    pub fn add_left(
        &self,
        unit: &ManifestUnit,
        receipt: &ClearReceipt,
        rows: &mut Vec<i64>,
    ) -> Vec<String> {
        let mut problems = Vec::new();
        if receipt.purged.len() as u64 != unit.purged {
            problems.push(format!(
                "unit {}: its receipt says that {} rows left, the manifest says {}",
                unit.name,
                receipt.purged.len(),
                unit.purged
            ));
        }
        let there: BTreeSet<i64> = if receipt.purged.is_empty() {
            BTreeSet::new()
        } else {
            rows.iter().copied().collect()
        };
        for row in &receipt.purged {
            if there.contains(row) {
                problems.push(format!(
                    "unit {}: input row {row} has left and is still in a file",
                    unit.name
                ));
            } else if !self.left.contains_key(&row_id(&receipt.input, *row)) {
                problems.push(format!(
                    "unit {}: input row {row} went away without a purge",
                    unit.name
                ));
            }
        }
        problems.truncate(20);
        rows.extend(&receipt.purged);
        problems
    }
}
