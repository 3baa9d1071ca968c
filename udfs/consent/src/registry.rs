//! The consent registry: many records, compact, looked up by subject.

use std::fmt;

use tamis_resource::{Identity, ResourceError, Result};

use crate::body::{Group, Scan, Scanned};
use crate::builder::Dictionaries;
use crate::decide::{ConsentStatus, Decision, Judged, decide, decide_only};
use crate::index::Index;
use crate::intake::read_error;
use crate::mapping::{Mapping, Memory};
use crate::purpose_hierarchy::PurposeHierarchy;
use crate::subject::SubjectKey;
use crate::subject_hash::{SubjectHash, SubjectHasher};

/// From the start of a group to the end of its first record's times, in bytes.
const SHORT_GLANCE: usize = 40;

/// To the end of its texts, as they are usually.
const LONG_GLANCE: usize = 96;

/// A purpose looked up once for many decisions, see [`ConsentRegistry::purpose`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedPurpose {
    number: u32,
    is_blank: bool,
}

/// A purpose, its place among the others and an instant, ready for many subjects.
struct Question<'a> {
    body: &'a [u8],
    /// The asked purpose and those above it.
    chain: &'a [u32],
    /// The same, one bit for each number below 64: no branch to guess.
    first_numbers: u64,
    at: i64,
}

impl<'a> Question<'a> {
    fn new(registry: &'a ConsentRegistry, purpose: AskedPurpose, at: i64) -> Self {
        let chain = registry.content.dictionaries.purposes.chain(purpose.number);
        let first = chain.iter().filter(|number| **number < u64::BITS);
        Self {
            body: registry.body(),
            chain,
            first_numbers: first.fold(0, |bits, number| bits | 1 << number),
            at,
        }
    }

    #[inline]
    fn is_about(&self, purpose: u32) -> bool {
        match purpose {
            0..u64::BITS => self.first_numbers >> purpose & 1 != 0,
            _ => self.chain.contains(&purpose),
        }
    }
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
    /// The first bytes of it.
    Memory(Memory, usize),
    /// From the offset `.1` to the offset `.2` of the snapshot.
    Mapped(Mapping, usize, usize),
}

/// An immutable consent registry. It keeps no subject id, only hashes.
///
/// Its records are in memory ([`crate::ConsentRegistryBuilder`]) or in a mapped snapshot
/// ([`ConsentRegistry::open_snapshot`]); the answers are the same. The index is always in
/// memory and takes about 13 bytes a subject, a record takes about 80 bytes more. Where the
/// index of a snapshot would exceed a limit ([`crate::SnapshotOptions`]) it is sparse: one
/// entry for each block of the sorted records. A decision reads all records of the subject,
/// so one subject with very many records is slow.
pub struct ConsentRegistry {
    content: Content,
    index: Index,
    body: Body,
    records: u64,
    subjects: u64,
}

impl ConsentRegistry {
    /// `body` must be one that this crate wrote, of `subjects` subjects; it is the first
    /// `length` bytes of the memory.
    pub(crate) fn in_memory(
        content: Content,
        memory: Memory,
        length: usize,
        subjects: u64,
    ) -> Result<Self> {
        let uri = &content.identity.uri;
        let mut scan = Scan::new(subjects, length as u64, &content.dictionaries, u64::MAX)
            .map_err(|error| read_error(uri, &error))?;
        let scanned = scan
            .advance(&memory.bytes()[..length], length)
            .and_then(|()| scan.finish())
            .map_err(|(offset, problem)| ResourceError::Malformed {
                uri: uri.clone(),
                location: format!("sorted records, byte {offset}"),
                message: problem,
            })?;
        Ok(Self::new(content, scanned, Body::Memory(memory, length)))
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

    /// Every subject, in the order of the hashes; each once. Reads all records.
    pub fn each_subject(&self) -> impl Iterator<Item = SubjectHash> + '_ {
        let body = self.body();
        let mut offset = 0;
        std::iter::from_fn(move || {
            let group = Group::read(body, offset)?;
            offset = group.end(body)?;
            Some(group.subject)
        })
    }

    /// The bytes that the registry keeps in memory: the index, and the records unless they
    /// are in a mapped snapshot.
    pub fn memory_bytes(&self) -> usize {
        let body = match &self.body {
            Body::Memory(_, length) => *length,
            Body::Mapped(..) => 0,
        };
        self.index_bytes() + body
    }

    /// The bytes of the index alone.
    pub fn index_bytes(&self) -> usize {
        self.index.bytes()
    }

    /// Whether the index has one entry for each block instead of one for each subject.
    pub fn has_sparse_index(&self) -> bool {
        matches!(self.index, Index::Sparse(_))
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
        self.judge(&Question::new(self, purpose, at), subject)
            .decision()
    }

    /// [`ConsentRegistry::decide_for`] for many subjects: appends a decision for each to
    /// `out`, in their order.
    ///
    /// Memory answers many questions at a time but each one slowly, so the lookups go on
    /// side by side: faster than one by one when the registry is larger than the caches.
    ///
    /// A batch of at least one subject for each KiB of a mapped snapshot is answered in the
    /// order of the records, whatever the index: every page is looked into once and let go, so
    /// that about 32 MiB of the snapshot stay in the memory of the process, where smaller
    /// batches leave every page they touched. Beside `out` that takes four bytes a subject, at
    /// most 33 MiB. With a sparse index every batch is sorted and the records are walked in
    /// their order, a merge join: the larger the batch the fewer bytes are read.
    pub fn decide_batch<'a>(
        &'a self,
        subjects: &[SubjectHash],
        purpose: AskedPurpose,
        at: i64,
        out: &mut Vec<Decision<'a>>,
    ) {
        self.judge_batch(subjects, purpose, at, out, LONG_GLANCE, |judged| {
            judged.decision()
        });
    }

    /// The statuses alone of [`ConsentRegistry::decide_batch`], about twice as fast: the
    /// texts of the records are not looked at.
    pub fn status_batch(
        &self,
        subjects: &[SubjectHash],
        purpose: AskedPurpose,
        at: i64,
        out: &mut Vec<ConsentStatus>,
    ) {
        self.judge_batch(subjects, purpose, at, out, SHORT_GLANCE, |judged| {
            judged.status
        });
    }

    #[inline]
    fn judge_group<'a>(&self, question: &Question<'a>, group: &Group<'a>) -> Judged<'a> {
        let asked = |purpose| question.is_about(purpose);
        // A band that is not there cannot be: the body was checked. It counts as a child's.
        let under_fourteen = |band: u32| {
            let read = self.content.dictionaries.under_fourteen.get(band as usize);
            read.copied().unwrap_or(Some(true))
        };
        let judged = if group.count == 1 {
            group.records().next().flatten().map(|record| {
                let under_fourteen = under_fourteen(record.age_band);
                decide_only(record, asked(record.purpose), under_fourteen, question.at)
            })
        } else {
            decide(group.records(), asked, under_fourteen, question.at)
        };
        // Records that cannot be read any more are no consent.
        judged.unwrap_or(Judged::MISSING)
    }

    pub(crate) fn body(&self) -> &[u8] {
        match &self.body {
            Body::Memory(memory, length) => &memory.bytes()[..*length],
            Body::Mapped(mapping, start, end) => &mapping.bytes()[*start..*end],
        }
    }

    pub(crate) fn content(&self) -> &Content {
        &self.content
    }
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

mod lookup;
mod merge;
mod pages;
mod parts;

#[cfg(test)]
mod tests;
