//! The consent registry: many records, compact, looked up by subject.

use std::collections::HashMap;
use std::fmt;
use std::iter;

use tamis_resource::Identity;

use crate::decide::{Decision, decide};
use crate::record::Record;

/// The purpose that stands for every purpose, interned first.
pub(crate) const ANY: u32 = 0;

/// About this many records share one slot of the directory.
const RECORDS_PER_SLOT: usize = 8;

/// A subject as the registry knows it: 128 bits of BLAKE3 of the id's bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SubjectHash {
    high: u64,
    low: u64,
}

impl SubjectHash {
    /// Hashes an id exactly as given (no trimming, no folding).
    pub fn of(subject: &str) -> Self {
        let hash = blake3::hash(subject.as_bytes());
        let half = |from: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&hash.as_bytes()[from..from + 8]);
            u64::from_be_bytes(bytes)
        };
        Self {
            high: half(0),
            low: half(8),
        }
    }
}

// The hash has no key: whoever sees it can try ids.
impl fmt::Debug for SubjectHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SubjectHash(..)")
    }
}

/// A purpose looked up once for many decisions, see [`ConsentRegistry::purpose`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedPurpose {
    /// `None`: no record names it, only the wildcard speaks for it.
    index: Option<u32>,
    is_blank: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Names {
    index: HashMap<Box<str>, u32>,
}

impl Names {
    pub(crate) fn get(&self, name: &str) -> Option<u32> {
        self.index.get(name).copied()
    }

    pub(crate) fn intern(&mut self, name: &str) -> u32 {
        if let Some(index) = self.get(name) {
            return index;
        }
        let index = self.index.len() as u32;
        self.index.insert(name.into(), index);
        index
    }
}

/// Where a record lies; sorted by subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) subject: SubjectHash,
    pub(crate) offset: u64,
}

/// Narrows a search to a few entries by the first bits of the subject.
pub(crate) struct Directory {
    /// Slot `i` ends where slot `i + 1` begins.
    starts: Vec<u32>,
    shift: u32,
}

impl Directory {
    pub(crate) fn new(entries: &[Entry]) -> Self {
        let slots = (entries.len() / RECORDS_PER_SLOT)
            .max(2)
            .next_power_of_two();
        let shift = 64 - slots.ilog2();
        let mut starts = vec![0; slots + 1];
        for entry in entries {
            starts[(entry.subject.high >> shift) as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self { starts, shift }
    }

    fn slot(&self, subject: SubjectHash) -> std::ops::Range<usize> {
        let slot = (subject.high >> self.shift) as usize;
        self.starts[slot] as usize..self.starts[slot + 1] as usize
    }
}

/// An immutable consent registry. It keeps no subject id, only hashes.
///
/// The index takes about 25 bytes a record, the record itself about 70. A decision reads all
/// records of the subject, so one subject with very many records is slow.
pub struct ConsentRegistry {
    pub(crate) identity: Identity,
    pub(crate) purposes: Names,
    pub(crate) under_fourteen: Vec<Option<bool>>,
    pub(crate) entries: Vec<Entry>,
    pub(crate) directory: Directory,
    pub(crate) arena: Vec<u8>,
}

impl ConsentRegistry {
    /// Which table this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The bytes the index and the records take.
    pub fn memory_bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry>()
            + self.directory.starts.capacity() * size_of::<u32>()
            + self.arena.capacity()
    }

    /// The consent of `subject` to `purpose` at the instant `at`, and the record that
    /// decided.
    ///
    /// A null or unknown subject and a blank purpose are `missing`. The rules:
    ///
    /// - Records count when their purpose is the asked one or the wildcard (`any`, `*`).
    ///   Who asks for the wildcard itself hears the wildcard's records alone.
    /// - Refusals hold from `granted_at` (without it: always, and against every grant) and
    ///   do not expire. Withdrawals hold from `withdrawn_at`. Both end every grant given
    ///   at or before their instant; a later grant counts again.
    /// - A grant without `granted_at` never counts. One for somebody who may be under 14
    ///   counts only with kind `guardian`; a grant without an age band counts as under 14
    ///   when another record of the subject says so.
    /// - Of the grants in force the latest decides; of several given at one instant the
    ///   strictest (guardian, written, separate, general), then the smallest record id.
    /// - Expired: some grant counts but none is in force (`expires_at` at or before `at`).
    pub fn decide<'a>(&'a self, subject: Option<&str>, purpose: &str, at: i64) -> Decision<'a> {
        match subject {
            Some(subject) => self.decide_for(SubjectHash::of(subject), self.purpose(purpose), at),
            None => Decision::MISSING,
        }
    }

    /// Looks a purpose up once for many [`ConsentRegistry::decide_for`].
    pub fn purpose(&self, purpose: &str) -> AskedPurpose {
        let index = match purpose {
            "*" => Some(ANY),
            _ if purpose.bytes().any(|byte| byte.is_ascii_uppercase()) => {
                self.purposes.get(&purpose.to_ascii_lowercase())
            }
            _ => self.purposes.get(purpose),
        };
        AskedPurpose {
            index,
            is_blank: purpose.trim().is_empty(),
        }
    }

    /// [`ConsentRegistry::decide`] for a subject and a purpose that are ready. `purpose`
    /// must come from this registry.
    pub fn decide_for(&self, subject: SubjectHash, purpose: AskedPurpose, at: i64) -> Decision<'_> {
        if purpose.is_blank {
            return Decision::MISSING;
        }
        let read = |entry: &Entry| Record::read(&self.arena, entry.offset as usize).0;
        let asked = |index| index == ANY || Some(index) == purpose.index;
        let under_fourteen = |band: u32| self.under_fourteen[band as usize];
        match self.entries_of(subject) {
            [] => Decision::MISSING,
            // A decision goes twice over the records; the usual single one is read once.
            [entry] => decide(iter::once(read(entry)), asked, under_fourteen, at),
            entries => decide(entries.iter().map(read), asked, under_fourteen, at),
        }
    }

    fn entries_of(&self, subject: SubjectHash) -> &[Entry] {
        let slot = &self.entries[self.directory.slot(subject)];
        let from = &slot[slot.partition_point(|entry| entry.subject < subject)..];
        let others = from.iter().position(|entry| entry.subject != subject);
        &from[..others.unwrap_or(from.len())]
    }
}

