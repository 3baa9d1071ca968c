//! Grams: the few bytes at the start of a character by which patterns are looked for.
//!
//! Where a character of three or four bytes starts, the gram is six bytes (two Chinese
//! characters); elsewhere it is four. Which it is depends on the text at that place alone, so
//! that text and pattern always agree.

use std::ops::Range;

/// Bytes a gram may reach over; what is read at once.
pub(super) const WINDOW: usize = 8;

/// The first byte of characters of three and four bytes is at least this.
pub(crate) const WIDE: u8 = 0xE0;

/// Odd multipliers for the two halves of a gram, the level behind, and neighbouring bytes.
pub(crate) const MULTIPLY_LOW: u32 = 0x9E37_79B1;
pub(crate) const MULTIPLY_HIGH: u32 = 0x85EB_CA77;

/// Bytes of a gram that starts with `lead`.
pub(super) const fn gram_length(lead: u8) -> usize {
    if lead >= WIDE { 6 } else { 4 }
}

/// Whether a byte continues a character rather than starting one.
pub(super) const fn is_continuation(byte: u8) -> bool {
    byte & 0xC0 == 0x80
}

/// Hash of four bytes, little end first.
#[inline(always)]
pub(super) const fn hash_narrow(low: u32) -> u32 {
    low.wrapping_mul(MULTIPLY_LOW)
}

/// Hash of six bytes: the first four and the last four, little end first.
#[inline(always)]
pub(super) const fn hash_wide(low: u32, high: u32) -> u32 {
    hash_narrow(low).wrapping_add(high_part(high))
}

#[inline(always)]
const fn high_part(high: u32) -> u32 {
    high.wrapping_mul(MULTIPLY_HIGH)
}

/// Hash of the gram in the low bytes of `window`, which starts with a character. Without a
/// branch, since texts that mix scripts make it hard to foresee.
#[inline(always)]
pub(crate) const fn hash_window(window: u64) -> u32 {
    let wide = 0u32.wrapping_sub((window as u8 >= WIDE) as u32);
    hash_narrow(window as u32).wrapping_add(high_part((window >> 16) as u32) & wide)
}

/// The bytes at `at`, zeros behind the end.
pub(crate) fn window_at(bytes: &[u8], at: usize) -> u64 {
    let tail = bytes.get(at..).unwrap_or_default();
    match tail.first_chunk::<WINDOW>() {
        Some(window) => u64::from_le_bytes(*window),
        None => {
            let mut window = [0; WINDOW];
            window[..tail.len()].copy_from_slice(tail);
            u64::from_le_bytes(window)
        }
    }
}

/// The place of the gram that starts at `start`; `None` when the text ends inside it.
pub(super) fn gram_at(text: &str, start: usize) -> Option<Range<usize>> {
    let end = start + gram_length(*text.as_bytes().get(start)?);
    (end <= text.len()).then_some(start..end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gram_is_two_wide_characters_or_four_bytes() {
        assert_eq!(gram_at("中文字", 0), Some(0..6));
        assert_eq!(gram_at("中文字", 6), None);
        assert_eq!(gram_at("中ab", 0), None);
        assert_eq!(gram_at("ab中", 0), Some(0..4));
        assert_eq!(gram_at("éa", 0), None);
        assert_eq!(gram_at("😀é", 0), Some(0..6));
        assert_eq!(gram_at("", 0), None);
    }

    #[test]
    fn bytes_behind_a_gram_do_not_change_its_hash() {
        for (gram, other) in [("abcd", "abce"), ("中文", "中字"), ("éé", "éè")] {
            let hash = |text: &str| hash_window(window_at(text.as_bytes(), 0));
            assert_eq!(hash(gram), hash(&format!("{gram}xy")));
            assert_eq!(hash(gram), hash(&format!("{gram}字")));
            assert_ne!(hash(gram), hash(other));
        }
    }
}
