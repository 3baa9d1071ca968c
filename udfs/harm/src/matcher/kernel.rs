use super::filter::GramFilter;
use super::scan::{self, Candidate};
use crate::simd::Instructions;

/// How a text is filtered. All kernels give the same answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Kernel(Instructions);

impl Kernel {
    /// The kernels this processor can run, the fastest last.
    pub fn available() -> Vec<Self> {
        Instructions::available().map(Self).collect()
    }

    /// The fastest kernel this processor can run.
    pub fn fastest() -> Self {
        Self(Instructions::fastest())
    }

    /// `scalar`, `avx2` or `avx512`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Instructions::Portable => "scalar",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512(_) => "avx512",
        }
    }

    /// As [`scan::scan`].
    #[inline]
    pub(super) fn scan(
        self,
        filter: &GramFilter,
        text: &[u8],
        from: usize,
        to: usize,
        found: &mut Vec<Candidate>,
    ) -> usize {
        match self.0 {
            Instructions::Portable => scan::scan(filter, text, from, to, found),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2(avx2) => avx2.scan(filter, text, from, to, found),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512(avx512) => avx512.scan(filter, text, from, to, found),
        }
    }
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
