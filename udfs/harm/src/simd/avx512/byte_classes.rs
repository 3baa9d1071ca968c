//! The classes of bytes with AVX-512.

use std::arch::x86_64::*;

use super::{Avx512, assert_classifiable};
use crate::evasion::byte_classes::{BEHIND, BLOCK, Classes};

impl Avx512 {
    /// As the portable `classify` of `evasion::byte_classes`.
    ///
    /// # Panics
    /// When `bytes` does not reach [`BEHIND`] bytes behind the last block.
    #[inline]
    pub(crate) fn classify(self, bytes: &[u8], classes: &mut [Classes]) {
        assert_classifiable(bytes, classes);
        // SAFETY: `self` proves the features; the length was just checked.
        unsafe { classify(bytes.as_ptr(), classes) }
    }
}

/// # Safety
/// Every block and [`BEHIND`] bytes behind the last can be read.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn classify(mut bytes: *const u8, classes: &mut [Classes]) {
    for classes in classes {
        // SAFETY: the caller's; a block is 64 bytes.
        let (block, behind) = unsafe {
            (
                _mm512_loadu_si512(bytes.cast()),
                _mm512_loadu_si512(bytes.add(BEHIND).cast()),
            )
        };
        let lower_block = lower(block);
        let letter = within(lower_block, b'a', 26);
        *classes = Classes {
            letter,
            upper: within(block, b'A', 26),
            digit: within(block, b'0', 10),
            space: equal(block, b' '),
            sign: equal(block, b'@') | equal(block, b'$') | equal(block, b'!') | equal(block, b'+'),
            doubled: letter & _mm512_cmpeq_epi8_mask(lower_block, lower(behind)),
            high: _mm512_movepi8_mask(block),
            // The first byte of a character beyond ASCII, unless it is one of 0xE4 to 0xE9.
            other: within(block, 0xC0, 0x40) & !within(block, 0xE4, 6),
        };
        // SAFETY: as far as the end of the block at most.
        bytes = unsafe { bytes.add(BLOCK) };
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn equal(bytes: __m512i, to: u8) -> u64 {
    _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(to as i8))
}

/// Bytes among the `count` from `first` on.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn within(bytes: __m512i, first: u8, count: u8) -> u64 {
    let distance = _mm512_sub_epi8(bytes, _mm512_set1_epi8(first as i8));
    _mm512_cmplt_epu8_mask(distance, _mm512_set1_epi8(count as i8))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn lower(bytes: __m512i) -> __m512i {
    _mm512_or_si512(bytes, _mm512_set1_epi8(0x20))
}