impl fmt::Debug for ConsentRegistry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConsentRegistry")
            .field("identity", &self.identity)
            .field("records", &self.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConsentStatus;
    use crate::builder::ConsentRow;
    use crate::builder::tests::{ROW, build};

    #[test]
    fn an_empty_registry_knows_nobody() {
        let registry = build(&[]).expect("a registry");
        assert!(registry.is_empty());
        assert_eq!(
            registry.decide(Some("user-1"), "model-training", 10),
            Decision::MISSING
        );
    }

    #[test]
    fn the_record_comes_back_as_it_was_pushed() {
        let row = ConsentRow {
            kind: "Written",
            expires_at: Some(1_000_001),
            evidence_uri: Some("s3://evidence/证据/1.pdf"),
            subject_age_band: Some("18+"),
            ..ROW
        };
        let registry = build(&[row]).expect("a registry");
        assert_eq!(registry.identity().uri, "consent.csv");
        let decision = registry.decide(Some("user-1"), "model-training", 10);
        assert_eq!(decision.status, ConsentStatus::Separate);
        let record = decision.record.expect("a record");
        assert_eq!((record.record_id, record.kind), ("r1", "written"));
        assert_eq!(record.granted_at, Some(10));
        assert_eq!(record.expires_at, Some(1_000_001));
        assert_eq!(record.withdrawn_at, None);
        assert_eq!(record.evidence_uri, Some("s3://evidence/证据/1.pdf"));
    }

    #[test]
    fn null_and_unknown_subjects_and_blank_purposes_are_missing() {
        let any = ConsentRow {
            purpose: "any",
            ..ROW
        };
        let registry = build(&[any]).expect("a registry");
        assert_eq!(
            registry.decide(Some("user-1"), "whatever", 10).status,
            ConsentStatus::Granted
        );
        assert_eq!(
            registry.decide(None, "model-training", 10),
            Decision::MISSING
        );
        for subject in ["", "user-2", "user-1 ", "USER-1"] {
            let decision = registry.decide(Some(subject), "model-training", 10);
            assert_eq!(decision, Decision::MISSING, "{subject:?}");
        }
        assert_eq!(registry.decide(Some("user-1"), " ", 10), Decision::MISSING);
    }

    #[test]
    fn purposes_are_compared_in_any_case_and_wildcards_count() {
        for (purpose, asked, granted) in [
            ("Model-Training", "model-training", true),
            ("model-training", "MODEL-TRAINING", true),
            ("*", "model-training", true),
            ("Any", "model-training", true),
            ("any", "*", true),
            ("model-training", "any", false),
            ("model-training", "model", false),
        ] {
            let registry = build(&[ConsentRow { purpose, ..ROW }]).expect("a registry");
            let status = registry.decide(Some("user-1"), asked, 10).status;
            assert_eq!(
                status == ConsentStatus::Granted,
                granted,
                "{purpose} for {asked}"
            );
        }
    }

    #[test]
    fn many_subjects_are_each_found() {
        let ids: Vec<String> = (0..5_000).map(|number| format!("user-{number}")).collect();
        let rows: Vec<ConsentRow<'_>> = ids
            .iter()
            .map(|id| ConsentRow {
                subject_id: id,
                record_id: id,
                ..ROW
            })
            .collect();
        let registry = build(&rows).expect("a registry");
        assert_eq!(registry.len(), 5_000);
        let purpose = registry.purpose("model-training");
        for id in &ids {
            let decision = registry.decide_for(SubjectHash::of(id), purpose, 10);
            assert_eq!(
                decision.record.map(|record| record.record_id),
                Some(id.as_str())
            );
        }
        assert_eq!(
            registry.decide(Some("user-5000"), "model-training", 10),
            Decision::MISSING
        );
        assert!(registry.memory_bytes() < 5_000 * 60);
    }

    #[test]
    fn errors_and_debug_never_show_a_subject() {
        let secret = "zhang-san-110101";
        let row = ConsentRow {
            subject_id: secret,
            ..ROW
        };
        for bad in [
            ConsentRow { kind: "?", ..row },
            ConsentRow {
                expires_at: Some(0),
                ..row
            },
            ConsentRow {
                subject_id: "zhang-san-110101 ",
                ..row
            },
        ] {
            assert!(!build(&[bad]).expect_err("bad").to_string().contains(secret));
        }
        let contradiction = ConsentRow {
            purpose: "any",
            ..row
        };
        let error = build(&[row, contradiction]).expect_err("a contradiction");
        assert!(!error.to_string().contains(secret));
        let registry = build(&[row]).expect("a registry");
        assert!(!format!("{registry:?} {:?}", SubjectHash::of(secret)).contains(secret));
        let kept = registry
            .arena
            .windows(secret.len())
            .any(|bytes| bytes == secret.as_bytes());
        assert!(!kept);
    }
}
