//! The index from keys to the places of spellings that have them.

use super::key::{ANYTHING, BOUNDARY, key};
use super::quick::{Glimpse, Quick};
use super::terms::each_use;
use crate::evasion::spelling::Spelling;
use crate::simd::prefetch;

/// The first disguise of a term in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// Separators inside a word or between Han characters, of a spelling that reaches over the
    /// end of a clause.
    Long,
    /// The same of a shorter spelling.
    Short,
    /// Other separators than the term has there.
    Words,
    /// A sign for a letter.
    Leet,
    /// A repeated letter.
    Repeat,
}

/// The kinds that are looked up with one key.
pub(super) const SEPARATORS: [Kind; 3] = [Kind::Long, Kind::Short, Kind::Words];

impl Kind {
    const ALL: [Self; 5] = [
        Self::Long,
        Self::Short,
        Self::Words,
        Self::Leet,
        Self::Repeat,
    ];

    /// Its bit in [`Site::kinds`].
    pub(super) fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A place of a text where terms may be disguised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Site {
    /// Where the disguise starts, and where separators end.
    pub(super) at: usize,
    pub(super) end: usize,
    /// What stands around it.
    pub(super) key: u64,
    /// The letters that may be meant by what stands behind.
    pub(super) letters: u32,
    /// The kinds of disguise it may be, a bit for each.
    pub(super) kinds: u8,
    /// How many characters before it are in the key.
    pub(super) in_key: usize,
}

/// A place of a spelling that may be disguised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Use {
    /// The lower half of the key.
    key: u32,
    pub(super) spelling: u32,
    pub(super) unit: u16,
    pub(super) beyond: Beyond,
}

/// What a spelling has beyond the characters in a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Beyond {
    /// The characters before, the nearest first, by `byte_class`; 0 where there are none, or where
    /// a text may have something else than the spelling. [`BOUNDARY`] before a word that is found
    /// only where it starts.
    pub(super) before: [u8; 4],
    /// The one right behind the character on the right, in the same way.
    pub(super) after: u8,
    /// One bit for the letter behind those in the key, or none where a text may have something else.
    pub(super) letters: u32,
}

/// What a text has there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Around {
    pub(super) before: [u8; 4],
    /// Which of those before are part of words.
    pub(super) words: [bool; 4],
    pub(super) after: u8,
    /// The letters that may be meant.
    pub(super) letters: u32,
}

impl Beyond {
    /// Whether the text may go on as the spelling does.
    #[inline]
    pub(super) fn may_be(&self, text: &Around) -> bool {
        let may_stand = |at: usize| match self.before[at] {
            0 => true,
            BOUNDARY => !text.words[at],
            own => own == text.before[at],
        };
        (0..self.before.len()).all(may_stand)
            && (self.letters == 0 || self.letters & text.letters != 0)
            && (self.after == 0 || text.after == ANYTHING || self.after == text.after)
    }
}

/// The places of spellings by their keys.
#[derive(Debug)]
pub(super) struct Index {
    filter: Filter,
    /// By [`quick`].
    quick: [Quick; 4],
    /// The same of separators between ideographs.
    of_ideographs: [Quick; 2],
    /// By [`Kind`].
    tables: [Table; 5],
}

fn quick(kind: Kind) -> usize {
    (kind as usize).saturating_sub(1)
}

/// Which keys some use of a kind has: a blocked Bloom filter.
#[derive(Debug)]
struct Filter {
    /// Four bits for each key and kind in the word its upper half names.
    words: Vec<u64>,
}

/// Bits of the filter for a key: of those that no spelling has, one in a hundred passes.
const BITS_PER_KEY: usize = 12;

/// The uses of one kind.
#[derive(Debug)]
struct Table {
    /// Ascending by bucket.
    uses: Vec<Use>,
    /// Where in `uses` each bucket begins, which holds the keys that share their upper bits.
    starts: Vec<u32>,
    shift: u32,
}

impl Filter {
    fn for_keys(keys: usize) -> Self {
        Self {
            words: vec![0; (keys * BITS_PER_KEY / 64 + 2).min(1 << 24)],
        }
    }

    #[inline]
    fn word(&self, key: u64) -> usize {
        (((key >> 32) * self.words.len() as u64) >> 32) as usize
    }

    #[inline]
    fn bits(key: u64, kind: Kind) -> u64 {
        let bits: u64 =
            1 << (key & 63) | 1 << (key >> 6 & 63) | 1 << (key >> 12 & 63) | 1 << (key >> 18 & 63);
        bits.rotate_left(13 * kind as u32)
    }

    fn insert(&mut self, key: u64, kind: Kind) {
        let word = self.word(key);
        self.words[word] |= Self::bits(key, kind);
    }

