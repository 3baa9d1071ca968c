//! What is wrong or remarkable about a consent registry, without stopping at the first fault.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use tamis_resource::Result;

use crate::builder::{ConsentOptions, ConsentRow, Dictionaries};
use crate::intake::{Intake, Taken, read_error};
use crate::purpose_hierarchy::PurposeHierarchy;
use crate::record::{Grant, Record, RecordKind};

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConsentFindingKind {
    /// The row cannot be read. The registry does not load.
    Malformed,
    /// The `record_id` stands in an earlier row with other values, so nobody knows which of
    /// them holds. The registry does not load.
    ReusedRecordId,
    /// A grant given at the very instant of a refusal or withdrawal that speaks for its
    /// purpose, or beside a refusal without an instant. The refusal or withdrawal wins.
    Contradictory,
    /// A grant without `granted_at`: it never counts.
    Undated,
    /// A grant that no guardian gave, for somebody who may be under 14: it never counts.
    MinorWithoutGuardian,
    /// The purpose is not in the hierarchy. It counts as one directly under `any`; a
    /// mistyped one speaks for nothing that is asked.
    UnknownPurpose,
    /// The row repeats an earlier one in every value. It counts once.
    Repeated,
    /// Withdrawn at or before the instant of the check.
    Withdrawn,
    /// A grant, not withdrawn, whose `expires_at` is at or before the instant of the check.
    Expired,
}

impl ConsentFindingKind {
    /// All kinds, the gravest first.
    pub const ALL: [Self; 9] = [
        Self::Malformed,
        Self::ReusedRecordId,
        Self::Contradictory,
        Self::Undated,
        Self::MinorWithoutGuardian,
        Self::UnknownPurpose,
        Self::Repeated,
        Self::Withdrawn,
        Self::Expired,
    ];

    /// The name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::ReusedRecordId => "reused_record_id",
            Self::Contradictory => "contradictory",
            Self::Undated => "undated",
            Self::MinorWithoutGuardian => "minor_without_guardian",
            Self::UnknownPurpose => "unknown_purpose",
            Self::Repeated => "repeated",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }

    /// Whether a registry with such a row does not load.
    pub fn is_error(self) -> bool {
        matches!(self, Self::Malformed | Self::ReusedRecordId)
    }
}

/// One row that a finding is about. It never names the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentExample {
    /// For a malformed row the location its reader gave; otherwise `record N`, counting the
    /// rows from 1.
    pub location: String,
    /// The row's own id; `None` for a malformed row, whose columns may be mixed up.
    pub record_id: Option<String>,
    /// What is remarkable.
    pub detail: String,
}

/// All rows of one kind of finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentFinding {
    /// What they have in common.
    pub kind: ConsentFindingKind,
    /// How many rows.
    pub count: u64,
    /// The first of them.
    pub examples: Vec<ConsentExample>,
}

/// What a [`ConsentCheck`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsentCheckReport {
    /// How many rows there were, the malformed ones too.
    pub rows: u64,
    /// How many subjects the rows that could be read are about.
    pub subjects: u64,
    /// One for every kind, in the order of [`ConsentFindingKind::ALL`], also when its count
    /// is 0.
    pub findings: Vec<ConsentFinding>,
}

impl ConsentCheckReport {
    /// How many rows a kind has.
    pub fn count(&self, kind: ConsentFindingKind) -> u64 {
        let finding = self.findings.iter().find(|finding| finding.kind == kind);
        finding.map_or(0, |finding| finding.count)
    }

    /// Whether the registry loads: no finding is an error.
    pub fn loads(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.count == 0 || !finding.kind.is_error())
    }
}

/// Takes the rows of a registry and lists what is wrong or remarkable about them.
///
/// A registry is built fail-closed: it stops at the first malformed row and refuses a record
/// id with two meanings. This goes on and reports them all.
#[derive(Debug)]
pub struct ConsentCheck {
    uri: String,
    hierarchy: PurposeHierarchy,
    as_of: i64,
    found: Found,
    intake: Intake,
}

