//! What searching asks of ASCII characters around a separator or a sign.

use super::separator;
use super::sites::{Left, NOTHING};

/// What a byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind(u8);

const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const SEPARATOR: u8 = 4;
const ENDS_CLAUSE: u8 = 8;
const WHITE_SPACE: u8 = 16;

const KINDS: [Kind; 128] = {
    let mut kinds = [Kind(0); 128];
    let mut byte = 0;
    while byte < 128 {
        let of = byte as u8;
        let mut kind = 0;
        if of.is_ascii_alphabetic() {
            kind |= LETTER;
        }
        if of.is_ascii_digit() {
            kind |= DIGIT;
        }
        if separator::separates_ascii(of) {
            kind |= SEPARATOR;
        }
        if separator::ends_clause(of as char) {
            kind |= ENDS_CLAUSE;
        }
        if matches!(of, b'\t'..=b'\r' | b' ') {
            kind |= WHITE_SPACE;
        }
        kinds[byte] = Kind(kind);
        byte += 1;
    }
    kinds
};

impl Kind {
    #[inline]
    fn of(byte: u8) -> Self {
        KINDS[usize::from(byte & 0x7F)]
    }

    #[inline]
    pub(crate) fn is_letter(self) -> bool {
        self.0 & LETTER != 0
    }

    #[inline]
    pub(crate) fn is_digit(self) -> bool {
        self.0 & DIGIT != 0
    }

    #[inline]
    fn is_separator(self) -> bool {
        self.0 & SEPARATOR != 0
    }
}

/// How many characters before the separator belong to it.
const BEFORE: usize = 3;

/// ASCII characters around a separator, which is one of them: three before it, then as many
/// separators as a gap may hold with the three characters behind.
#[derive(Debug)]
pub(crate) struct Around {
    bytes: [u8; BEFORE + separator::GAP + 3],
    kinds: [Kind; BEFORE + separator::GAP + 3],
}

impl Around {
    /// What stands around `at`; `None` where not all of it is ASCII, or there.
    #[inline]
    pub(crate) fn of(bytes: &[u8], at: usize) -> Option<Self> {
        let bytes: [u8; BEFORE + separator::GAP + 3] =
            *bytes.get(at.checked_sub(BEFORE)?..)?.first_chunk()?;
        bytes.is_ascii().then(|| Self {
            bytes,
            kinds: bytes.map(Kind::of),
        })
    }

    /// How many separators there are; `None` where there are too many, or others before them.
    #[inline]
    pub(crate) fn gap(&self) -> Option<usize> {
        let separates = |at: usize| u8::from(self.kinds[at].is_separator());
        let behind =
            separates(BEFORE + 1) | separates(BEFORE + 2) << 1 | separates(BEFORE + 3) << 2;
        let gap = 1 + behind.trailing_ones() as usize;
        (gap <= separator::GAP && separates(BEFORE - 1) == 0 && separates(BEFORE) == 1)
            .then_some(gap)
    }

    /// The character before the gap.
    #[inline]
    pub(crate) fn last(&self) -> Kind {
        self.kinds[BEFORE - 1]
    }

    /// The character behind the gap.
    #[inline]
    pub(crate) fn first(&self, gap: usize) -> Kind {
        self.kinds[BEFORE + gap]
    }

    /// The one behind that.
    #[inline]
    pub(crate) fn second(&self, gap: usize) -> Kind {
        self.kinds[BEFORE + gap + 1]
    }

    #[inline]
    fn of_gap(&self, gap: usize) -> u8 {
        let within = |at: usize| self.kinds[BEFORE + at].0 & 0_u8.wrapping_sub(u8::from(at < gap));
        within(0) | within(1) | within(2)
    }

    #[inline]
    pub(crate) fn has_white_space(&self, gap: usize) -> bool {
        self.of_gap(gap) & WHITE_SPACE != 0
    }

