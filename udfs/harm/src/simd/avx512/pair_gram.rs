//! The pair-gram filter of the matcher with AVX-512: 48 bytes a step, sixteen characters at once.

use std::arch::x86_64::*;
use std::mem::MaybeUninit;

use super::{Avx512, assert_every_hash_has_its_word, prefetch_ahead};
use crate::matcher::filter::{BIT_SHIFTS, GramFilter};
use crate::matcher::gram::{MULTIPLY_HIGH, MULTIPLY_LOW, WIDE, hash_window, window_at};
use crate::matcher::scan::{AHEAD, Candidate};

impl Avx512 {
    /// As the portable `scan` of `matcher::scan`, but `text` may end at `to`.
    ///
    /// # Panics
    /// When `text` does not reach `to`.
    pub(crate) fn scan(
        self,
        filter: &GramFilter,
        text: &[u8],
        from: usize,
        to: usize,
        found: &mut Vec<Candidate>,
    ) -> usize {
        assert!(to <= text.len(), "a text that long");
        assert_every_hash_has_its_word(filter);
        // SAFETY: `self` proves the features; the conditions were just checked.
        unsafe { scan(filter, text, from, to, found) }
    }
}

/// Bytes of a block in which characters start that a step looks at. Those behind, up to 64, are
/// for the grams of the last.
const STEP: usize = 48;
const STEP_BYTES: u64 = (1 << STEP) - 1;
/// Characters looked at together.
const LANES: usize = 16;
/// Places that pass are gathered for so many bytes of text before their hashes are needed.
const PART: usize = 64 * STEP;

/// # Safety
/// `text` reaches `to`, and `filter.words` has 2^(32 - word_shift) words, at most 2^31.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vbmi,avx512vbmi2,bmi1,bmi2,popcnt")]
unsafe fn scan(
    filter: &GramFilter,
    text: &[u8],
    from: usize,
    to: usize,
    found: &mut Vec<Candidate>,
) -> usize {
    let every_byte = constant(const { &numbers(0) });
    let ascii = [
        Grams::at(every_byte),
        Grams::at(constant(const { &numbers(16) })),
        Grams::at(constant(const { &numbers(32) })),
    ];
    let bits = Bits::of(filter);
    // Those before `count` are written.
    let mut offsets_found = [MaybeUninit::<u32>::uninit(); PART + LANES];
    let mut at = from;
    while at < to {
        let part = at;
        let end = to.min(part + PART);
        let mut count = 0;
        let mut last = Lookup::none();
        while at < end {
            let offset = splat((at - part) as u32);
            prefetch_ahead(text, at + AHEAD);
            // Of a text that ends here, zeros stand for the rest.
            let there = _bzhi_u64(u64::MAX, (text.len() - at).min(64) as u32);
            // SAFETY: reads only what is there behind `at`.
            let block = unsafe { _mm512_maskz_loadu_epi8(there, text.as_ptr().add(at).cast()) };
            if _mm512_movepi8_mask(block) & STEP_BYTES == 0 {
                for grams in ascii {
                    let hash = hash_narrow(grams.low(block));
                    let offsets = _mm512_add_epi32(grams.places(), offset);
                    // SAFETY: every hash has its word.
                    let next = unsafe { bits.look_up(hash, offsets, u16::MAX) };
                    // SAFETY: a part has at most PART places, so that `count` is at most that, and there
                    // is room for LANES more.
                    count += unsafe { last.store(offsets_found.as_mut_ptr().add(count)) };
                    last = next;
                }
            } else {
                let continuations = _mm512_cmplt_epi8_mask(block, _mm512_set1_epi8(-64));
                let mut starts = !continuations & there & STEP_BYTES;
                loop {
                    // The places of the next characters, at most sixteen; the other lanes are not
                    // used.
                    let grams = Grams::at(_mm512_maskz_compress_epi8(starts, every_byte));
                    let left = starts.count_ones();
                    let lanes = _bzhi_u32(u32::MAX, left.min(LANES as u32)) as u16;
                    let hash = hash_any(grams.low(block), grams.high(block));
                    let offsets = _mm512_add_epi32(grams.places(), offset);
                    // SAFETY: every hash has its word.
                    let next = unsafe { bits.look_up(hash, offsets, lanes) };
                    // SAFETY: as above.
                    count += unsafe { last.store(offsets_found.as_mut_ptr().add(count)) };
                    last = next;
                    if left <= LANES as u32 {
                        break;
                    }
                    starts &= !_pdep_u64(0xFFFF, starts);
                }
            }
            at += STEP;
        }
        // SAFETY: as above.
        count += unsafe { last.store(offsets_found.as_mut_ptr().add(count)) };
        // SAFETY: so many were written.
        for &offset in unsafe { offsets_found[..count].assume_init_ref() } {
            let place = part + offset as usize;
            if place >= text.len() {
                break;
            }
            found.push(Candidate {
                offset: (place - from) as u32,
                hash: hash_window(window_at(text, place)),
            });
        }
    }
    at
}

