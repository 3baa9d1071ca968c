//! The two filters in front of the table: most places of a text hold no anchor and end here.

use super::gram::hash_window;

/// Level one: a blocked Bloom filter over anchor grams, two bits in one word of 32.
pub(super) struct GramFilter {
    pub(super) words: Vec<u32>,
    /// Takes the hash to the word.
    pub(super) word_shift: u32,
}

/// Bits of a filter by the number of grams: small enough for the cache close to the core, where
/// it is read at every character.
const BITS_PER_GRAM: usize = 96;
const LEAST_BITS: usize = 1 << 14;
const MOST_BITS: usize = 1 << 22;

impl GramFilter {
    pub(super) fn for_grams(grams: usize) -> Self {
        let bits = grams
            .saturating_mul(BITS_PER_GRAM)
            .clamp(LEAST_BITS, MOST_BITS)
            .next_power_of_two();
        let words = bits / 32;
        Self {
            words: vec![0; words],
            word_shift: 32 - words.ilog2(),
        }
    }

    /// The shifts that take the hash to its two bits: the bits right below those of the word,
    /// which every byte of the gram reaches.
    #[inline(always)]
    pub(super) fn bit_shifts(&self) -> (u32, u32) {
        (self.word_shift - 5, self.word_shift - 10)
    }

    pub(super) fn insert(&mut self, hash: u32) {
        let (first, second) = self.bit_shifts();
        let word = (hash >> self.word_shift) as usize;
        self.words[word] |= 1 << (hash >> first & 31) | 1 << (hash >> second & 31);
    }

    #[inline(always)]
    pub(super) fn may_hold(&self, hash: u32) -> bool {
        let (first, second) = self.bit_shifts();
        let word = self.words[(hash >> self.word_shift) as usize];
        word >> (hash >> first & 31) & word >> (hash >> second & 31) & 1 != 0
    }

    #[inline(always)]
    pub(super) fn may_hold_window(&self, window: u64) -> bool {
        self.may_hold(hash_window(window))
    }
}

/// Level two: the anchor together with the bytes beside it. All that one gram needs lies in one
/// word of 64 bits.
pub(super) struct NeighbourFilter {
    pub(super) words: Vec<u64>,
    shift: u32,
}

/// What a pattern has beside its anchor.
#[derive(Clone, Copy)]
pub(super) enum Neighbours {
    /// Bytes behind the gram.
    After(u32),
    /// Bytes before the gram.
    Before(u32),
    /// The pattern is too short to tell.
    None,
}

/// Bytes looked at on one side of a gram with this first byte.
pub(super) const fn neighbour_bytes(wide: bool) -> usize {
    if wide { 3 } else { 2 }
}

impl NeighbourFilter {
    pub(super) fn for_grams(grams: usize) -> Self {
        let words = grams.clamp(1 << 8, 1 << 17).next_power_of_two();
        Self {
            words: vec![0; words],
            shift: 32 - words.ilog2(),
        }
    }

    /// The word of a gram. Multiplied again, so that it is not the order of level one.
    #[inline(always)]
    pub(super) fn word(&self, hash: u32) -> usize {
        (hash.wrapping_mul(0xC2B2_AE3D) >> self.shift) as usize
    }

    #[inline(always)]
    fn bits(hash: u32, neighbours: Neighbours) -> u64 {
        let (value, kind) = match neighbours {
            Neighbours::After(value) => (value, 0x1656_67B1),
            Neighbours::Before(value) => (value, 0x27D4_EB2F),
            Neighbours::None => (0, 0x2545_F491),
        };
        let mixed = (value ^ (value >> 11) ^ hash.rotate_left(7))
            .wrapping_mul(0x9E37_79B1)
            .wrapping_add(kind)
            .wrapping_mul(0x85EB_CA6B);
        1 << (mixed >> 26) | 1 << (mixed >> 20 & 63)
    }

    pub(super) fn insert(&mut self, hash: u32, neighbours: Neighbours) {
        let word = self.word(hash);
        self.words[word] |= Self::bits(hash, neighbours);
    }

    #[inline(always)]
    pub(super) fn may_hold(&self, hash: u32, neighbours: Neighbours) -> bool {
        let bits = Self::bits(hash, neighbours);
        self.words[self.word(hash)] & bits == bits
    }
}

/// The `count` (at most 4) bytes at `at` as a number; `None` outside the text.
#[inline(always)]
pub(super) fn bytes_at(text: &[u8], at: usize, count: usize) -> Option<u32> {
    let bytes = text.get(at..at + count)?;
    Some(
        bytes
            .iter()
            .fold(0, |value, byte| value << 8 | u32::from(*byte)),
    )
}
