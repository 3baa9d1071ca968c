//! The two filters in front of the table: most places of a text hold no anchor and end here.

use super::gram::{WIDE, gram_length};

/// Level one: a blocked Bloom filter over anchor grams, three bits in one word of 32.
pub(crate) struct GramFilter {
    pub(crate) words: Vec<u32>,
    /// Takes the hash to the word.
    pub(crate) word_shift: u32,
}

/// Take the hash to the numbers of its three bits, in the lowest five bits; bit 0 is the highest of
/// the word. The number of the word comes from the highest bits of the hash.
pub(crate) const BIT_SHIFTS: [u32; 3] = [0, 5, 10];

/// Bits of a filter by the number of grams: small enough for the cache close to the core, where
/// it is read at every character.
const BITS_PER_GRAM: usize = 16;
const FIRST_BIT: u32 = 1 << 31;
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

    pub(super) fn insert(&mut self, hash: u32) {
        let word = &mut self.words[(hash >> self.word_shift) as usize];
        for shift in BIT_SHIFTS {
            *word |= FIRST_BIT >> (hash >> shift & 31);
        }
    }

    #[inline(always)]
    pub(super) fn may_hold(&self, hash: u32) -> bool {
        let word = self.words[(hash >> self.word_shift) as usize];
        // Bit 0 is the highest.
        let bit = |shift: u32| word & 1 << (!hash >> shift & 31) != 0;
        let [first, second, third] = BIT_SHIFTS;
        bit(first) & bit(second) & bit(third)
    }

    pub(super) fn memory(&self) -> usize {
        self.words.capacity() * size_of::<u32>()
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
    /// Bytes behind the gram and before it: what a pattern has on both sides tells most.
    Both(u32, u32),
    /// Bytes behind the gram.
    After(u32),
    /// Bytes before the gram.
    Before(u32),
    /// The pattern is too short to tell.
    None,
}

/// Bytes looked at on one side of a gram.
const fn neighbour_bytes(wide: bool) -> usize {
    if wide { 3 } else { 2 }
}

impl Neighbours {
    /// What `spelling` has beside the gram at `anchor`.
    pub(super) fn of(spelling: &[u8], anchor: usize) -> Self {
        let (after, before) = beside(spelling, anchor);
        match (after, before) {
            (Some(after), Some(before)) => Self::Both(after, before),
            (Some(after), None) => Self::After(after),
            (None, Some(before)) => Self::Before(before),
            (None, None) => Self::None,
        }
    }
}