impl ConsentCheck {
    /// Checks the table `uri` as of an instant (microseconds UTC) and keeps at most
    /// `examples` rows of each kind. With a `directory` the rows are kept in unnamed files
    /// there instead of in memory.
    ///
    /// # Errors
    /// [`tamis_resource::ResourceError::Read`] when no file can be made in `directory`.
    pub fn new(
        uri: &str,
        options: ConsentOptions<'_>,
        as_of: i64,
        examples: usize,
        directory: Option<&Path>,
    ) -> Result<Self> {
        let hasher = options.hasher();
        let intake = match directory {
            None => Intake::in_memory(hasher),
            Some(directory) => Intake::in_files(hasher, directory)
                .map_err(|error| read_error(&directory.display().to_string(), &error))?,
        };
        Ok(Self {
            uri: uri.to_owned(),
            hierarchy: options.hierarchy(),
            as_of,
            found: Found {
                most: examples,
                kinds: BTreeMap::new(),
            },
            intake,
        })
    }

    /// Takes a row, whatever it holds. `location` is called only for a malformed one that
    /// becomes an example.
    pub fn push(&mut self, location: impl FnOnce() -> String, row: ConsentRow<'_>) {
        let number = self.intake.count + 1;
        if let Err(detail) = self.intake.push(&row) {
            self.intake.count = number;
            self.found
                .add(ConsentFindingKind::Malformed, number, || ConsentExample {
                    location: location(),
                    record_id: None,
                    detail,
                });
        }
    }

    /// Compares the rows with each other and gives the report.
    ///
    /// # Errors
    /// [`tamis_resource::ResourceError::Read`] when a temporary file fails.
    pub fn finish(mut self) -> Result<ConsentCheckReport> {
        let uri = std::mem::take(&mut self.uri);
        let read = |error| read_error(&uri, &error);
        let rows = self.intake.count;
        for shared in self.intake.shared_ids(false).map_err(read)? {
            let first = shared.first();
            for (number, is_same) in &shared.rows[1..] {
                let (kind, detail) = if *is_same {
                    let detail = format!("repeats record {first}");
                    (ConsentFindingKind::Repeated, detail)
                } else {
                    let detail = format!("stands in record {first} with other values");
                    (ConsentFindingKind::ReusedRecordId, detail)
                };
                self.found.add(kind, *number, || {
                    example(*number, &shared.record_id, detail)
                });
            }
        }
        let mut subjects = 0;
        let mut of_subject = OfSubject::new(&self.intake, &self.hierarchy, self.as_of);
        let found = &mut self.found;
        self.intake
            .drain_subjects(|_, rows| {
                subjects += 1;
                of_subject.check(rows, found);
                Ok(())
            })
            .map_err(read)?;
        Ok(ConsentCheckReport {
            rows,
            subjects,
            findings: self.found.into_findings(),
        })
    }
}

fn example(number: u64, record_id: &[u8], detail: String) -> ConsentExample {
    ConsentExample {
        location: format!("record {number}"),
        record_id: Some(String::from_utf8_lossy(record_id).into_owned()),
        detail,
    }
}

/// Counts rows by kind and keeps the first ones of each.
#[derive(Debug)]
struct Found {
    most: usize,
    kinds: BTreeMap<ConsentFindingKind, (u64, BTreeMap<u64, ConsentExample>)>,
}

impl Found {
    fn add(
        &mut self,
        kind: ConsentFindingKind,
        number: u64,
        example: impl FnOnce() -> ConsentExample,
    ) {
        let (count, examples) = self.kinds.entry(kind).or_default();
        *count += 1;
        let is_early = examples
            .last_key_value()
            .is_none_or(|(last, _)| number < *last);
        if examples.len() < self.most || (self.most > 0 && is_early) {
            examples.insert(number, example());
            if examples.len() > self.most {
                examples.pop_last();
            }
        }
    }

    fn into_findings(mut self) -> Vec<ConsentFinding> {
        ConsentFindingKind::ALL
            .into_iter()
            .map(|kind| {
                let (count, examples) = self.kinds.remove(&kind).unwrap_or_default();
                ConsentFinding {
                    kind,
                    count,
                    examples: examples.into_values().collect(),
                }
            })
            .collect()
    }
}

