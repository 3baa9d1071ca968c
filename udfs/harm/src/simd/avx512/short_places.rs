//! Where short patterns may start, with AVX-512.

use std::arch::x86_64::*;

use super::Avx512;
use crate::matcher::short_places::{READ, ShortPlaces};

impl Avx512 {
    /// As the portable `of` of `matcher::short_places`.
    #[inline]
    pub(crate) fn short_places(self, places: &ShortPlaces, bytes: &[u8; READ]) -> u64 {
        // SAFETY: `self` proves the features; 64 places and two bytes behind are read.
        unsafe { short_places(places, bytes.as_ptr()) }
    }
}

/// # Safety
/// [`READ`] bytes can be read.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn short_places(places: &ShortPlaces, bytes: *const u8) -> u64 {
    let mut groups = _mm512_set1_epi8(-1);
    for nth in 0..places.lower.len() {
        // SAFETY: reads up to byte 2 + 64 of the caller's 66.
        let bytes = unsafe { _mm512_loadu_si512(bytes.add(nth).cast()) };
        let halves = _mm512_set1_epi8(0xF);
        let of_lower = _mm512_and_si512(bytes, halves);
        let of_lower = _mm512_shuffle_epi8(table(&places.lower[nth]), of_lower);
        let of_upper = _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), halves);
        let of_upper = _mm512_shuffle_epi8(table(&places.upper[nth]), of_upper);
        groups = _mm512_and_si512(groups, _mm512_and_si512(of_lower, of_upper));
    }
    _mm512_test_epi8_mask(groups, groups)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn table(groups: &[u8; 16]) -> __m512i {
    // SAFETY: reads the 16 bytes.
    let groups = unsafe { _mm_loadu_si128(groups.as_ptr().cast()) };
    _mm512_broadcast_i32x4(groups)
}
