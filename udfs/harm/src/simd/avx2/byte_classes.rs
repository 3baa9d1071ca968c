//! The classes of bytes with AVX2.

use std::arch::x86_64::*;

use super::{Avx2, assert_classifiable};
use crate::evasion::byte_classes::{BLOCK, Classes};

impl Avx2 {
    /// As the portable `classify` of `evasion::byte_classes`.
    ///
    /// # Panics
    /// When `bytes` does not reach `BEHIND` bytes behind the last block.
    #[inline]
    pub(crate) fn classify(self, bytes: &[u8], classes: &mut [Classes]) {
        assert_classifiable(bytes, classes);
        // SAFETY: `self` proves the feature; the length was just checked.
        unsafe { classify(bytes.as_ptr(), classes) }
    }
}

/// # Safety
/// Every block and `BEHIND` bytes behind the last can be read.
#[target_feature(enable = "avx2")]
unsafe fn classify(mut bytes: *const u8, classes: &mut [Classes]) {
    for classes in classes {
        // SAFETY: the caller's.
        unsafe {
            let (high, other) = beyond_ascii(bytes);
            // Most blocks of Chinese text have nothing else.
            *classes = match high {
                u64::MAX => Classes {
                    high,
                    other,
                    ..Classes::NONE
                },
                _ => all(bytes),
            };
            bytes = bytes.add(BLOCK);
        }
    }
}

/// The bytes beyond ASCII, and the other ones among them.
///
/// # Safety
/// A block can be read.
#[inline]
#[target_feature(enable = "avx2")]
unsafe fn beyond_ascii(bytes: *const u8) -> (u64, u64) {
    // SAFETY: the caller's; a block is twice 32 bytes.
    let (low, up) = unsafe {
        (
            _mm256_loadu_si256(bytes.cast()),
            _mm256_loadu_si256(bytes.add(32).cast()),
        )
    };
    (both(low, up), both(other(low), other(up)))
}

/// All classes of a block. Every one is a comparison of bytes made a word at once, without branches
/// between: else compilers keep the comparisons and take them apart bit by bit.
///
/// # Safety
/// A block and [`BEHIND`] bytes behind it can be read.
#[inline(never)]
#[target_feature(enable = "avx2")]
unsafe fn all(bytes: *const u8) -> Classes {
    // SAFETY: the caller's; a block is twice 32 bytes.
    let (low, up, low_behind, up_behind) = unsafe {
        (
            _mm256_loadu_si256(bytes.cast()),
            _mm256_loadu_si256(bytes.add(32).cast()),
            _mm256_loadu_si256(bytes.add(1).cast()),
            _mm256_loadu_si256(bytes.add(33).cast()),
        )
    };
    Classes {
        letter: both(letter(low), letter(up)),
        upper: both(within(low, b'A', 26), within(up, b'A', 26)),
        digit: both(within(low, b'0', 10), within(up, b'0', 10)),
        space: both(equal(low, b' '), equal(up, b' ')),
        sign: both(sign(low), sign(up)),
        doubled: both(doubled(low, low_behind), doubled(up, up_behind)),
        high: both(low, up),
        other: both(other(low), other(up)),
    }
}

/// The highest bits of 64 bytes.
#[inline]
#[target_feature(enable = "avx2")]
fn both(low: __m256i, up: __m256i) -> u64 {
    let low = _mm256_movemask_epi8(low) as u32;
    let up = _mm256_movemask_epi8(up) as u32;
    u64::from(low) | u64::from(up) << 32
}

#[inline]
#[target_feature(enable = "avx2")]
fn equal(bytes: __m256i, to: u8) -> __m256i {
    _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(to as i8))
}

/// Bytes among the `count` from `first` on.
#[inline]
#[target_feature(enable = "avx2")]
fn within(bytes: __m256i, first: u8, count: u8) -> __m256i {
    let distance = _mm256_sub_epi8(bytes, _mm256_set1_epi8(first as i8));
    let last = _mm256_set1_epi8((count - 1) as i8);
    _mm256_cmpeq_epi8(_mm256_min_epu8(distance, last), distance)
}

#[inline]
#[target_feature(enable = "avx2")]
fn lower(bytes: __m256i) -> __m256i {
    _mm256_or_si256(bytes, _mm256_set1_epi8(0x20))
}

#[inline]
#[target_feature(enable = "avx2")]
fn letter(bytes: __m256i) -> __m256i {
    within(lower(bytes), b'a', 26)
}

/// Letters that equal the byte behind but for case.
#[inline]
#[target_feature(enable = "avx2")]
fn doubled(bytes: __m256i, behind: __m256i) -> __m256i {
    _mm256_and_si256(
        _mm256_cmpeq_epi8(lower(bytes), lower(behind)),
        letter(bytes),
    )
}

#[inline]
#[target_feature(enable = "avx2")]
fn sign(bytes: __m256i) -> __m256i {
    _mm256_or_si256(
        _mm256_or_si256(equal(bytes, b'@'), equal(bytes, b'$')),
        _mm256_or_si256(equal(bytes, b'!'), equal(bytes, b'+')),
    )
}

/// The first byte of a character beyond ASCII, unless it is one of 0xE4 to 0xE9.
#[inline]
#[target_feature(enable = "avx2")]
fn other(bytes: __m256i) -> __m256i {
    _mm256_andnot_si256(within(bytes, 0xE4, 6), within(bytes, 0xC0, 0x40))
}
