//! Kernels for processors with AVX-512 and its instructions for bytes (Ice Lake and Zen 4 on).

mod byte_classes;
mod near;
mod pair_gram;
mod short_places;

use super::{assert_classifiable, assert_every_hash_has_its_word, prefetch_ahead};

/// Proof that the processor has AVX-512 F, BW, DQ, VBMI and VBMI2, BMI1, BMI2 and POPCNT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Avx512(());

impl Avx512 {
    /// `None` where the processor lacks one of them, or the system does not keep their registers.
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vbmi")
            && is_x86_feature_detected!("avx512vbmi2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2")
            && is_x86_feature_detected!("popcnt"))
        .then_some(Self(()))
    }
}
