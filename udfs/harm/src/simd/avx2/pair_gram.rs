//! The pair-gram filter of the matcher with AVX2.

use std::arch::x86_64::*;

use super::{Avx2, assert_scannable, prefetch_ahead};
use crate::matcher::filter::{BIT_SHIFTS, GramFilter};
use crate::matcher::gram::{MULTIPLY_HIGH, MULTIPLY_LOW};
use crate::matcher::scan::{AHEAD, Candidate, scan_mixed, skip_continuation};

impl Avx2 {
    /// As the portable `scan` of `matcher::scan`.
    ///
    /// # Panics
    /// When `text` does not reach `MARGIN` bytes behind `to`.
    pub(crate) fn scan(
        self,
        filter: &GramFilter,
        text: &[u8],
        from: usize,
        to: usize,
        found: &mut Vec<Candidate>,
    ) -> usize {
        assert_scannable(filter, text, to);
        // SAFETY: `self` proves the features; the two conditions were just checked.
        unsafe { scan(filter, text, from, to, found) }
    }
}

/// The continuation bytes of eight characters of three bytes.
const WIDE_CHARACTERS: u32 = 0o66_666_666;
/// Behind them.
const WIDE_END: u32 = 1 << 24;

/// # Safety
/// `text` reaches `MARGIN` bytes behind `to`, and `filter.words` has 2^(32 - word_shift)
/// words.
#[target_feature(enable = "avx2,bmi1,bmi2")]
unsafe fn scan(
    filter: &GramFilter,
    text: &[u8],
    from: usize,
    to: usize,
    found: &mut Vec<Candidate>,
) -> usize {
    let narrow = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        0, 1, 2, 3, 1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6,
    ));
    let wide_low = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        0, 1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 9, 10, 11, 12,
    ));
    let wide_high = _mm256_broadcastsi128_si256(_mm_setr_epi8(
        2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11, 12, 13, 14,
    ));
    let bits = Bits::of(filter);
    let mut at = skip_continuation(text, from);
    while at < to {
        prefetch_ahead(text, at + AHEAD);
        // SAFETY: `at` lies before `to`, and the text reaches a margin behind that.
        let place = unsafe { text.as_ptr().add(at) };
        // SAFETY: reads bytes 0 to 31 behind `place`, which the margin covers.
        let block = unsafe { _mm256_loadu_si256(place.cast()) };
        // Whole blocks first, with steps that do not wait for what was read.
        let ascii = (_mm256_movemask_epi8(block) as u32).trailing_zeros();
        if ascii >= 16 {
            // SAFETY: reads bytes 0 to 27 behind `place`; every hash has its word.
            let (first, second) = unsafe {
                (
                    bits.narrow(place, narrow),
                    bits.narrow(place.add(8), narrow),
                )
            };
            if first.1 | second.1 != 0 {
                push(first, at - from, 1, found);
                push(second, at + 8 - from, 1, found);
            }
            at += 16;
            continue;
        }
        if ascii > 0 {
            // At most eight of them; what follows ASCII starts a character.
            let count = ascii.min(8);
            // SAFETY: reads bytes 0 to 19 behind `place`; every hash has its word.
            let (hash, passing) = unsafe { bits.narrow(place, narrow) };
            let passing = passing & ((1 << count) - 1);
            if passing != 0 {
                push((hash, passing), at - from, 1, found);
            }
            at += count as usize;
            continue;
        }
        let continuations =
            _mm256_movemask_epi8(_mm256_cmpgt_epi8(_mm256_set1_epi8(-64), block)) as u32;
        let differ = continuations ^ WIDE_CHARACTERS;
        // A first character of three bytes, or four.
        if differ & 0b111 == 0 {
            // SAFETY: reads bytes 0 to 27 behind `place`; every hash has its word.
            let (hash, passing) = unsafe {
                let bytes = pair(place, 12);
                let low = _mm256_shuffle_epi8(bytes, wide_low);
                let high = _mm256_shuffle_epi8(bytes, wide_high);
                let hash = hash_wide(low, high);
                (hash, bits.passing(hash))
            };
            let (passing, step) = if differ & (WIDE_END - 1) == 0 {
                (passing, 24)
            } else {
                let count = differ.trailing_zeros() / 3;
                (passing & ((1 << count) - 1), 3 * count)
            };
            if passing != 0 {
                push((hash, passing), at - from, 3, found);
            }
            at += step as usize;
            // The last may have been of four bytes.
            if continuations >> step & 1 != 0 {
                at += 1;
            }
            continue;
        }
        at = scan_mixed(filter, text, from, at, found);
    }
    at
}

