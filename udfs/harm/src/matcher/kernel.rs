use super::filter::GramFilter;
use super::scan::{self, Candidate};

/// How a text is filtered. All kernels give the same answers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Kernel(Choice);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Choice {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(crate::simd::Avx2),
}

impl Kernel {
    /// The kernels this processor can run, the fastest last.
    pub fn available() -> Vec<Self> {
        let mut kernels = vec![Self(Choice::Portable)];
        #[cfg(target_arch = "x86_64")]
        kernels.extend(crate::simd::Avx2::detect().map(|avx2| Self(Choice::Avx2(avx2))));
        kernels
    }

    /// The fastest kernel this processor can run.
    pub fn fastest() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx2) = crate::simd::Avx2::detect() {
            return Self(Choice::Avx2(avx2));
        }
        Self(Choice::Portable)
    }

    /// `scalar` or `avx2`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Choice::Portable => "scalar",
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(_) => "avx2",
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
            Choice::Portable => scan::scan(filter, text, from, to, found),
            #[cfg(target_arch = "x86_64")]
            Choice::Avx2(avx2) => avx2.scan(filter, text, from, to, found),
        }
    }
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
