//! Where short patterns may start, with AVX2.

use std::arch::x86_64::*;

use super::Avx2;
use crate::matcher::short_places::{READ, ShortPlaces};

impl Avx2 {
    /// As the portable `of` of `matcher::short_places`.
    #[inline]
    pub(crate) fn short_places(self, places: &ShortPlaces, bytes: &[u8; READ]) -> u64 {
        // SAFETY: `self` proves the feature; 64 places and two bytes behind are read.
        unsafe { short_places(places, bytes.as_ptr()) }
    }
}

/// # Safety
/// [`READ`] bytes can be read.
#[target_feature(enable = "avx2")]
unsafe fn short_places(places: &ShortPlaces, bytes: *const u8) -> u64 {
    let mut groups = [_mm256_set1_epi8(-1); 2];
    for nth in 0..places.lower.len() {
        let lower = table(&places.lower[nth]);
        let upper = table(&places.upper[nth]);
        for (half, groups) in groups.iter_mut().enumerate() {
            // SAFETY: reads up to byte 32 + 2 + 32 of the caller's 66.
            let bytes = unsafe { _mm256_loadu_si256(bytes.add(32 * half + nth).cast()) };
            let halves = _mm256_set1_epi8(0xF);
            let of_lower = _mm256_shuffle_epi8(lower, _mm256_and_si256(bytes, halves));
            let of_upper = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), halves);
            let of_upper = _mm256_shuffle_epi8(upper, of_upper);
            *groups = _mm256_and_si256(*groups, _mm256_and_si256(of_lower, of_upper));
        }
    }
    let [low, high] = groups.map(|groups| {
        let none = _mm256_cmpeq_epi8(groups, _mm256_setzero_si256());
        !(_mm256_movemask_epi8(none) as u32)
    });
    u64::from(low) | u64::from(high) << 32
}

#[inline]
#[target_feature(enable = "avx2")]
fn table(groups: &[u8; 16]) -> __m256i {
    // SAFETY: reads the 16 bytes.
    let groups = unsafe { _mm_loadu_si128(groups.as_ptr().cast()) };
    _mm256_broadcastsi128_si256(groups)
}
