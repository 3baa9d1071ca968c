//! The portable kernel: finds the places of a text whose gram may be an anchor.

use super::filter::GramFilter;
use super::gram::{hash_narrow, hash_wide, hash_window, is_continuation};
use crate::simd::prefetch_ahead;

/// Bytes a kernel may read from a place it looks at. A text ends in at least so many bytes that
/// are not looked at.
pub(crate) const MARGIN: usize = 64;

/// Bytes ahead that are asked for: each page begins a new stream for the processor.
pub(crate) const AHEAD: usize = 2048;

/// A place whose gram may be an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Bytes behind the place the scan started from.
    pub(crate) offset: u32,
    /// Hash of the gram there.
    pub(crate) hash: u32,
}

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const KIND_BITS: u64 = 0xC0C0_C0C0_C0C0_C0C0;
/// What [`KIND_BITS`] leaves of 24 bytes that are eight characters of three bytes.
const WIDE_CHARACTERS: [u64; 3] = [
    u64::from_le_bytes([0xC0, 0x80, 0x80, 0xC0, 0x80, 0x80, 0xC0, 0x80]),
    u64::from_le_bytes([0x80, 0xC0, 0x80, 0x80, 0xC0, 0x80, 0x80, 0xC0]),
    u64::from_le_bytes([0x80, 0x80, 0xC0, 0x80, 0x80, 0xC0, 0x80, 0x80]),
];

/// Four bytes of a block, read at once.
#[inline(always)]
fn low_half(block: &[u8; 32], at: usize) -> u32 {
    block[at..]
        .first_chunk()
        .map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

/// Eight bytes of a block, read at once.
#[inline(always)]
fn window(block: &[u8; 32], at: usize) -> u64 {
    block[at..]
        .first_chunk()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Looks at every character that starts in `from..to` and perhaps a few behind, and returns the
/// first it did not look at (or a byte inside the character before). `text` reaches at least
/// [`MARGIN`] bytes behind `to`.
pub(super) fn scan(
    filter: &GramFilter,
    text: &[u8],
    from: usize,
    to: usize,
    found: &mut Vec<Candidate>,
) -> usize {
    let mut at = skip_continuation(text, from);
    while at < to {
        let block: &[u8; 32] = text[at..].first_chunk().expect("a margin behind the end");
        let words = [window(block, 0), window(block, 8), window(block, 16)];
        if words[0] & HIGH_BITS == 0 {
            for step in 0..8 {
                let hash = hash_narrow(low_half(block, step));
                if filter.may_hold(hash) {
                    push(found, at + step - from, hash);
                }
            }
            at += 8;
        } else if words[0] & KIND_BITS == WIDE_CHARACTERS[0]
            && words[1] & KIND_BITS == WIDE_CHARACTERS[1]
            && words[2] & KIND_BITS == WIDE_CHARACTERS[2]
        {
            prefetch_ahead(text, at + AHEAD);
            for step in (0..24).step_by(3) {
                let hash = hash_wide(low_half(block, step), low_half(block, step + 2));
                if filter.may_hold(hash) {
                    push(found, at + step - from, hash);
                }
            }
            at = skip_continuation(text, at + 24);
        } else {
            at = scan_mixed(filter, text, from, at, found);
        }
    }
    at
}

/// Looks at the characters that start in the eight bytes at `at`, of any kind, and returns the
/// start of the next.
#[inline(always)]
pub(crate) fn scan_mixed(
    filter: &GramFilter,
    text: &[u8],
    from: usize,
    at: usize,
    found: &mut Vec<Candidate>,
) -> usize {
    let block: &[u8; 32] = text[at..].first_chunk().expect("a margin behind the end");
    let word = window(block, 0);
    // A continuation byte has the high bit and not the next.
    let mut starts = !(word & !(word << 1)) & HIGH_BITS;
    while starts != 0 {
        let step = (starts.trailing_zeros() / 8) as usize;
        starts &= starts - 1;
        let hash = hash_window(window(block, step & 7));
        if filter.may_hold(hash) {
            push(found, at + step - from, hash);
        }
    }
    skip_continuation(text, at + 8)
}

#[cold]
#[inline(never)]
fn push(found: &mut Vec<Candidate>, offset: usize, hash: u32) {
    found.push(Candidate {
        offset: offset as u32,
        hash,
    });
}

/// The first place from `at` on that does not continue a character.
#[inline(always)]
pub(crate) fn skip_continuation(text: &[u8], mut at: usize) -> usize {
    while text.get(at).copied().is_some_and(is_continuation) {
        at += 1;
    }
    at
}
