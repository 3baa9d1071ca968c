//! What most places are turned away by, before their whole key is made.

use super::key::{BEYOND, Left, NOTHING, SIGN};

/// What stands around a place in ASCII text, by some of its characters: a byte for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glimpse(u64);

/// What stands on the right where it is neither a letter nor a sign for one.
const OTHER: u8 = 0;
const WORD_BEFORE: u8 = 0x80;
const IS_SIGN: u8 = 0x80;

impl Glimpse {
    /// Of what [`crate::evasion::ascii`] tells of a separator.
    #[inline]
    pub(super) fn of_separator(around: u64) -> Self {
        Self(around)
    }

    /// Of what it tells of a sign for `middle` with one for `behind` behind it, or 0.
    #[inline]
    pub(super) fn of_sign(around: u64, middle: u8, behind: u8) -> Self {
        let behind = behind | IS_SIGN & 0_u8.wrapping_sub(u8::from(behind != 0));
        Self(around | u64::from(middle) << 16 | u64::from(behind) << 24)
    }

    /// The same behind a word that ends in `last`, and a space.
    #[inline]
    pub(super) fn behind_word(self, last: u8) -> Self {
        Self(self.0 | u64::from(last) << 8 | u64::from(WORD_BEFORE))
    }

    fn of(left: [u8; 2], middle: u8, right: [u8; 2]) -> Self {
        let [second, last] = left;
        let [first, next] = right;
        Self(u64::from_le_bytes([
            second, last, middle, first, next, 0, 0, 0,
        ]))
    }

    /// Of two ideographs beside a separator, by their classes.
    #[inline]
    pub(super) fn of_ideographs(left: u32, right: u32) -> Self {
        Self(u64::from(left) | u64::from(right) << 32)
    }

    /// The glimpse that goes with a key of separators, if ideographs may stand beside them.
    pub(super) fn of_ideographs_key(left: Left, right: (u32, u32)) -> Option<Self> {
        let [last, second, _] = left.classes;
        let (first, next) = right;
        // Of a numeral the class is that of its digit.
        (second.max(next) == NOTHING).then(|| Self::of_ideographs(last, first))
    }

    /// The glimpse that goes with a key; `None` where the key holds other than ASCII, which no text
    /// in ASCII has.
    pub(super) fn of_key(left: Left, middle: u32, right: (u32, u32)) -> Option<Self> {
        let byte = |class: u32| u8::try_from(class).ok().filter(u8::is_ascii);
        let [last, second, _] = left.classes;
        let (last, second) = (byte(last)?, byte(second)?);
        let second = if left.is_word_before() {
            WORD_BEFORE
        } else {
            second
        };
        let right = match right {
            (first, _) if first & BEYOND != 0 => [OTHER, OTHER],
            (first, _) if first & SIGN != 0 => [IS_SIGN | byte(first & !SIGN)?, OTHER],
            (first, next) => [byte(first)?, byte(next)?],
        };
        Some(Self::of([second, last], byte(middle)?, right))
    }
}

/// Which glimpses some key has: two bits for each in one word.
#[derive(Debug, Default)]
pub(super) struct Quick {
    words: Vec<u64>,
    shift: u32,
}

/// Bits for a glimpse: of those that no key has, one in fifty passes.
const BITS_PER_GLIMPSE: usize = 16;

impl Quick {
    pub(super) fn new(mut glimpses: Vec<Glimpse>) -> Self {
        glimpses.sort_unstable_by_key(|glimpse| glimpse.0);
        glimpses.dedup();
        let words = (glimpses.len() * BITS_PER_GLIMPSE / 64)
            .next_power_of_two()
            .clamp(2, 1 << 16);
        let mut quick = Self {
            words: vec![0; words],
            shift: 64 - words.ilog2(),
        };
        for glimpse in glimpses {
            let (word, bits) = quick.bits(glimpse);
            quick.words[word] |= bits;
        }
        quick
    }

    #[inline]
    fn bits(&self, glimpse: Glimpse) -> (usize, u64) {
        let hash = glimpse.0.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let bits = 1 << (hash >> 32 & 63) | 1 << (hash >> 38 & 63);
        ((hash >> self.shift) as usize, bits)
    }

    /// Whether some key may have it.
    #[inline]
    pub(super) fn has(&self, glimpse: Glimpse) -> bool {
        let (word, bits) = self.bits(glimpse);
        self.words[word] & bits == bits
    }
}
