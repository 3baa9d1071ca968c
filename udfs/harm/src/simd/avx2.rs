//! Kernels for processors with AVX2.

mod byte_classes;
mod near;
mod pair_gram;
mod short_places;

use super::{assert_classifiable, assert_scannable, prefetch_ahead};

/// Proof that the processor has AVX2, BMI1 and BMI2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Avx2(());

impl Avx2 {
    /// `None` where the processor lacks one of them.
    pub(crate) fn detect() -> Option<Self> {
        (is_x86_feature_detected!("avx2")
            && is_x86_feature_detected!("bmi1")
            && is_x86_feature_detected!("bmi2"))
        .then_some(Self(()))
    }
}