/// Sixteen bytes at `place` and sixteen at `distance` behind.
///
/// # Safety
/// All of them can be read.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn pair(place: *const u8, distance: usize) -> __m256i {
    // SAFETY: the caller's.
    unsafe {
        let first = _mm_loadu_si128(place.cast());
        let second = _mm_loadu_si128(place.add(distance).cast());
        _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(first), second)
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn hash_narrow(low: __m256i) -> __m256i {
    _mm256_mullo_epi32(low, _mm256_set1_epi32(MULTIPLY_LOW as i32))
}

#[inline]
#[target_feature(enable = "avx2")]
fn hash_wide(low: __m256i, high: __m256i) -> __m256i {
    let high = _mm256_mullo_epi32(high, _mm256_set1_epi32(MULTIPLY_HIGH as i32));
    _mm256_add_epi32(hash_narrow(low), high)
}

/// The filter, and how to look into it.
struct Bits<'a> {
    words: &'a [u32],
    word_shift: __m128i,
}

impl<'a> Bits<'a> {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn of(filter: &'a GramFilter) -> Self {
        Self {
            words: &filter.words,
            word_shift: _mm_cvtsi32_si128(filter.word_shift as i32),
        }
    }

    /// The hashes of the grams of four bytes that start at `place` and the next seven bytes,
    /// and a bit for each the filter may hold.
    ///
    /// # Safety
    /// Twenty bytes at `place` can be read, and the filter has a word for every hash.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn narrow(&self, place: *const u8, shuffle: __m256i) -> (__m256i, u32) {
        // SAFETY: the caller's.
        unsafe {
            let hash = hash_narrow(_mm256_shuffle_epi8(pair(place, 4), shuffle));
            (hash, self.passing(hash))
        }
    }

    /// The words at four indices.
    ///
    /// # Safety
    /// There are that many words.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn load(&self, index: __m128i) -> __m128i {
        let first = _mm_cvtsi128_si64(index) as u64;
        let second = _mm_extract_epi64::<1>(index) as u64;
        let words = self.words;
        // SAFETY: the caller's.
        let word = |index: u64| unsafe { *words.get_unchecked(index as usize) as i32 };
        let low = |both: u64| both & u64::from(u32::MAX);
        _mm_setr_epi32(
            word(low(first)),
            word(first >> 32),
            word(low(second)),
            word(second >> 32),
        )
    }

    /// One bit for each of the eight hashes the filter may hold.
    ///
    /// # Safety
    /// The filter has a word for every hash.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn passing(&self, hash: __m256i) -> u32 {
        // Eight plain loads: no slower than a gather where that is fast, and much faster
        // where it is not.
        let index = _mm256_srl_epi32(hash, self.word_shift);
        // SAFETY: the indices lie below 2^(32 - word_shift), the number of words.
        let words = unsafe {
            _mm256_set_m128i(
                self.load(_mm256_extracti128_si256::<1>(index)),
                self.load(_mm256_castsi256_si128(index)),
            )
        };
        let bit = |count: __m256i| {
            _mm256_sllv_epi32(words, _mm256_and_si256(count, _mm256_set1_epi32(31)))
        };
        let every = _mm256_and_si256(
            _mm256_and_si256(
                bit(hash),
                bit(_mm256_srli_epi32::<{ BIT_SHIFTS[1] as i32 }>(hash)),
            ),
            bit(_mm256_srli_epi32::<{ BIT_SHIFTS[2] as i32 }>(hash)),
        );
        _mm256_movemask_ps(_mm256_castsi256_ps(every)) as u32
    }
}

#[inline]
#[target_feature(enable = "avx2,bmi1")]
fn push(
    (hash, mut passing): (__m256i, u32),
    offset: usize,
    step: usize,
    found: &mut Vec<Candidate>,
) {
    let mut hashes = [0u32; 8];
    // SAFETY: the array has room for 32 bytes.
    unsafe { _mm256_storeu_si256(hashes.as_mut_ptr().cast(), hash) };
    while passing != 0 {
        let index = (passing.trailing_zeros() & 7) as usize;
        found.push(Candidate {
            offset: (offset + index * step) as u32,
            hash: hashes[index],
        });
        passing &= passing - 1;
    }
}
