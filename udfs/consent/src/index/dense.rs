//! Where the records of a subject begin: eight slots to a cache line, one line a lookup.
//!
//! A line holds eight offsets into the body of 48 bits each and then eight tags of 16 bits;
//! tag 0 is an empty slot. The subject's line follows from the first bits of its hash, five
//! subjects to a line on average; what a line cannot hold spills into the next ones. The tag,
//! other bits of the hash, spares the look at the record of nearly every other subject; the
//! full hash there decides.

use std::io;

use crate::mapping::Memory;
use crate::subject_hash::SubjectHash;

const SLOTS: usize = 8;
const SUBJECTS_PER_LINE: u64 = 5;
const OFFSET: usize = 6;
const TAGS: usize = SLOTS * OFFSET;

/// A cache line. The memory it lies in begins at one.
type Line = [u8; 64];

#[derive(Debug)]
pub(crate) struct DenseIndex {
    memory: Memory,
    /// How many lines are in use; the last slot of them is empty.
    lines: usize,
    /// How many lines subjects are at home in; the others hold what the last ones could not.
    homes: u64,
}

impl DenseIndex {
    /// The first slot a subject may stand in.
    #[inline]
    fn home(&self, subject: SubjectHash) -> usize {
        let line = (u128::from(subject.high) * u128::from(self.homes)) >> 64;
        line as usize * SLOTS
    }

    #[inline]
    fn lines(&self) -> &[Line] {
        let (lines, _) = self.memory.bytes().as_chunks();
        &lines[..self.lines]
    }

    /// Reads the subject's line, so that a later look at it does not wait; gives any number.
    #[inline]
    pub(crate) fn touch(&self, subject: SubjectHash) -> u64 {
        u64::from(self.lines()[self.home(subject) / SLOTS][0])
    }

    /// The offsets at which the subject's records may begin, none missing.
    #[inline]
    pub(crate) fn candidates(&self, subject: SubjectHash) -> Candidates<'_> {
        let (line, lines) = self.lines()[self.home(subject) / SLOTS..]
            .split_first()
            .expect("every home is a line");
        let tag = tag(subject);
        let (matches, is_last) = compare(line, tag);
        Candidates {
            lines,
            line,
            tag,
            matches,
            is_last,
        }
    }

    /// The bytes in use.
    pub(crate) fn bytes(&self) -> usize {
        self.lines * size_of::<Line>()
    }
}

#[inline]
fn tag(subject: SubjectHash) -> u16 {
    // The first half of the hash chooses the line; the second is independent of it.
    (subject.low as u16).max(1)
}

/// Which slots of a line may have the tag, and whether one of them is empty.
///
/// All slots at once: a branch for each would be guessed wrong half of the time.
#[inline]
fn compare(line: &Line, tag: u16) -> (u64, bool) {
    const ONES: u64 = 0x0001_0001_0001_0001;
    const HIGHS: u64 = ONES << 15;
    // Sets the high bit of every 16 bits that are zero, and perhaps of some above such.
    let zeros = |lanes: u64| lanes.wrapping_sub(ONES) & !lanes & HIGHS;
    let wanted = u64::from(tag) * ONES;
    let (words, _) = line[TAGS..].as_chunks::<8>();
    let low = u64::from_le_bytes(words[0]);
    let high = u64::from_le_bytes(words[1]);
    let matches = zeros(low ^ wanted) >> 15 | zeros(high ^ wanted) >> 14;
    let is_last = zeros(low) | zeros(high) != 0;
    (matches, is_last)
}

pub(crate) struct Candidates<'a> {
    lines: &'a [Line],
    line: &'a Line,
    tag: u16,
    /// The slots of the line that are still to give: bit 16 × slot for the first four, bit
    /// 16 × (slot - 4) + 1 for the others.
    matches: u64,
    is_last: bool,
}

impl Iterator for Candidates<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.matches == 0 {
            if self.is_last {
                return None;
            }
            (self.line, self.lines) = self.lines.split_first()?;
            (self.matches, self.is_last) = compare(self.line, self.tag);
        }
        let bit = self.matches.trailing_zeros() as usize;
        self.matches &= self.matches - 1;
        Some(offset(self.line, bit / 16 + bit % 16 * 4))
    }
}

#[inline]
fn offset(line: &Line, slot: usize) -> usize {
    let mut bytes = [0; 8];
    bytes[..OFFSET].copy_from_slice(&line[slot * OFFSET..][..OFFSET]);
    u64::from_le_bytes(bytes) as usize
}

/// The bytes of a dense index of `subjects` subjects; what spills over the end comes to a few
/// lines more.
pub(super) fn bytes_for(subjects: u64) -> u64 {
    homes_for(subjects).saturating_mul(size_of::<Line>() as u64)
}

fn homes_for(subjects: u64) -> u64 {
    subjects.div_ceil(SUBJECTS_PER_LINE).max(1)
}

