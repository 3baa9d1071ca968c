//! Where the records of a subject begin: eight slots to a cache line, one line a lookup.
//!
//! A slot is 64 bits: 40 of the offset into the body plus one, 24 of the subject's hash;
//! zero is empty. The subject's line follows from the first bits of its hash, five subjects
//! to a line on average; what a line cannot hold spills into the next ones. The 24 bits spare
//! the look at the record of nearly every other subject; the full hash there decides.

use std::hint::black_box;

use crate::subject_hash::SubjectHash;

const SLOTS: usize = 8;
const SUBJECTS_PER_LINE: u64 = 5;
const TAG_BITS: u32 = 24;
const TAG: u64 = (1 << TAG_BITS) - 1;

/// The longest body, in bytes: what 40 bits count.
pub(crate) const LONGEST_BODY: u64 = (1 << (64 - TAG_BITS)) - 1;

#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Line([u64; SLOTS]);

const EMPTY: Line = Line([0; SLOTS]);

#[derive(Debug)]
pub(crate) struct Index {
    /// The last slot is empty.
    lines: Vec<Line>,
    /// How many lines subjects are at home in; the others hold what the last ones could not.
    homes: u64,
}

impl Index {
    /// The first slot a subject may stand in.
    fn home(&self, subject: SubjectHash) -> usize {
        let line = (u128::from(subject.high) * u128::from(self.homes)) >> 64;
        line as usize * SLOTS
    }

    /// Reads the subject's line, so that a later look at it does not wait; gives any number.
    pub(crate) fn touch(&self, subject: SubjectHash) -> u64 {
        self.lines[self.home(subject) / SLOTS].0[0]
    }

    /// The offsets at which the subject's records may begin, none missing.
    pub(crate) fn candidates(&self, subject: SubjectHash) -> Candidates<'_> {
        let home = self.home(subject) / SLOTS;
        let mut candidates = Candidates {
            lines: &self.lines[home + 1..],
            line: &self.lines[home],
            tag: tag(subject),
            matches: 0,
            is_last: false,
        };
        candidates.compare();
        candidates
    }

    pub(crate) fn bytes(&self) -> usize {
        self.lines.capacity() * size_of::<Line>()
    }
}

fn tag(subject: SubjectHash) -> u64 {
    // The first half of the hash chooses the line; the second is independent of it.
    subject.low & TAG
}

pub(crate) struct Candidates<'a> {
    lines: &'a [Line],
    line: &'a Line,
    tag: u64,
    /// Bit by bit the slots of the line that are still to give.
    matches: u32,
    is_last: bool,
}

impl Candidates<'_> {
    /// All slots at once: a branch for each would be guessed wrong half of the time.
    fn compare(&mut self) {
        let mut matches = 0;
        let mut empty = 0;
        for (index, slot) in self.line.0.iter().enumerate() {
            matches |= u32::from(slot & TAG == self.tag) << index;
            empty |= u32::from(*slot == 0) << index;
        }
        self.is_last = empty != 0;
        let before_empty = (empty & empty.wrapping_neg()).wrapping_sub(1);
        self.matches = matches & before_empty;
    }
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        while self.matches == 0 {
            if self.is_last {
                return None;
            }
            (self.line, self.lines) = self.lines.split_first()?;
            self.compare();
        }
        let slot = self.line.0[self.matches.trailing_zeros() as usize];
        self.matches &= self.matches - 1;
        Some((slot >> TAG_BITS) as usize - 1)
    }
}

/// Takes the subjects in the order of their hashes.
pub(crate) struct IndexBuilder {
    index: Index,
    next: usize,
}

impl IndexBuilder {
    /// For about `subjects` subjects.
    pub(crate) fn new(subjects: u64) -> Self {
        let homes = subjects.div_ceil(SUBJECTS_PER_LINE).max(1);
        Self {
            index: Index {
                lines: vec![EMPTY; homes as usize],
                homes,
            },
            next: 0,
        }
    }

    /// `subject` must not be before an earlier one, `offset` not above [`LONGEST_BODY`].
    pub(crate) fn insert(&mut self, subject: SubjectHash, offset: u64) {
        // In order every slot from a subject's home to its own is taken.
        let slot = self.next.max(self.index.home(subject));
        if slot / SLOTS == self.index.lines.len() {
            self.index.lines.push(EMPTY);
        }
        self.index.lines[slot / SLOTS].0[slot % SLOTS] = (offset + 1) << TAG_BITS | tag(subject);
        self.next = slot + 1;
    }

    pub(crate) fn finish(mut self) -> Index {
        if self.next == self.index.lines.len() * SLOTS {
            self.index.lines.push(EMPTY);
        }
        self.index.lines.shrink_to_fit();
        self.index
    }
}

/// Keeps reads that only warm the caches from being optimised away.
pub(crate) fn keep(touched: u64) {
    black_box(touched);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn index(subjects: &[SubjectHash], expected: u64) -> Index {
        let mut builder = IndexBuilder::new(expected);
        for (number, subject) in subjects.iter().enumerate() {
            builder.insert(*subject, number as u64 * 10);
        }
        builder.finish()
    }

    #[test]
    fn an_empty_index_has_no_candidates() {
        let index = index(&[], 0);
        assert_eq!(index.candidates(SubjectHash::of("a")).next(), None);
        assert_eq!(index.touch(SubjectHash::of("a")), 0);
    }

    #[test]
    fn the_longest_offset_fits() {
        let mut builder = IndexBuilder::new(1);
        let subject = SubjectHash {
            high: u64::MAX,
            low: u64::MAX,
        };
        builder.insert(subject, LONGEST_BODY - 1);
        let found = builder.finish().candidates(subject).next();
        assert_eq!(found, Some(LONGEST_BODY as usize - 1));
    }

    #[test]
    fn a_lookup_sees_hardly_any_other_subject_and_thirteen_bytes_are_enough() {
        let name = |number: u32| SubjectHash::of(&number.to_string());
        let mut subjects: Vec<SubjectHash> = (0..100_000).map(name).collect();
        subjects.sort_unstable();
        let index = index(&subjects, 100_000);
        let strangers = (100_000..200_000).flat_map(|number| index.candidates(name(number)));
        assert!(strangers.count() < 10);
        assert!(index.bytes() < 100_000 * 13);
    }

    proptest! {
        /// Few different bits, so that lines overflow and tags fall together.
        #[test]
        fn every_subject_is_among_its_candidates(
            halves in prop::collection::btree_set((0u64..4, 0u64..64), 0..120),
            expected in 0u64..60,
            low_bits in 0u32..56,
        ) {
            let subjects: Vec<SubjectHash> = halves
                .into_iter()
                .map(|(high, low)| SubjectHash { high: high << 62, low: low << low_bits })
                .collect();
            let index = index(&subjects, expected);
            for (number, subject) in subjects.iter().enumerate() {
                let mut candidates = index.candidates(*subject);
                prop_assert!(candidates.any(|offset| offset == number * 10));
            }
            for high in [0, 1 << 63, u64::MAX] {
                let stranger = SubjectHash { high, low: u64::MAX };
                for offset in index.candidates(stranger) {
                    prop_assert_eq!(tag(subjects[offset / 10]), TAG);
                }
            }
        }
    }
}
