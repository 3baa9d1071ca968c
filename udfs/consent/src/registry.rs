//! The consent registry: many records, compact, looked up by subject.

use std::fmt;

use tamis_resource::{Identity, ResourceError, Result};

use crate::body::{Group, Scan, Scanned};
use crate::builder::Dictionaries;
use crate::decide::{Decision, decide};
use crate::index::{Index, keep};
use crate::mapping::Mapping;
use crate::names::ANY;
use crate::purpose_hierarchy::PurposeHierarchy;
use crate::record::Record;
use crate::subject::SubjectKey;
use crate::subject_hash::{SubjectHash, SubjectHasher};

/// How many lookups of a batch are under way at a time.
const LANES: usize = 32;

/// A cache line, in bytes.
const LINE: usize = 64;

/// A purpose looked up once for many decisions, see [`ConsentRegistry::purpose`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedPurpose {
    number: u32,
    is_blank: bool,
}

/// What a registry knows but its records.
#[derive(Debug)]
pub(crate) struct Content {
    pub(crate) identity: Identity,
    pub(crate) hasher: SubjectHasher,
    pub(crate) dictionaries: Dictionaries,
}

/// Where the bytes of the records are.
enum Body {
    Memory(Vec<u8>),
    /// From the offset `.1` to the offset `.2` of the snapshot.
    Mapped(Mapping, usize, usize),
}

/// An immutable consent registry. It keeps no subject id, only hashes.
///
/// Its records are in memory ([`crate::ConsentRegistryBuilder`]) or in a mapped snapshot
/// ([`ConsentRegistry::open_snapshot`]); the answers are the same. The index takes about 13
/// bytes a subject and is always in memory, a record takes about 80 bytes more. A decision
/// reads all records of the subject, so one subject with very many records is slow.
pub struct ConsentRegistry {
    content: Content,
    index: Index,
    body: Body,
    records: u64,
    subjects: u64,
}

impl ConsentRegistry {
    /// `body` must be one that this crate wrote.
    pub(crate) fn in_memory(content: Content, body: Vec<u8>, subjects: u64) -> Result<Self> {
        let dictionaries = &content.dictionaries;
        let mut scan = Scan::new(
            subjects,
            dictionaries.purposes.names.len(),
            dictionaries.age_bands.len(),
        );
        scan.advance(&body, body.len())
            .map_err(|(offset, problem)| ResourceError::Malformed {
                uri: content.identity.uri.clone(),
                location: format!("sorted records, byte {offset}"),
                message: problem,
            })?;
        Ok(Self::new(content, scan.finish(), Body::Memory(body)))
    }

    /// The body stands from the offset `start` to the offset `end` of the mapping and was
    /// checked.
    pub(crate) fn mapped(
        content: Content,
        scanned: Scanned,
        mapping: Mapping,
        start: usize,
        end: usize,
    ) -> Self {
        Self::new(content, scanned, Body::Mapped(mapping, start, end))
    }

    fn new(content: Content, scanned: Scanned, body: Body) -> Self {
        Self {
            content,
            index: scanned.index,
            body,
            records: scanned.records,
            subjects: scanned.subjects,
        }
    }

    /// Which table or snapshot this is.
    pub fn identity(&self) -> &Identity {
        &self.content.identity
    }

    /// How many records there are; one repeated as it is counts once.
    pub fn len(&self) -> usize {
        self.records as usize
    }

    /// Whether there is no record.
    pub fn is_empty(&self) -> bool {
        self.records == 0
    }

    /// How many subjects have a record.
    pub fn subjects(&self) -> usize {
        self.subjects as usize
    }

    /// The bytes that the registry keeps in memory: the index, and the records unless they
    /// are in a mapped snapshot.
    pub fn memory_bytes(&self) -> usize {
        let body = match &self.body {
            Body::Memory(body) => body.capacity(),
            Body::Mapped(..) => 0,
        };
        self.index_bytes() + body
    }

    /// The bytes of the index alone.
    pub fn index_bytes(&self) -> usize {
        self.index.bytes()
    }

    /// The id of the subject key ([`SubjectKey::key_id`]); `None` when the registry knows
    /// its subjects by plain hashes.
    pub fn key_id(&self) -> Option<String> {
        self.content.hasher.key().map(SubjectKey::key_id)
    }

    /// Which purposes lie under which. It decides together with the records: of a registry
    /// built from a table it is not covered by [`ConsentRegistry::identity`]; a snapshot
    /// holds it.
    pub fn purpose_hierarchy(&self) -> &PurposeHierarchy {
        &self.content.dictionaries.purposes.hierarchy
    }

