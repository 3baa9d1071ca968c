//! The portable kernel: finds the places of a text whose gram may be an anchor.

use super::filter::GramFilter;
use super::gram::{hash_narrow, hash_wide, is_continuation};

/// Bytes a kernel may read from a place it looks at. A text ends in at least so many bytes that
/// are not looked at.
pub(super) const MARGIN: usize = 64;

/// A place whose gram may be an anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Bytes behind the place the scan started from.
    pub(super) offset: u32,
    /// Hash of the gram there.
    pub(super) hash: u32,
}

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
const KIND_BITS: u64 = 0xC0C0_C0C0_C0C0_C0C0;
/// What [`KIND_BITS`] leaves of 24 bytes that are eight characters of three bytes.
const WIDE_CHARACTERS: [u64; 3] = [
    u64::from_le_bytes([0xC0, 0x80, 0x80, 0xC0, 0x80, 0x80, 0xC0, 0x80]),
    u64::from_le_bytes([0x80, 0xC0, 0x80, 0x80, 0xC0, 0x80, 0x80, 0xC0]),
    u64::from_le_bytes([0x80, 0x80, 0xC0, 0x80, 0x80, 0xC0, 0x80, 0x80]),
];

#[inline(always)]
fn low_half(block: &[u8; 32], at: usize) -> u32 {
    u32::from_le_bytes([block[at], block[at + 1], block[at + 2], block[at + 3]])
}

#[inline(always)]
fn window(block: &[u8; 32], at: usize) -> u64 {
    u64::from(low_half(block, at)) | u64::from(low_half(block, at + 4)) << 32
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
            let mut passed = false;
            let mut hashes = [0; 8];
            for (step, hash) in hashes.iter_mut().enumerate() {
                *hash = hash_narrow(low_half(block, step));
                passed |= filter.may_hold(*hash);
            }
            if passed {
                push_passing(filter, &hashes, at - from, 1, found);
            }
            at += 8;
            if is_continuation(text[at]) {
                at = skip_continuation(text, at);
            }
        } else if words[0] & KIND_BITS == WIDE_CHARACTERS[0]
            && words[1] & KIND_BITS == WIDE_CHARACTERS[1]
            && words[2] & KIND_BITS == WIDE_CHARACTERS[2]
        {
            let mut passed = false;
            let mut hashes = [0; 8];
            for (step, hash) in hashes.iter_mut().enumerate() {
                *hash = hash_wide(low_half(block, 3 * step), low_half(block, 3 * step + 2));
                passed |= filter.may_hold(*hash);
            }
            if passed {
                push_passing(filter, &hashes, at - from, 3, found);
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
pub(super) fn scan_mixed(
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
        let hash = super::gram::hash_window(window(block, step & 7));
        if filter.may_hold(hash) {
            found.push(Candidate {
                offset: (at + step - from) as u32,
                hash,
            });
        }
    }
    skip_continuation(text, at + 8)
}

#[cold]
#[inline(never)]
fn push_passing(
    filter: &GramFilter,
    hashes: &[u32; 8],
    offset: usize,
    step: usize,
    found: &mut Vec<Candidate>,
) {
    for (index, &hash) in hashes.iter().enumerate() {
        if filter.may_hold(hash) {
            found.push(Candidate {
                offset: (offset + index * step) as u32,
                hash,
            });
        }
    }
}

/// The first place from `at` on that does not continue a character.
#[inline(always)]
pub(super) fn skip_continuation(text: &[u8], mut at: usize) -> usize {
    while text.get(at).copied().is_some_and(is_continuation) {
        at += 1;
    }
    at
}
