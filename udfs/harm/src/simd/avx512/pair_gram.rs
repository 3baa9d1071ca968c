//! The pair-gram filter of the matcher with AVX-512: 48 bytes a step, sixteen characters at once.

use std::arch::x86_64::*;

use super::{Avx512, assert_scannable};
use crate::matcher::filter::{GramFilter, SECOND_BIT_SHIFT};
use crate::matcher::gram::{MULTIPLY_HIGH, MULTIPLY_LOW, WIDE};
use crate::matcher::scan::{Candidate, MARGIN, skip_continuation};

impl Avx512 {
    /// As the portable `scan` of `matcher::scan`.
    ///
    /// # Panics
    /// When `text` does not reach [`MARGIN`] bytes behind `to`.
    pub(crate) fn scan(
        self,
        filter: &GramFilter,
        text: &[u8],
        from: usize,
        to: usize,
        found: &mut Vec<Candidate>,
    ) -> usize {
        assert_scannable(filter, text, to);
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
/// The continuation bytes of sixteen characters of three bytes.
const WIDE_CHARACTERS: u64 = 0o6_666_666_666_666_666;

/// # Safety
/// `text` reaches [`MARGIN`] bytes behind `to`, and `filter.words` has 2^(32 - word_shift)
/// words, at most 2^31.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,bmi1,bmi2,popcnt")]
unsafe fn scan(
    filter: &GramFilter,
    text: &[u8],
    from: usize,
    to: usize,
    found: &mut Vec<Candidate>,
) -> usize {
    const { assert!(MARGIN >= 64) };
    let ascii = [0, 16, 32].map(|first| Grams::at(bytes(|lane| first + lane)));
    let wide = Grams::at(bytes(|lane| 3 * lane));
    let every_byte = bytes(|byte| byte);
    let bits = Bits::of(filter);
    // The first byte of a character.
    let mut at = skip_continuation(text, from);
    while at < to {
        // SAFETY: reads bytes 0 to 63 behind `at`, which the margin covers.
        let block = unsafe { _mm512_loadu_si512(text.as_ptr().add(at).cast()) };
        // Whole blocks first, with steps that do not wait for what was read.
        if _mm512_movepi8_mask(block) & STEP_BYTES == 0 {
            let hashes = ascii.map(|grams| hash_narrow(grams.low(block)));
            // SAFETY: every hash has its word.
            let passing = hashes.map(|hash| unsafe { bits.passing(hash) });
            if passing != [0; 3] {
                for ((grams, hash), passing) in ascii.iter().zip(hashes).zip(passing) {
                    if passing != 0 {
                        push(passing, grams, hash, at - from, found);
                    }
                }
            }
            at += STEP;
            continue;
        }
        let continuations = _mm512_cmplt_epi8_mask(block, _mm512_set1_epi8(-64));
        if continuations & STEP_BYTES == WIDE_CHARACTERS {
            let hash = hash_wide(wide.low(block), wide.high(block));
            // SAFETY: every hash has its word.
            let passing = unsafe { bits.passing(hash) };
            if passing != 0 {
                push(passing, &wide, hash, at - from, found);
            }
            at += STEP;
            // The last may have been of four bytes.
            if continuations >> STEP & 1 != 0 {
                at += 1;
            }
            continue;
        }
        let mut starts = !continuations & STEP_BYTES;
        while starts != 0 {
            // The places of the next characters, at most sixteen; the other lanes are not used.
            let places = _mm512_maskz_compress_epi8(starts, every_byte);
            let grams = Grams::at(places);
            let count = starts.count_ones().min(LANES as u32);
            let hash = hash_any(grams.low(block), grams.high(block));
            // SAFETY: every hash has its word.
            let passing = unsafe { bits.passing(hash) } & _bzhi_u32(u32::MAX, count) as u16;
            if passing != 0 {
                push(passing, &grams, hash, at - from, found);
            }
            starts &= !_pdep_u64(_bzhi_u64(u64::MAX, count), starts);
        }
        at += STEP + (!continuations >> STEP).trailing_zeros() as usize;
    }
    at
}

#[inline]
#[target_feature(enable = "avx512f")]
fn splat(value: u32) -> __m512i {
    _mm512_set1_epi32(value as i32)
}

/// What `of` gives for 0 to 63.
#[inline]
#[target_feature(enable = "avx512f")]
fn bytes(of: impl Fn(u8) -> u8) -> __m512i {
    let bytes: [u8; 64] = std::array::from_fn(|number| of(number as u8));
    // SAFETY: 64 bytes are read from an array of that size.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// Where sixteen grams lie in a block: in each lane the places of the first four bytes.
#[derive(Clone, Copy)]
struct Grams(__m512i);

impl Grams {
    /// Of those that start at the first sixteen of `places`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512vbmi")]
    fn at(places: __m512i) -> Self {
        let fourfold = _mm512_permutexvar_epi8(bytes(|byte| byte / 4), places);
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
    let mixed = _mm512_xor_si512(half, _mm512_srli_epi32::<15>(half));
    _mm512_mullo_epi32(mixed, splat(multiply))
}

#[inline]
#[target_feature(enable = "avx512f")]
fn hash_narrow(low: __m512i) -> __m512i {
    mix(low, MULTIPLY_LOW)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn hash_wide(low: __m512i, high: __m512i) -> __m512i {
    _mm512_add_epi32(hash_narrow(low), mix(high, MULTIPLY_HIGH))
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

    /// One bit for each of the sixteen hashes the filter may hold.
    ///
    /// # Safety
    /// The filter has a word for every hash, and at most 2^31.
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn passing(&self, hash: __m512i) -> u16 {
        let index = _mm512_srl_epi32(hash, self.word_shift);
        // SAFETY: the indices lie below 2^(32 - word_shift), the number of words, and are not
        // negative.
        let words = unsafe { _mm512_i32gather_epi32::<4>(index, self.words.as_ptr().cast()) };
        // A rotation takes its count from the lowest five bits.
        let both = _mm512_and_si512(
            _mm512_rorv_epi32(words, hash),
            _mm512_rorv_epi32(words, _mm512_srli_epi32::<SECOND_BIT_SHIFT>(hash)),
        );
        _mm512_test_epi32_mask(both, splat(1))
    }
}

/// Takes the grams that pass, of a block `offset` bytes behind the start of the scan. Apart from the
/// loop, which else has no registers left.
#[inline(never)]
#[target_feature(enable = "avx512f,popcnt")]
fn push(passing: u16, grams: &Grams, hash: __m512i, offset: usize, found: &mut Vec<Candidate>) {
    let offsets = _mm512_add_epi32(grams.places(), splat(offset as u32));
    let offsets = compress(passing, offsets);
    let hashes = compress(passing, hash);
    let count = passing.count_ones() as usize;
    for (&offset, &hash) in offsets.iter().zip(&hashes).take(count) {
        found.push(Candidate { offset, hash });
    }
}

/// The chosen lanes, in order, and zeros behind.
#[inline]
#[target_feature(enable = "avx512f")]
fn compress(chosen: u16, lanes: __m512i) -> [u32; LANES] {
    let mut numbers = [0; LANES];
    // SAFETY: the array has room for 64 bytes.
    unsafe {
        _mm512_storeu_si512(
            numbers.as_mut_ptr().cast(),
            _mm512_maskz_compress_epi32(chosen, lanes),
        );
    }
    numbers
}
