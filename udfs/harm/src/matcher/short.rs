//! Patterns too short to hold a gram: one Chinese character, a word of three letters.

use super::gram::{WIDE, is_continuation};
use super::kernel::Kernel;
use super::scan::Candidate;
use super::short_places::{BLOCK, READ, ShortPlaces};
use super::table::{AnchorTable, Anchored};

/// Short patterns by the first bytes of theirs, with a bit for every two or three bytes a text
/// may have there.
pub(super) struct ShortPatterns {
    pub(super) table: AnchorTable,
    /// Patterns of one byte: there the bits say nothing about the second.
    has_single: bool,
    /// Finds most places where none starts.
    places: ShortPlaces,
    /// 2^16 bits for pairs of narrow bytes, then as many for the first three bytes of a wide
    /// character.
    bits: Vec<u64>,
}

const BITS: usize = 1 << 16;

impl ShortPatterns {
    /// # Errors
    /// As for [`AnchorTable::new`].
    pub(super) fn new(mut patterns: Vec<Anchored<'_>>) -> Result<Option<Self>, String> {
        if patterns.is_empty() {
            return Ok(None);
        }
        let places = ShortPlaces::new(patterns.iter().map(|pattern| pattern.text.as_bytes()));
        let mut bits = vec![0u64; 2 * BITS / 64];
        let mut has_single = false;
        for pattern in &mut patterns {
            let bytes = pattern.text.as_bytes();
            if bytes.len() == 1 {
                has_single = true;
                pattern.hash = single_hash(bytes[0]);
                for next in 0..=u8::MAX {
                    set(&mut bits, key(bytes[0], next, 0));
                }
            } else {
                let key = key(bytes[0], bytes[1], bytes.get(2).copied().unwrap_or(0));
                set(&mut bits, key);
                pattern.hash = hash(key);
            }
        }
        Ok(Some(Self {
            table: AnchorTable::new(patterns)?,
            has_single,
            places,
            bits,
        }))
    }

    /// Adds every place in `from..to` where a short pattern may start.
    pub(super) fn scan(
        &self,
        kernel: Kernel,
        text: &[u8],
        from: usize,
        to: usize,
        found: &mut Vec<Candidate>,
    ) {
        let to = to.min(text.len());
        let mut at = from;
        while at < to {
            let Some(bytes) = text[at..].first_chunk::<READ>() else {
                break;
            };
            let mut places = kernel.short_places(&self.places, bytes);
            if to - at < BLOCK {
                places &= (1 << (to - at)) - 1;
            }
            while places != 0 {
                let place = at + places.trailing_zeros() as usize;
                self.look_at(text, place, place - from, found);
                places &= places - 1;
            }
            at += BLOCK;
        }
        for at in at..to {
            self.look_at(text, at, at - from, found);
        }
    }

    /// Adds the place `at` if a short pattern may start there.
    #[inline]
    fn look_at(&self, text: &[u8], at: usize, offset: usize, found: &mut Vec<Candidate>) {
        let at_or_zero = |at: usize| text.get(at).copied().unwrap_or(0);
        let byte = text[at];
        if is_continuation(byte) {
            return;
        }
        let key = key(byte, at_or_zero(at + 1), at_or_zero(at + 2));
        if self.bits[key >> 6] >> (key & 63) & 1 == 0 {
            return;
        }
        let offset = offset as u32;
        if self.has_single && byte.is_ascii() {
            found.push(Candidate {
                offset,
                hash: single_hash(byte),
            });
        }
        found.push(Candidate {
            offset,
            hash: hash(key),
        });
    }

    pub(super) fn memory(&self) -> usize {
        self.table.memory() + self.bits.capacity() * size_of::<u64>()
    }
}

fn set(bits: &mut [u64], key: usize) {
    bits[key >> 6] |= 1 << (key & 63);
}

/// A number below 2 * 2^16 for the first bytes of a place: the first two where a narrow
/// character starts, else the first three, which are a character or most of it.
fn key(first: u8, second: u8, third: u8) -> usize {
    if first >= WIDE {
        BITS | (usize::from(first & 0x0F) << 12)
            | (usize::from(second & 0x3F) << 6)
            | usize::from(third & 0x3F)
    } else {
        usize::from(first) << 8 | usize::from(second)
    }
}

fn hash(key: usize) -> u32 {
    (key as u32).wrapping_mul(0x9E37_79B1)
}

fn single_hash(byte: u8) -> u32 {
    hash(2 * BITS + usize::from(byte))
}