    #[inline]
    pub(crate) fn ends_clause(&self, gap: usize) -> bool {
        self.of_gap(gap) & ENDS_CLAUSE != 0
    }

    /// What stands before the gap.
    #[inline]
    pub(crate) fn left(&self) -> Left {
        let [third, second, last] = [0, 1, 2].map(|at| self.kinds[at].is_letter());
        let if_so = |is: bool, at: usize| self.class(at) & 0_u32.wrapping_sub(u32::from(is));
        Left::of([
            self.class(2),
            if_so(last & second, 1),
            if_so(last & second & third, 0),
        ])
    }

    /// The classes of the character behind the gap and, if both are letters that are not the first
    /// of a repetition, of the next.
    #[inline]
    pub(crate) fn right(&self, gap: usize) -> (u32, u32) {
        let at = BEFORE + gap;
        let [first, second, third] = [0, 1, 2].map(|by| self.class(at + by));
        let is_repeated = first == second && second == third;
        let two = self.kinds[at].is_letter() && self.kinds[at + 1].is_letter() && !is_repeated;
        (first, if two { second } else { NOTHING })
    }

    #[inline]
    fn class(&self, at: usize) -> u32 {
        u32::from(self.bytes[at].to_ascii_lowercase())
    }
}

/// How many places are looked at together.
pub(crate) const LANES: usize = 8;

/// Eight bytes around each of eight places, the third the place itself, as numbers with the first
/// byte lowest.
pub(crate) type Windows = [u64; LANES];

/// The window of a place close to the ends of a text, of which nothing is told.
const NO_WINDOW: u64 = u64::MAX;

/// The window around `at`.
#[inline]
pub(crate) fn window(bytes: &[u8], at: usize) -> u64 {
    let window = at
        .checked_sub(2)
        .and_then(|start| bytes.get(start..)?.first_chunk());
    window.map_or(NO_WINDOW, |window| u64::from_le_bytes(*window))
}

/// What is told of eight places, in whole words: all bits or none where something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glimpses {
    /// What stands around each, with its characters in lower case and 0 for those a key does not
    /// hold: two before it; a place for what is there instead of a letter; and two behind the
    /// separators, or behind a sign.
    pub(crate) around: [u64; LANES],
    /// Where that is not known: other than ASCII is near.
    pub(crate) unknown: [u64; LANES],
    /// Separators: there are not too many. Signs: no digit stands before it, and it starts no number.
    pub(crate) possible: [u64; LANES],
    /// Separators: they may stand inside a word. Signs: a word and a space stand before it.
    pub(crate) holds: [u64; LANES],
}

const HIGH: u64 = 0x8080_8080_8080_8080;
const ONES: u64 = HIGH >> 7;

/// All bits where the highest bit of byte `nth` is set, else none.
#[inline(always)]
fn all_if(bits: u64, nth: u32) -> u64 {
    (bits >> (8 * nth + 7) & 1).wrapping_neg()
}

/// The highest bit of each byte that lies in a range, of bytes below 0x80.
#[inline(always)]
fn within(ascii: u64, first: u8, last: u8) -> u64 {
    let from = |least: u8| ascii + ONES * u64::from(0x80 - least);
    from(first) & !from(last + 1) & HIGH
}

/// The kinds of the bytes of a window.
struct Near {
    lower: u64,
    letters: u64,
    digits: u64,
    white_space: u64,
    unknown: u64,
}

impl Near {
    #[inline(always)]
    fn of(bytes: u64) -> Self {
        let ascii = bytes & !HIGH;
        let letters = within(ascii | (ONES * 0x20), b'a', b'z');
        let white_space = within(ascii, b'\t', b'\r') | within(ascii, b' ', b' ');
        let controls = (within(ascii, 0, 0x1F) & !white_space) | within(ascii, 0x7F, 0x7F);
        let unknown = bytes & HIGH | controls;
        Self {
            lower: bytes | letters >> 2,
            letters,
            digits: within(ascii, b'0', b'9'),
            white_space,
            unknown: if unknown == 0 { 0 } else { u64::MAX },
        }
    }