#[inline]
#[target_feature(enable = "avx512f")]
fn splat(value: u32) -> __m512i {
    _mm512_set1_epi32(value as i32)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn constant(bytes: &[u8; 64]) -> __m512i {
    // SAFETY: 64 bytes are read from an array of that size.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// `first` and the numbers behind it.
const fn numbers(first: u8) -> [u8; 64] {
    let mut numbers = [0; 64];
    let mut index = 0;
    while index < 64 {
        numbers[index] = first + index as u8;
        index += 1;
    }
    numbers
}

/// For each of the sixteen lanes the number of its byte in 64, four times.
const FOURFOLD: [u8; 64] = {
    let mut numbers = numbers(0);
    let mut index = 0;
    while index < 64 {
        numbers[index] /= 4;
        index += 1;
    }
    numbers
};

/// Where sixteen grams lie in a block: in each lane the places of the first four bytes.
#[derive(Clone, Copy)]
struct Grams(__m512i);

impl Grams {
    /// Of those that start at the first sixteen of `places`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vbmi")]
    fn at(places: __m512i) -> Self {
        let fourfold = _mm512_permutexvar_epi8(constant(&FOURFOLD), places);
        Self(_mm512_add_epi32(fourfold, splat(0x0302_0100)))
    }

    /// The places of the grams.
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn places(self) -> __m512i {
        _mm512_and_si512(self.0, splat(0xFF))
    }

    /// The first four bytes of each gram.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vbmi")]
    fn low(self, block: __m512i) -> __m512i {
        _mm512_permutexvar_epi8(self.0, block)
    }

    /// The last four bytes of grams of six.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vbmi")]
    fn high(self, block: __m512i) -> __m512i {
        let places = _mm512_add_epi32(self.0, splat(0x0202_0202));
        _mm512_permutexvar_epi8(places, block)
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn mix(half: __m512i, multiply: u32) -> __m512i {
    _mm512_mullo_epi32(half, splat(multiply))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn hash_narrow(low: __m512i) -> __m512i {
    mix(low, MULTIPLY_LOW)
}

/// Of grams of four bytes and of six.
#[inline]
#[target_feature(enable = "avx512f")]
fn hash_any(low: __m512i, high: __m512i) -> __m512i {
    let lead = _mm512_and_si512(low, splat(0xFF));
    let wide = _mm512_cmpge_epu32_mask(lead, splat(u32::from(WIDE)));
    let narrow = hash_narrow(low);
    _mm512_mask_add_epi32(narrow, wide, narrow, mix(high, MULTIPLY_HIGH))
}

/// The filter, and how to look into it.
struct Bits<'a> {
    words: &'a [u32],
    word_shift: __m128i,
}

impl<'a> Bits<'a> {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn of(filter: &'a GramFilter) -> Self {
        Self {
            words: &filter.words,
            word_shift: _mm_cvtsi32_si128(filter.word_shift as i32),
        }
    }

    /// Asks for the words of sixteen hashes, of grams at `offsets`; only `lanes` of them count.
    ///
    /// # Safety
    /// The filter has a word for every hash, and at most 2^31.
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn look_up(&self, hash: __m512i, offsets: __m512i, lanes: u16) -> Lookup {
        let index = _mm512_srl_epi32(hash, self.word_shift);
        // SAFETY: the indices lie below 2^(32 - word_shift), the number of words, and are not
        // negative.
        let words = unsafe { _mm512_i32gather_epi32::<4>(index, self.words.as_ptr().cast()) };
        Lookup {
            hash,
            words,
            offsets,
            lanes,
        }
    }
}

/// What was asked of the filter. It is looked at when the next is on its way: else what waits for it
/// fills the core.
#[derive(Clone, Copy)]
struct Lookup {
    hash: __m512i,
    words: __m512i,
    offsets: __m512i,
    lanes: u16,
}

impl Lookup {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn none() -> Self {
        let zero = _mm512_setzero_si512();
        Self {
            hash: zero,
            words: zero,
            offsets: zero,
            lanes: 0,
        }
    }

    /// Writes where the grams lie that the filter may hold, and returns how many. Without a branch,
    /// since what passes is hard to foresee.
    ///
    /// # Safety
    /// There is room for LANES numbers.
    #[inline]
    #[target_feature(enable = "avx512f,avx512dq,popcnt")]
    unsafe fn store(self, room: *mut MaybeUninit<u32>) -> usize {
        // A rotation takes its count from the lowest five bits.
        let bit = |count: __m512i| _mm512_rolv_epi32(self.words, count);
        let every = _mm512_and_si512(
            _mm512_and_si512(
                bit(self.hash),
                bit(_mm512_srli_epi32::<{ BIT_SHIFTS[1] }>(self.hash)),
            ),
            bit(_mm512_srli_epi32::<{ BIT_SHIFTS[2] }>(self.hash)),
        );
        let passing = self.lanes & _mm512_movepi32_mask(every);
        let passing_offsets = _mm512_maskz_compress_epi32(passing, self.offsets);
        // SAFETY: the caller's.
        unsafe { _mm512_storeu_si512(room.cast(), passing_offsets) };
        passing.count_ones() as usize
    }
}
