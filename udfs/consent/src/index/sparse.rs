//! One entry for each block of the body: the first subject that begins in it, and where.
//!
//! The body is sorted, so whoever stands in it stands behind the last entry before it. The
//! blocks are as small as the limit allows: small ones are read faster.

use std::io;
use std::ops::RangeInclusive;

use crate::mapping::Memory;
use crate::subject_hash::SubjectHash;

/// The smallest block, in bytes: about ten subjects. A lookup reads half of it.
const SMALLEST_BLOCK: u64 = 1024;

/// The largest block, in bytes: what a lookup may cost at most.
const LARGEST_BLOCK: u64 = 64 << 10;

/// The first half of a subject's hash, and the offset of its group; both little endian.
type Entry = [u8; 16];

#[derive(Debug)]
pub(crate) struct SparseIndex {
    memory: Memory,
    /// How many entries there are.
    length: usize,
}

impl SparseIndex {
    #[inline]
    fn entries(&self) -> &[Entry] {
        let (entries, _) = self.memory.bytes().as_chunks();
        &entries[..self.length]
    }

    /// The entry behind which the subject stands if it is there at all, looked for around
    /// `guess`. It is none that stands behind the subject.
    #[inline]
    pub(crate) fn seek(&self, subject: SubjectHash, guess: usize) -> usize {
        let entries = self.entries();
        // Strictly before: several subjects may share their first half.
        let is_before = |entry: usize| high(&entries[entry]) < subject.high;
        let mut low = guess.min(entries.len());
        let mut step = 1;
        while low > 0 && !entries.get(low).is_some_and(|_| is_before(low)) {
            low = low.saturating_sub(step);
            step *= 2;
        }
        let mut end = low;
        step = 1;
        while end < entries.len() && is_before(end) {
            low = end;
            end = (end + step).min(entries.len());
            step *= 2;
        }
        let before = entries[low..end].partition_point(|entry| high(entry) < subject.high);
        (low + before).saturating_sub(1)
    }

    /// Where about the subject's entry is: hashes are spread evenly.
    #[inline]
    pub(crate) fn guess(&self, subject: SubjectHash) -> usize {
        ((u128::from(subject.high) * self.length as u128) >> 64) as usize
    }

    /// The offset of an entry's group; 0 when there is no entry at all.
    #[inline]
    pub(crate) fn offset(&self, entry: usize) -> usize {
        let entry = self.entries().get(entry);
        entry.map_or(0, |entry| half(entry, 8) as usize)
    }

    /// The bytes in use.
    pub(crate) fn bytes(&self) -> usize {
        self.length * size_of::<Entry>()
    }
}

#[inline]
fn high(entry: &Entry) -> u64 {
    half(entry, 0)
}

#[inline]
fn half(entry: &Entry, from: usize) -> u64 {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&entry[from..from + 8]);
    u64::from_le_bytes(bytes)
}

/// Takes the subjects in the order of their hashes.
pub(crate) struct SparseIndexBuilder {
    index: SparseIndex,
    block: u64,
    /// Where the next block without an entry begins.
    next: u64,
}

impl SparseIndexBuilder {
    /// For a body of at most `body` bytes. The entries take at most `limit` bytes, unless
    /// that would take larger blocks than [`LARGEST_BLOCK`].
    pub(crate) fn new(body: u64, limit: u64) -> io::Result<Self> {
        Self::with_blocks(body, limit, SMALLEST_BLOCK..=LARGEST_BLOCK)
    }

    fn with_blocks(body: u64, limit: u64, blocks: RangeInclusive<u64>) -> io::Result<Self> {
        let most = (limit / size_of::<Entry>() as u64).max(1);
        let block = body.div_ceil(most).clamp(*blocks.start(), *blocks.end());
        // Zeroed memory that is never used takes none.
        let length = body
            .div_ceil(block)
            .checked_mul(size_of::<Entry>() as u64)
            .and_then(|length| usize::try_from(length).ok())
            .ok_or_else(|| io::Error::other("the index is larger than the address space"))?;
        Ok(Self {
            index: SparseIndex {
                memory: Memory::zeroed(length)?,
                length: 0,
            },
            block,
            next: 0,
        })
    }