    /// The kinds that have `key`, a bit for each, and perhaps others.
    #[inline]
    fn kinds(&self, key: u64) -> u8 {
        let word = self.words[self.word(key)];
        Kind::ALL.into_iter().fold(0, |kinds, kind| {
            let bits = Self::bits(key, kind);
            kinds | u8::from(word & bits == bits) << kind as u8
        })
    }
}

impl Table {
    /// `keyed` ascends.
    fn new(keyed: Vec<(u64, Use)>) -> Self {
        let buckets = keyed.len().next_power_of_two().clamp(2, 1 << 24);
        let shift = 64 - buckets.trailing_zeros();
        let mut starts = vec![0_u32; buckets + 1];
        for (key, _) in &keyed {
            starts[(key >> shift) as usize + 1] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        Self {
            uses: keyed.into_iter().map(|(_, used)| used).collect(),
            starts,
            shift,
        }
    }

    fn bucket(&self, key: u64) -> usize {
        (key >> self.shift) as usize
    }
}

impl Index {
    pub(super) fn new(spellings: &[Spelling]) -> Self {
        let mut uses: [Vec<(u64, Use)>; 5] = Default::default();
        let mut glimpses: [Vec<Glimpse>; 4] = Default::default();
        let mut of_ideographs: [Vec<Glimpse>; 2] = Default::default();
        for (number, spelling) in (0_u32..).zip(spellings) {
            each_use(spelling, &mut |kind, sides, unit, beyond| {
                let (left, middle, right) = sides;
                let key = key(left, middle, right);
                if let Some(glimpse) = Glimpse::of_key(left, middle, right) {
                    glimpses[quick(kind)].push(glimpse);
                }
                if SEPARATORS.contains(&kind)
                    && let Some(glimpse) = Glimpse::of_ideographs_key(left, right)
                {
                    of_ideographs[quick(kind)].push(glimpse);
                }
                let used = Use {
                    key: key as u32,
                    spelling: number,
                    unit,
                    beyond,
                };
                uses[kind as usize].push((key, used));
            });
        }
        for uses in &mut uses {
            uses.sort_unstable();
            uses.dedup();
        }
        let keys = |kind: Kind| {
            let uses = uses[kind as usize].chunk_by(|left, right| left.0 == right.0);
            uses.map(move |uses| (uses[0].0, kind))
        };
        let keys: Vec<(u64, Kind)> = Kind::ALL.into_iter().flat_map(keys).collect();
        let mut filter = Filter::for_keys(keys.len());
        for (key, kind) in keys {
            filter.insert(key, kind);
        }
        Self {
            filter,
            quick: glimpses.map(Quick::new),
            of_ideographs: of_ideographs.map(Quick::new),
            tables: uses.map(Table::new),
        }
    }

    pub(super) fn has(&self, kind: Kind) -> bool {
        !self.tables[kind as usize].uses.is_empty()
    }

    /// Whether ASCII text with this glimpse may have a use of the kind there; [`Kind::Long`] and
    /// [`Kind::Short`] are told together.
    #[inline]
    pub(super) fn may_have(&self, kind: Kind, glimpse: Glimpse) -> bool {
        self.quick[quick(kind)].has(glimpse)
    }

    /// Whether text with these ideographs beside separators may have a use of the kind there, in the
    /// same way.
    #[inline]
    pub(super) fn may_have_between(&self, kind: Kind, left: u32, right: u32) -> bool {
        self.of_ideographs[quick(kind)].has(Glimpse::of_ideographs(left, right))
    }

    /// Asks for what tells whether `key` is there.
    #[inline]
    pub(super) fn prefetch(&self, key: u64) {
        prefetch(&self.filter.words, self.filter.word(key));
    }

    /// Writes to `passed` the sites whose key some use may have, each with the kind, and asks for
    /// those uses.
    pub(super) fn passing(&self, sites: &[Site], passed: &mut Vec<(usize, Kind)>) {
        passed.clear();
        for (nth, site) in sites.iter().enumerate() {
            let kinds = site.kinds & self.filter.kinds(site.key);
            if kinds == 0 {
                continue;
            }
            for kind in Kind::ALL {
                if kinds & kind.bit() != 0 {
                    passed.push((nth, kind));
                    let table = &self.tables[kind as usize];
                    prefetch(&table.starts, table.bucket(site.key));
                }
            }
        }
        for &(nth, kind) in &*passed {
            let table = &self.tables[kind as usize];
            let first = table.starts[table.bucket(sites[nth].key)];
            prefetch(&table.uses, first as usize);
        }
    }

    /// The uses of a kind with `key`.
    #[inline]
    pub(super) fn uses(&self, key: u64, kind: Kind) -> impl Iterator<Item = &Use> {
        let table = &self.tables[kind as usize];
        let bucket = table.bucket(key);
        let bucket = table.starts[bucket] as usize..table.starts[bucket + 1] as usize;
        let uses = table.uses[bucket].iter();
        uses.filter(move |used| used.key == key as u32)
    }
}