    /// The character before the place, and the one before that if both are letters.
    #[inline(always)]
    fn left(&self) -> u64 {
        let is_word = all_if(self.letters, 0) & all_if(self.letters, 1);
        self.lower & (0xFF00 | 0xFF & is_word)
    }
}

/// The lowest character, and the next if both are letters that are not the first of a repetition.
#[inline(always)]
fn right(lower: u64, letters: u64) -> u64 {
    let next_differs = (lower ^ lower >> 8) & 0xFFFF;
    let is_repeated = if next_differs == 0 { u64::MAX } else { 0 };
    let two = all_if(letters, 0) & all_if(letters, 1) & !is_repeated;
    lower & (0xFF | 0xFF00 & two)
}

/// What stands around separators. Without a branch: that is hard to foresee.
#[inline(always)]
pub(crate) fn around_separators(windows: &Windows) -> Glimpses {
    let mut glimpses = Glimpses::NONE;
    for (lane, &bytes) in windows.iter().enumerate() {
        let near = Near::of(bytes);
        // Where the first character behind the separators stands: one of three places.
        let words = near.letters | near.digits;
        let one = all_if(words, 3);
        let two = all_if(words, 4) & !one;
        let three = all_if(words, 5) & !one & !two;
        let behind = |bits: u64| bits >> 24 & one | bits >> 32 & two | bits >> 40 & three;
        let (lower, letters) = (behind(near.lower), behind(near.letters));
        let is_word = all_if(near.letters, 0) & all_if(near.letters, 1);
        // As [`separator::allows`] has it.
        let are_letters = all_if(near.letters, 1) & all_if(letters, 0);
        let in_gap = 0xFF_0000 | 0xFF00_0000 & !one | 0xFF_0000_0000 & three;
        let has_white_space = if near.white_space & in_gap == 0 {
            0
        } else {
            u64::MAX
        };
        let stand_alone = !is_word & !all_if(letters, 1);
        glimpses.around[lane] = near.left() | right(lower, letters) << 24;
        glimpses.unknown[lane] = near.unknown;
        glimpses.possible[lane] = one | two | three;
        glimpses.holds[lane] = !are_letters | !has_white_space | stand_alone;
    }
    glimpses
}

/// The same of signs, whose own meaning the caller adds, and that of a sign behind them.
#[inline(always)]
pub(crate) fn around_signs(windows: &Windows) -> Glimpses {
    let mut glimpses = Glimpses::NONE;
    for (lane, &bytes) in windows.iter().enumerate() {
        let near = Near::of(bytes);
        let left = near.left() & all_if(near.letters, 1);
        let right = right(near.lower >> 24, near.letters >> 24) & all_if(near.letters, 3);
        let has_space = if bytes & 0xFF00 == 0x2000 {
            u64::MAX
        } else {
            0
        };
        // Digits alone are a number, also behind a sign, unless another word follows; a row of signs is
        // a line or a stress.
        let marks = within(bytes & !HIGH, b'!', b'!')
            | within(bytes & !HIGH, b'$', b'$')
            | within(bytes & !HIGH, b'+', b'+')
            | within(bytes & !HIGH, b'@', b'@');
        let is_digit = all_if(near.digits, 2);
        let from_digits = near.digits >> 16 & is_digit | near.digits >> 24 & !is_digit;
        let spaces = within(bytes & !HIGH, b' ', b' ');
        let goes_on = near.letters | marks | near.digits;
        // What stands behind the window may go on.
        let goes_on = goes_on | spaces & (goes_on >> 8 | 1 << 63);
        let stops = !goes_on & HIGH;
        let stops = stops >> 16 & is_digit | stops >> 24 & !is_digit;
        let behind_digits = !from_digits & HIGH;
        let first_behind = behind_digits & behind_digits.wrapping_neg();
        let ends = if first_behind & stops != 0 {
            u64::MAX
        } else {
            0
        };
        let is_number = all_if(from_digits, 0) & all_if(from_digits, 1) & ends;
        let differs = (bytes ^ bytes >> 8) & 0xFFFF_0000;
        let is_row = if differs == 0 { !is_digit } else { 0 };
        let is_wrong = is_row | is_number & !all_if(near.letters, 1);
        glimpses.around[lane] = left | right << 24;
        glimpses.unknown[lane] = near.unknown;
        glimpses.possible[lane] = !all_if(near.digits, 1) & !is_wrong;
        glimpses.holds[lane] = has_space & all_if(near.letters, 0);
    }
    glimpses
}