    /// `subject` and `offset` must not be before earlier ones. `None` when the offset lies
    /// behind the length agreed.
    #[inline]
    pub(crate) fn insert(&mut self, subject: SubjectHash, offset: u64) -> Option<()> {
        if offset < self.next {
            return Some(());
        }
        self.next = (offset / self.block + 1) * self.block;
        let (entries, _) = self.index.memory.bytes_mut().as_chunks_mut::<16>();
        let entry = entries.get_mut(self.index.length)?;
        entry[..8].copy_from_slice(&subject.high.to_le_bytes());
        entry[8..].copy_from_slice(&offset.to_le_bytes());
        self.index.length += 1;
        Some(())
    }

    pub(crate) fn finish(self) -> SparseIndex {
        self.index
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GROUP: u64 = 21;

    fn index(subjects: &[SubjectHash], limit: u64, block: u64) -> SparseIndex {
        let body = subjects.len() as u64 * GROUP;
        let mut builder =
            SparseIndexBuilder::with_blocks(body, limit, block..=u64::MAX).expect("room");
        for (subject, number) in subjects.iter().zip(0..) {
            builder.insert(*subject, number * GROUP).expect("room");
        }
        builder.finish()
    }

    #[test]
    fn an_index_of_nobody_starts_at_the_start() {
        let index = index(&[], 100, 100);
        let subject = SubjectHash::of("a");
        assert_eq!(index.offset(index.seek(subject, index.guess(subject))), 0);
        assert_eq!(index.bytes(), 0);
    }

    #[test]
    fn the_limit_holds() {
        let mut subjects: Vec<SubjectHash> = (0..10_000)
            .map(|number: u32| SubjectHash::of(&number.to_string()))
            .collect();
        subjects.sort_unstable();
        for limit in [0, 16, 100, 1_000, 3_000] {
            let bytes = index(&subjects, limit, 1_024).bytes() as u64;
            assert!(
                bytes <= limit.max(16) && bytes * 2 > limit,
                "{limit}: {bytes}"
            );
        }
        assert_eq!(index(&subjects, u64::MAX, 1_024).bytes(), 206 * 16);
    }

    #[test]
    fn blocks_stay_small_enough_to_walk() {
        let builder = SparseIndexBuilder::new(1 << 30, 0).expect("room");
        assert_eq!(builder.block, LARGEST_BLOCK);
        let builder = SparseIndexBuilder::new(1 << 30, u64::MAX).expect("room");
        assert_eq!(builder.block, SMALLEST_BLOCK);
    }

    #[test]
    fn a_longer_body_than_agreed_is_noticed() {
        let mut builder = SparseIndexBuilder::with_blocks(300, 1_000, 100..=100).expect("room");
        let subject = SubjectHash::of("a");
        let taken = (0..10).map_while(|block| builder.insert(subject, block * 100));
        assert_eq!(taken.count(), 3);
    }

    proptest! {
        /// Few different bits, so that many share their first half.
        #[test]
        fn nobody_stands_before_its_entry_and_the_next_entry_is_not_before_it(
            halves in prop::collection::btree_set((0u64..8, 0u64..16), 0..100),
            limit in 0u64..400,
            block in 1u64..200,
            guess in 0usize..150,
        ) {
            let subjects: Vec<SubjectHash> = halves
                .into_iter()
                .map(|(high, low)| SubjectHash { high: high << 61, low })
                .collect();
            let index = index(&subjects, limit, block);
            for high in 0..8 {
                for low in [0, 7, u64::MAX] {
                    let asked = SubjectHash { high: high << 61, low };
                    let entry = index.seek(asked, guess);
                    prop_assert_eq!(index.seek(asked, index.guess(asked)), entry);
                    let first = index.offset(entry) as u64 / GROUP;
                    let before = subjects.partition_point(|subject| *subject < asked) as u64;
                    prop_assert!(first <= before);
                    if entry + 1 < index.length {
                        prop_assert!(high_of(&index, entry + 1) >= asked.high);
                    }
                }
            }
        }
    }

    fn high_of(index: &SparseIndex, entry: usize) -> u64 {
        high(&index.entries()[entry])
    }
}
