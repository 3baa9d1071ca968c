//! What stands around a disguise, as the index is asked for it.

use crate::evasion::characters::Traits;

pub(crate) const NOTHING: u32 = 0;
/// A sign for the letter.
pub(super) const SIGN: u32 = 1 << 22;
/// The next character of the term, behind separators or without a letter in between.
pub(super) const BEYOND: u32 = 1 << 23;
/// White space among those separators: what terms have that go on in the next word.
pub(super) const SPACED: u32 = 1 << 24;

/// What keys hold of what stands left of a disguise: up to three letters written together, or one
/// character of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    /// Their classes, the nearest first.
    pub(super) classes: [u32; 3],
    /// Whether it is the end of the word before, with a space between.
    is_word_before: bool,
}

impl Left {
    pub(super) const NOTHING: Self = Self::of([NOTHING; 3]);

    /// `classes` are those of letters, the nearest first, or the first is that of another character
    /// and nothing follows.
    #[inline]
    pub(crate) const fn of(classes: [u32; 3]) -> Self {
        Self {
            classes,
            is_word_before: false,
        }
    }

    pub(super) fn word_before(last: u32) -> Self {
        Self {
            classes: [last, NOTHING, NOTHING],
            is_word_before: true,
        }
    }

    /// Whether it is the end of the word before.
    pub(super) fn is_word_before(self) -> bool {
        self.is_word_before
    }

    /// Whether no letter stands before the nearest.
    #[inline]
    pub(super) fn is_alone(self) -> bool {
        self.classes[1] == NOTHING
    }

    /// The same with two letters at most: what a term that starts with them has, though the text
    /// may have a third before.
    #[inline]
    pub(super) fn shorter(self) -> Self {
        let [last, second, _] = self.classes;
        Self {
            classes: [last, second, NOTHING],
            ..self
        }
    }

    /// How many characters that stand right before the disguise are part of it.
    pub(super) fn characters(self) -> usize {
        match self.is_word_before {
            true => 0,
            false => self
                .classes
                .iter()
                .take_while(|class| **class != NOTHING)
                .count(),
        }
    }

    /// All of it; a class has 21 bits.
    #[inline]
    pub(super) fn packed(self) -> u64 {
        let [last, second, third] = self.classes.map(u64::from);
        last | second << 21 | third << 42 | u64::from(self.is_word_before) << 63
    }
}

/// What keys hold for a character: the same for all its forms that plain texts have.
pub(super) fn class(c: char) -> u32 {
    Traits::of(c).class()
}

/// Agrees with whatever a spelling has.
pub(super) const ANYTHING: u8 = u8::MAX;

/// No character of a word.
pub(super) const BOUNDARY: u8 = u8::MAX - 1;

/// Part of the class of a character, neither 0 nor [`ANYTHING`] nor [`BOUNDARY`].
pub(super) fn byte_class(c: char) -> u8 {
    (class(c) % 251) as u8 + 1
}

pub(super) const ANY_LETTER: u32 = u32::MAX;

/// The bit of an ASCII letter by its class; none for other characters.
pub(super) fn letter_bit(class: u32) -> u32 {
    match class.wrapping_sub(u32::from('a')) {
        at @ 0..26 => 1 << at,
        _ => 0,
    }
}

#[inline]
pub(super) fn key(left: Left, middle: u32, right: (u32, u32)) -> u64 {
    let right = u64::from(right.0) << 32 | u64::from(right.1);
    let mixed = u128::from(left.packed() ^ 0x9E37_79B9_7F4A_7C15)
        * u128::from(right ^ u64::from(middle) << 48 ^ 0xD6E8_FEB8_6659_FD93);
    (mixed as u64 ^ (mixed >> 64) as u64).wrapping_mul(0xA076_1D64_78BD_642F)
}