    /// The consent of `subject` to `purpose` at the instant `at` (microseconds UTC), and the
    /// record that decided.
    ///
    /// A null or unknown subject and a blank purpose are `missing`. The rules:
    ///
    /// - Records count when their purpose is the asked one or lies above it, up to the
    ///   wildcard (`any`, `*`): see [`PurposeHierarchy`]. Who asks for the wildcard itself
    ///   hears the wildcard's records alone.
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
            Some(subject) => self.decide_for(self.subject_hash(subject), self.purpose(purpose), at),
            None => Decision::MISSING,
        }
    }

    /// Hashes a subject id as this registry does, exactly as given (no trimming, no
    /// folding): with its subject key, or plainly when it has none.
    pub fn subject_hash(&self, subject: &str) -> SubjectHash {
        self.content.hasher.hash(subject)
    }

    /// Looks a purpose up once for many decisions. Any ASCII case.
    pub fn purpose(&self, purpose: &str) -> AskedPurpose {
        AskedPurpose {
            number: self.content.dictionaries.purposes.number(purpose),
            is_blank: purpose.trim().is_empty(),
        }
    }

    /// [`ConsentRegistry::decide`] for a subject and a purpose that are ready. Both must
    /// come from this registry.
    pub fn decide_for(&self, subject: SubjectHash, purpose: AskedPurpose, at: i64) -> Decision<'_> {
        if purpose.is_blank {
            return Decision::MISSING;
        }
        let body = self.body();
        let mut candidates = self.index.candidates(subject);
        candidates
            .find_map(|offset| group_of(body, offset, subject))
            .map_or(Decision::MISSING, |group| {
                self.decide_group(&group, purpose, at)
            })
    }

    /// [`ConsentRegistry::decide_for`] for many subjects: appends a decision for each to
    /// `out`, in their order.
    ///
    /// Memory answers many questions at a time but each one slowly, so the lookups go on
    /// side by side: faster than one by one when the registry is larger than the caches.
    pub fn decide_batch<'a>(
        &'a self,
        subjects: &[SubjectHash],
        purpose: AskedPurpose,
        at: i64,
        out: &mut Vec<Decision<'a>>,
    ) {
        if purpose.is_blank {
            out.extend(subjects.iter().map(|_| Decision::MISSING));
            return;
        }
        let body = self.body();
        let first = |offset: usize| u64::from(body.get(offset).copied().unwrap_or_default());
        out.reserve(subjects.len());
        for lanes in subjects.chunks(LANES) {
            keep(lanes.iter().fold(0, |sum, s| sum ^ self.index.touch(*s)));
            let mut offsets = [None; LANES];
            for (offset, subject) in offsets.iter_mut().zip(lanes) {
                *offset = self.index.candidates(*subject).next();
            }
            // The record begins in the first line and its texts end in the second or third.
            keep(
                offsets
                    .iter()
                    .flatten()
                    .fold(0, |sum, offset| sum ^ first(*offset) ^ first(offset + LINE)),
            );
            for (subject, offset) in lanes.iter().zip(offsets) {
                let decision = match offset {
                    None => Decision::MISSING,
                    Some(offset) => match group_of(body, offset, *subject) {
                        Some(group) => self.decide_group(&group, purpose, at),
                        // Another subject with the same bits: the slow way sees the rest.
                        None => self.decide_for(*subject, purpose, at),
                    },
                };
                out.push(decision);
            }
        }
    }

    fn decide_group<'a>(&self, group: &Group<'a>, purpose: AskedPurpose, at: i64) -> Decision<'a> {
        let dictionaries = &self.content.dictionaries;
        let chain = dictionaries.purposes.chain(purpose.number);
        let asked = |purpose: u32| purpose == ANY || chain.contains(&purpose);
        // A band that is not there cannot be: the body was checked. It counts as a child's.
        let under_fourteen = |band: u32| {
            let read = dictionaries.under_fourteen.get(band as usize);
            read.copied().unwrap_or(Some(true))
        };
        let decision = if group.count == 1 {
            // A decision goes twice over the records; the usual single one is read once.
            let only: Option<Record<'_>> = group.records().next().flatten();
            decide(std::iter::once(only), asked, under_fourteen, at)
        } else {
            decide(group.records(), asked, under_fourteen, at)
        };
        // Records that cannot be read any more are no consent.
        decision.unwrap_or(Decision::MISSING)
    }

    pub(crate) fn body(&self) -> &[u8] {
        match &self.body {
            Body::Memory(body) => body,
            Body::Mapped(mapping, start, end) => &mapping.bytes()[*start..*end],
        }
    }

    pub(crate) fn content(&self) -> &Content {
        &self.content
    }
}

fn group_of(body: &[u8], offset: usize, subject: SubjectHash) -> Option<Group<'_>> {
    Group::read(body, offset).filter(|group| group.subject == subject)
}

impl fmt::Debug for ConsentRegistry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ConsentRegistry")
            .field("identity", &self.content.identity)
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
            .body()
            .windows(secret.len())
            .any(|bytes| bytes == secret.as_bytes());
        assert!(!kept);
    }
}