/// The bytes behind and before the gram at `at`, as numbers; `None` outside the text.
fn beside(text: &[u8], at: usize) -> (Option<u32>, Option<u32>) {
    let lead = text[at];
    let count = neighbour_bytes(lead >= WIDE);
    let number = |start: usize| {
        let bytes = text.get(start..start + count)?;
        Some(
            bytes
                .iter()
                .rfold(0, |value, byte| value << 8 | u32::from(*byte)),
        )
    };
    (
        number(at + gram_length(lead)),
        at.checked_sub(count).and_then(number),
    )
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
            Neighbours::Both(after, before) => {
                (after ^ before.wrapping_mul(0x85EB_CA6B), 0x38B3_4AE5)
            }
            Neighbours::After(value) => (value, 0x1656_67B1),
            Neighbours::Before(value) => (value, 0x27D4_EB2F),
            Neighbours::None => (0, 0x2545_F491),
        };
        let mixed = (value ^ (value >> 11) ^ hash.rotate_left(7) ^ kind).wrapping_mul(0x9E37_79B1);
        1 << (mixed >> 26) | 1 << (mixed >> 20 & 63)
    }

    pub(super) fn insert(&mut self, hash: u32, neighbours: Neighbours) {
        let word = self.word(hash);
        self.words[word] |= Self::bits(hash, neighbours);
    }

    /// Whether some pattern may have its anchor, with this hash, at `at`.
    #[inline(always)]
    pub(super) fn may_hold(&self, hash: u32, text: &[u8], at: usize) -> bool {
        let missing = !self.words[self.word(hash)];
        let holds = |neighbours| missing & Self::bits(hash, neighbours) == 0;
        let around: Option<&[u8; 16]> = at
            .checked_sub(4)
            .and_then(|start| text.get(start..))
            .and_then(|around| around.first_chunk());
        let Some(around) = around else {
            let (after, before) = beside(text, at);
            let both = after.zip(before);
            return holds(Neighbours::None)
                || both.is_some_and(|(after, before)| holds(Neighbours::Both(after, before)))
                || after.is_some_and(|bytes| holds(Neighbours::After(bytes)))
                || before.is_some_and(|bytes| holds(Neighbours::Before(bytes)));
        };
        // The same without branches: what passes is hard to foresee.
        let word = |start: usize| {
            u32::from_le_bytes([
                around[start],
                around[start + 1],
                around[start + 2],
                around[start + 3],
            ])
        };
        let wide = around[4] >= WIDE;
        let after = if wide {
            word(10) & 0xFF_FFFF
        } else {
            word(8) & 0xFFFF
        };
        let before = word(0) >> if wide { 8 } else { 16 };
        holds(Neighbours::None)
            | holds(Neighbours::Both(after, before))
            | holds(Neighbours::After(after))
            | holds(Neighbours::Before(before))
    }

    pub(super) fn memory(&self) -> usize {
        self.words.capacity() * size_of::<u64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matcher::gram::{hash_window, window_at};

    #[test]
    fn what_was_put_in_passes_both_levels() {
        let spellings = [
            "quiz",
            "a quiz",
            "the quiz",
            "quizzes",
            "quizz",
            "罂粟",
            "罂粟壳",
            "大罂粟",
            "x罂粟",
            "罂粟xyz",
        ];
        let mut grams = GramFilter::for_grams(spellings.len());
        let mut neighbours = NeighbourFilter::for_grams(spellings.len());
        let anchor = |text: &str| {
            text.find("quiz")
                .or_else(|| text.find('罂'))
                .expect("there")
        };
        let hash = |text: &[u8], at| hash_window(window_at(text, at));
        for spelling in spellings {
            let (bytes, at) = (spelling.as_bytes(), anchor(spelling));
            grams.insert(hash(bytes, at));
            neighbours.insert(hash(bytes, at), Neighbours::of(bytes, at));
        }
        for spelling in spellings {
            for around in ["", "a", "的", "很多别的文字", "many other words"] {
                let text = format!("{around}{spelling}{around}");
                let (bytes, at) = (text.as_bytes(), around.len() + anchor(spelling));
                assert!(grams.may_hold(hash(bytes, at)), "{text}");
                assert!(neighbours.may_hold(hash(bytes, at), bytes, at), "{text}");
            }
        }
    }

    #[test]
    fn neighbours_tell_patterns_from_others() {
        let text = "the quizmaster asked";
        let hash = hash_window(window_at(text.as_bytes(), 4));
        let mut neighbours = NeighbourFilter::for_grams(1);
        let spelling = "quizzes";
        neighbours.insert(hash, Neighbours::of(spelling.as_bytes(), 0));
        assert!(!neighbours.may_hold(hash, text.as_bytes(), 4));

        // Of a pattern that has both, one side is not enough.
        let mut neighbours = NeighbourFilter::for_grams(1);
        neighbours.insert(hash, Neighbours::of(b"the quizzes", 4));
        assert!(neighbours.may_hold(hash, b"see the quizzes here", 8));
        assert!(neighbours.may_hold(hash, b"the quizzes", 4));
        for other in ["some of our quizzes", "see the quiz here"] {
            let at = other.find("quiz").expect("there");
            assert!(!neighbours.may_hold(hash, other.as_bytes(), at), "{other}");
        }
    }
}
