//! What stands around places of ASCII text, with AVX-512.

use super::Avx512;
use crate::evasion::ascii::{self, Glimpses, Windows};

impl Avx512 {
    #[inline]
    pub(crate) fn around_separators(self, windows: &Windows) -> Glimpses {
        // SAFETY: `self` proves the features.
        unsafe { around_separators(windows) }
    }

    #[inline]
    pub(crate) fn around_signs(self, windows: &Windows) -> Glimpses {
        // SAFETY: `self` proves the features.
        unsafe { around_signs(windows) }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,bmi1,bmi2")]
fn around_separators(windows: &Windows) -> Glimpses {
    ascii::around_separators(windows)
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,bmi1,bmi2")]
fn around_signs(windows: &Windows) -> Glimpses {
    ascii::around_signs(windows)
}
