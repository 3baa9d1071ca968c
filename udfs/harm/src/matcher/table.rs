//! The patterns behind their anchors, and the comparison that decides.

use crate::simd::prefetch;

/// A spelling and where its anchor lies.
pub(super) struct Anchored<'a> {
    /// Hash of the anchor.
    pub(super) hash: u32,
    /// Bytes before the anchor.
    pub(super) anchor: u32,
    pub(super) text: &'a str,
    pub(super) pattern: u32,
}

/// A distinct spelling. Its text and patterns end where those of the next entry start.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    hash: u32,
    anchor: u32,
    text_start: u32,
    patterns_start: u32,
}

/// Bytes compared at the price of looking at an entry.
const GLANCE: usize = 64;

/// Distinct spellings by the hash of their anchor.
pub(super) struct AnchorTable {
    /// First entry by the high bits of the hash, and the end.
    starts: Vec<u32>,
    shift: u32,
    /// Ascending by hash, with one more behind the last.
    entries: Vec<Entry>,
    text: String,
    patterns: Vec<u32>,
}

impl AnchorTable {
    /// A table of `spellings`. What is given twice for one pattern counts once.
    ///
    /// # Errors
    /// A message when they are too many or too long.
    pub(super) fn new(mut spellings: Vec<Anchored<'_>>) -> Result<Self, String> {
        spellings.sort_unstable_by(|left, right| {
            (left.hash, left.text, left.pattern).cmp(&(right.hash, right.text, right.pattern))
        });
        spellings.dedup_by(|next, kept| next.text == kept.text && next.pattern == kept.pattern);
        let too_long = || "the patterns are longer than 4 GiB together".to_owned();
        let mut table = Self {
            starts: Vec::new(),
            shift: 0,
            entries: Vec::with_capacity(spellings.len() + 1),
            text: String::with_capacity(spellings.iter().map(|spelling| spelling.text.len()).sum()),
            patterns: Vec::with_capacity(spellings.len()),
        };
        let mut before = "";
        for spelling in &spellings {
            if spelling.text != before {
                table.entries.push(Entry {
                    hash: spelling.hash,
                    anchor: spelling.anchor,
                    text_start: u32::try_from(table.text.len()).map_err(|_| too_long())?,
                    patterns_start: table.patterns.len() as u32,
                });
                table.text.push_str(spelling.text);
                before = spelling.text;
            }
            table.patterns.push(spelling.pattern);
        }
        let distinct = u32::try_from(table.entries.len()).map_err(|_| too_long())?;
        table.entries.push(Entry {
            hash: u32::MAX,
            anchor: 0,
            text_start: u32::try_from(table.text.len()).map_err(|_| too_long())?,
            patterns_start: u32::try_from(table.patterns.len()).map_err(|_| too_long())?,
        });
        let buckets = table.entries.len().next_power_of_two().max(2);
        table.shift = 32 - buckets.ilog2();
        table.starts = Vec::with_capacity(buckets + 1);
        for (index, entry) in (0..distinct).zip(&table.entries) {
            let bucket = (entry.hash >> table.shift) as usize;
            while table.starts.len() <= bucket {
                table.starts.push(index);
            }
        }
        table.starts.resize(buckets + 1, distinct);
        Ok(table)
    }

    /// Number of distinct spellings.
    pub(super) fn len(&self) -> usize {
        self.entries.len() - 1
    }

    /// Bytes held.
    pub(super) fn memory(&self) -> usize {
        self.starts.capacity() * size_of::<u32>()
            + self.entries.capacity() * size_of::<Entry>()
            + self.text.capacity()
            + self.patterns.capacity() * size_of::<u32>()
    }

    pub(super) fn text(&self, entry: usize) -> &str {
        &self.text
            [self.entries[entry].text_start as usize..self.entries[entry + 1].text_start as usize]
    }

    pub(super) fn anchor(&self, entry: usize) -> usize {
        self.entries[entry].anchor as usize
    }

    /// The patterns that are spelled so.
    pub(super) fn patterns(&self, entry: usize) -> &[u32] {
        &self.patterns[self.entries[entry].patterns_start as usize
            ..self.entries[entry + 1].patterns_start as usize]
    }

    /// Asks for the list of entries for a hash.
    #[inline(always)]
    pub(super) fn prefetch_bucket(&self, hash: u32) {
        prefetch(&self.starts, (hash >> self.shift) as usize);
    }

    /// Asks for the entries for a hash.
    #[inline(always)]
    pub(super) fn prefetch_entries(&self, hash: u32) {
        let first = self.starts[(hash >> self.shift) as usize] as usize;
        prefetch(&self.entries, first);
    }

    /// Asks for the spelling of the first of these entries, which should have come.
    #[inline(always)]
    pub(super) fn prefetch_spelling(&self, hash: u32) {
        let first = self.starts[(hash >> self.shift) as usize] as usize;
        let start = self.entries[first].text_start;
        prefetch(self.text.as_bytes(), start as usize);
    }

    /// Calls `on_entry` with every entry that stands in `document` with its anchor at `at`, and
    /// with the offset of its first byte; stops when it says so. Returns what it cost: the number
    /// of entries looked at and more for long ones, at least 1.
    #[inline]
    pub(super) fn compare(
        &self,
        hash: u32,
        document: &[u8],
        at: usize,
        mut on_entry: impl FnMut(usize, usize) -> std::ops::ControlFlow<()>,
    ) -> usize {
        let bucket = (hash >> self.shift) as usize;
        let (first, end) = (
            self.starts[bucket] as usize,
            self.starts[bucket + 1] as usize,
        );
        let mut cost = 1 + end - first;
        for index in first..end {
            let entry = &self.entries[index];
            if entry.hash != hash {
                continue;
            }
            let Some(start) = at.checked_sub(entry.anchor as usize) else {
                continue;
            };
            let text = &self.text.as_bytes()
                [entry.text_start as usize..self.entries[index + 1].text_start as usize];
            let there = &document[start..];
            // Most that differ do so early; what is compared further has its price.
            if let Some(head) = text.get(..GLANCE) {
                if !there.starts_with(head) {
                    continue;
                }
                cost += text.len() / GLANCE;
            }
            if there.starts_with(text) && on_entry(index, start).is_break() {
                break;
            }
        }
        cost
    }
}
