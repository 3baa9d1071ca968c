//! What searching asks of ASCII characters around a separator.

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evasion::characters::Traits;

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