/// The checks on the rows of one subject.
struct OfSubject {
    as_of: i64,
    dictionaries: Dictionaries,
    /// The intake's numbers of purposes as the dictionary's, and whether each is known.
    purposes: Vec<(u32, bool)>,
    under_fourteen: Vec<Option<bool>>,
    /// What speaks against: by its instant (`None`: always) and purpose, the row's number.
    against: HashMap<(Option<i64>, u32), (u64, &'static str)>,
}

impl OfSubject {
    fn new(intake: &Intake, hierarchy: &PurposeHierarchy, as_of: i64) -> Self {
        let dictionaries = Dictionaries::of(intake, hierarchy);
        let (numbers, _) = dictionaries.numbers(intake);
        let known = intake.purposes.iter().map(|name| hierarchy.contains(name));
        Self {
            as_of,
            purposes: numbers.into_iter().zip(known).collect(),
            dictionaries,
            under_fourteen: intake.under_fourteen.clone(),
            against: HashMap::new(),
        }
    }

    fn check(&mut self, rows: &[Taken<'_>], found: &mut Found) {
        let mut records: Vec<(&[u8], u64, Record<'_>)> = rows
            .iter()
            .map(|row| (row.bytes, row.number, row.record()))
            .collect();
        if records.len() > 1 {
            // Repeated rows are a finding of their own; the first one stands for them.
            records.sort_unstable_by_key(|(bytes, number, _)| (*bytes, *number));
            records.dedup_by_key(|(bytes, ..)| *bytes);
        }
        let band = |record: &Record<'_>| self.under_fourteen[record.age_band as usize];
        let somewhere_a_child = records
            .iter()
            .any(|(.., record)| band(record) == Some(true));
        self.against.clear();
        for (_, number, record) in &records {
            let (purpose, _) = self.purposes[record.purpose as usize];
            let mut add = |instant, what| {
                self.against
                    .entry((instant, purpose))
                    .or_insert((*number, what));
            };
            if record.grant == Grant::Refused {
                add(record.granted_at, "refusal");
            }
            if record.withdrawn_at.is_some() {
                add(record.withdrawn_at, "withdrawal");
            }
        }
        for (_, number, record) in &records {
            let is_child =
                self.under_fourteen[record.age_band as usize].unwrap_or(somewhere_a_child);
            for (kind, detail) in self.findings(record, is_child) {
                found.add(kind, *number, || example(*number, record.record_id, detail));
            }
        }
    }

    fn findings(
        &self,
        record: &Record<'_>,
        is_child: bool,
    ) -> impl Iterator<Item = (ConsentFindingKind, String)> {
        let is_grant = record.grant == Grant::Granted;
        let by_then = |time: Option<i64>| time.is_some_and(|time| time <= self.as_of);
        let (_, is_known) = self.purposes[record.purpose as usize];
        let withdrawn = by_then(record.withdrawn_at);
        let expired = is_grant && !withdrawn && by_then(record.expires_at);
        let minor = is_grant && is_child && record.kind != RecordKind::Guardian;
        let undated = is_grant && record.granted_at.is_none();
        let against = if is_grant { self.against(record) } else { None };
        let plain = |holds: bool, kind, detail: &str| holds.then(|| (kind, detail.to_owned()));
        [
            against.map(|detail| (ConsentFindingKind::Contradictory, detail)),
            plain(
                undated,
                ConsentFindingKind::Undated,
                "grant without granted_at",
            ),
            plain(
                minor,
                ConsentFindingKind::MinorWithoutGuardian,
                "granted for somebody who may be under 14, not by a guardian",
            ),
            plain(
                !is_known,
                ConsentFindingKind::UnknownPurpose,
                "the purpose is not in the hierarchy",
            ),
            plain(withdrawn, ConsentFindingKind::Withdrawn, "withdrawn"),
            plain(expired, ConsentFindingKind::Expired, "expired"),
        ]
        .into_iter()
        .flatten()
    }

    /// What speaks against a grant at its own instant.
    fn against(&self, grant: &Record<'_>) -> Option<String> {
        if self.against.is_empty() {
            return None;
        }
        let (purpose, _) = self.purposes[grant.purpose as usize];
        let chain = self.dictionaries.purposes.chain(purpose);
        let always = chain
            .iter()
            .find_map(|above| self.against.get(&(None, *above)));
        if let Some((number, _)) = always {
            return Some(format!("record {number} is a refusal without an instant"));
        }
        let granted_at = grant.granted_at?;
        let (number, what) = chain
            .iter()
            .find_map(|above| self.against.get(&(Some(granted_at), *above)))?;
        Some(format!("record {number} is a {what} at the same instant"))
    }
}

#[cfg(test)]
mod tests;