impl Glimpses {
    const NONE: Self = Self {
        around: [0; LANES],
        unknown: [0; LANES],
        possible: [0; LANES],
        holds: [0; LANES],
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evasion::characters::Traits;
    use crate::simd::Instructions;

    /// What every instruction set tells of windows is what the functions above do.
    fn every_way_agrees(windows: &Windows) {
        for instructions in Instructions::available() {
            let separators = instructions.around_separators(windows);
            assert_eq!(separators, around_separators(windows), "{instructions:?}");
            let signs = instructions.around_signs(windows);
            assert_eq!(signs, around_signs(windows), "{instructions:?}");
        }
    }

    #[test]
    fn bytes_together_are_what_they_are_alone() {
        for first in 0..=u8::MAX {
            for second in 0..=u8::MAX {
                let bytes = [first, second, b'.', first, second, b'a', first, second];
                let near = Near::of(u64::from_le_bytes(bytes));
                let is_plain =
                    |b: u8| b.is_ascii() && (!b.is_ascii_control() || (9..14).contains(&b));
                let all_plain = bytes.into_iter().all(is_plain);
                assert_eq!(near.unknown == 0, all_plain, "{bytes:?}");
                every_way_agrees(&[u64::from_le_bytes(bytes); LANES]);
                for (nth, byte) in bytes.into_iter().enumerate().filter(|_| all_plain) {
                    let has = |bits: u64| bits >> (8 * nth + 7) & 1 != 0;
                    assert_eq!(near.lower.to_le_bytes()[nth], byte.to_ascii_lowercase());
                    assert_eq!(has(near.letters), byte.is_ascii_alphabetic(), "{bytes:?}");
                    assert_eq!(has(near.digits), byte.is_ascii_digit(), "{bytes:?}");
                    let is_white_space = char::from(byte).is_whitespace();
                    assert_eq!(has(near.white_space), is_white_space, "{bytes:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn ways_agree(windows in any::<Windows>(), text in "[aAb1 .,\n@]{64}") {
            every_way_agrees(&windows);
            let (windows, _) = text.as_bytes().as_chunks();
            every_way_agrees(&std::array::from_fn(|nth| u64::from_le_bytes(windows[nth])));
        }
    }

    #[test]
    fn kinds_are_those_of_all_characters() {
        for byte in 0..0x80_u8 {
            let (kind, c) = (Kind::of(byte), char::from(byte));
            let traits = Traits::of(c);
            assert_eq!(kind.is_letter(), traits.is_letter(), "{c:?}");
            assert_eq!(kind.is_digit(), c.is_ascii_digit(), "{c:?}");
            assert_eq!(kind.is_separator(), traits.is_separator(), "{c:?}");
            assert_eq!(
                kind.0 & ENDS_CLAUSE != 0,
                separator::ends_clause(c),
                "{c:?}"
            );
            assert_eq!(kind.0 & WHITE_SPACE != 0, c.is_whitespace(), "{c:?}");
            assert_eq!(
                u32::from(byte.to_ascii_lowercase()),
                traits.class(),
                "{c:?}"
            );
        }
    }
}