/// Takes the subjects in the order of their hashes.
pub(crate) struct DenseIndexBuilder {
    index: DenseIndex,
    next: usize,
}

impl DenseIndexBuilder {
    /// For at most `subjects` subjects.
    pub(crate) fn new(subjects: u64) -> io::Result<Self> {
        let homes = homes_for(subjects);
        // Room for the worst case, every subject in the last line, costs no memory unused.
        let lines = homes + subjects / SLOTS as u64 + 1;
        let length = usize::try_from(lines * size_of::<Line>() as u64)
            .map_err(|_| io::Error::other("the index is larger than the address space"))?;
        Ok(Self {
            index: DenseIndex {
                memory: Memory::zeroed(length)?,
                lines: 0,
                homes,
            },
            next: 0,
        })
    }

    /// `subject` must not be before an earlier one, `offset` below [`LONGEST_BODY`]. `None`
    /// when there are more subjects than agreed.
    pub(crate) fn insert(&mut self, subject: SubjectHash, offset: u64) -> Option<()> {
        // In order every slot from a subject's home to its own is taken.
        let slot = self.next.max(self.index.home(subject));
        let (lines, _) = self.index.memory.bytes_mut().as_chunks_mut::<64>();
        let line = lines.get_mut(slot / SLOTS)?;
        let slot_of_line = slot % SLOTS;
        line[slot_of_line * OFFSET..][..OFFSET].copy_from_slice(&offset.to_le_bytes()[..OFFSET]);
        line[TAGS + slot_of_line * 2..][..2].copy_from_slice(&tag(subject).to_le_bytes());
        self.next = slot + 1;
        Some(())
    }

    /// `None` when there were more subjects than agreed.
    pub(crate) fn finish(mut self) -> Option<DenseIndex> {
        let lines = (self.next / SLOTS + 1).max(self.index.homes as usize);
        self.index.lines = lines;
        (self.index.memory.bytes().len() >= self.index.bytes()).then_some(self.index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::LONGEST_BODY;
    use proptest::prelude::*;

    fn index(subjects: &[SubjectHash], expected: u64) -> DenseIndex {
        let mut builder = DenseIndexBuilder::new(expected).expect("room");
        for (number, subject) in subjects.iter().enumerate() {
            builder.insert(*subject, number as u64 * 10).expect("room");
        }
        builder.finish().expect("room")
    }

    #[test]
    fn an_empty_index_has_no_candidates() {
        let index = index(&[], 0);
        assert_eq!(index.candidates(SubjectHash::of("a")).next(), None);
        assert_eq!(index.touch(SubjectHash::of("a")), 0);
    }

    #[test]
    fn the_longest_offset_fits() {
        let mut builder = DenseIndexBuilder::new(1).expect("room");
        let subject = SubjectHash {
            high: u64::MAX,
            low: u64::MAX,
        };
        builder.insert(subject, LONGEST_BODY - 1).expect("room");
        let index = builder.finish().expect("room");
        let found = index.candidates(subject).next();
        assert_eq!(found, Some(LONGEST_BODY as usize - 1));
    }

    #[test]
    fn a_lookup_sees_hardly_any_other_subject_and_thirteen_bytes_are_enough() {
        let name = |number: u32| SubjectHash::of(&number.to_string());
        let mut subjects: Vec<SubjectHash> = (0..100_000).map(name).collect();
        subjects.sort_unstable();
        let index = index(&subjects, 100_000);
        let strangers = (100_000..200_000).flat_map(|number| index.candidates(name(number)));
        assert!(strangers.count() < 30);
        assert!(index.bytes() < 100_000 * 13);
    }

    #[test]
    fn more_subjects_than_agreed_are_noticed() {
        let mut builder = DenseIndexBuilder::new(3).expect("room");
        let subject = SubjectHash {
            high: u64::MAX,
            low: 1,
        };
        let taken = (0..100).map_while(|offset| builder.insert(subject, offset));
        assert!(taken.count() < 17);
        assert!(builder.finish().is_none());
    }

    proptest! {
        /// Few different bits, so that lines overflow and tags fall together.
        #[test]
        fn every_subject_is_among_its_candidates(
            halves in prop::collection::btree_set((0u64..4, 0u64..64), 0..120),
            spare in 0u64..60,
            low_bits in 0u32..12,
        ) {
            let subjects: Vec<SubjectHash> = halves
                .into_iter()
                .map(|(high, low)| SubjectHash { high: high << 62, low: low << low_bits })
                .collect();
            let index = index(&subjects, subjects.len() as u64 + spare);
            for (number, subject) in subjects.iter().enumerate() {
                let mut candidates = index.candidates(*subject);
                prop_assert!(candidates.any(|offset| offset == number * 10));
            }
            for high in [0, 1 << 63, u64::MAX] {
                let stranger = SubjectHash { high, low: u64::MAX };
                for offset in index.candidates(stranger) {
                    prop_assert!(offset % 10 == 0 && offset / 10 < subjects.len());
                }
            }
        }
    }
}
