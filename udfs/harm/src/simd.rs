//! Code for the vector units of x86-64 processors, and prefetching: all unsafe code of this crate,
//! behind a safe face. For each kernel there is a portable twin elsewhere that gives the same.
#![allow(unsafe_code)]

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;

#[cfg(target_arch = "x86_64")]
use {avx2::Avx2, avx512::Avx512};

use std::sync::OnceLock;

use crate::evasion::ascii::{self, Glimpses, Windows};

/// What a kernel is written in, with the proof that this processor can run it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Instructions {
    /// Those of every processor.
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
}

impl Instructions {
    /// Those this processor can run, the fastest last.
    pub(crate) fn available() -> impl Iterator<Item = Self> {
        #[cfg(target_arch = "x86_64")]
        let vectors = Avx2::detect()
            .map(Self::Avx2)
            .into_iter()
            .chain(Avx512::detect().map(Self::Avx512));
        #[cfg(not(target_arch = "x86_64"))]
        let vectors = std::iter::empty();
        std::iter::once(Self::Portable).chain(vectors)
    }

    /// The fastest this processor can run, found out once. To measure what they are worth, the variable
    /// `TAMIS_INSTRUCTIONS` names slower ones, `portable` or `avx2`; it changes no answer.
    pub(crate) fn fastest() -> Self {
        static FASTEST: OnceLock<Instructions> = OnceLock::new();
        *FASTEST.get_or_init(|| {
            let wanted = std::env::var("TAMIS_INSTRUCTIONS").unwrap_or_default();
            let all = || Self::available();
            let named = all().find(|instructions| instructions.name() == wanted);
            named.or(all().last()).unwrap_or(Self::Portable)
        })
    }

    /// `portable`, `avx2` or `avx512`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => "avx512",
        }
    }
}

/// What [`crate::evasion::ascii`] tells of places, the same code for each: the compiler makes vectors
/// of it.
impl Instructions {
    #[inline]
    pub(crate) fn around_separators(self, windows: &Windows) -> Glimpses {
        match self {
            Self::Portable => ascii::around_separators(windows),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.around_separators(windows),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(avx512) => avx512.around_separators(windows),
        }
    }

    #[inline]
    pub(crate) fn around_signs(self, windows: &Windows) -> Glimpses {
        match self {
            Self::Portable => ascii::around_signs(windows),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => avx2.around_signs(windows),
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(avx512) => avx512.around_signs(windows),
        }
    }
}

/// Asks for the cache line of `items[index]`; nothing where that lies outside.
#[inline(always)]
pub(crate) fn prefetch<T>(items: &[T], index: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(item) = items.get(index) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, which reads nothing; SSE is part of every x86-64 processor.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(item).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (items, index);
}

/// Asks for what lies `by` bytes behind the start of `text`, also behind its end: there the next of
/// the batch often is.
#[inline(always)]
pub(crate) fn prefetch_ahead(text: &[u8], by: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a hint, which reads nothing wherever it points; SSE is part of every x86-64
        // processor.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(text.as_ptr().wrapping_add(by).cast()) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (text, by);
}

/// Fails unless the kernels of the matcher may scan `text` up to `to`: what they rely on.
#[cfg(target_arch = "x86_64")]
#[inline]
fn assert_scannable(filter: &crate::matcher::filter::GramFilter, text: &[u8], to: usize) {
    assert!(
        to.checked_add(crate::matcher::scan::MARGIN)
            .is_some_and(|end| end <= text.len()),
        "a margin behind the end"
    );
    assert_every_hash_has_its_word(filter);
}

/// Fails unless the kernels of the matcher may look every hash up in `filter`.
#[cfg(target_arch = "x86_64")]
#[inline]
fn assert_every_hash_has_its_word(filter: &crate::matcher::filter::GramFilter) {
    // At most 2^31 words, since a gather takes its indices as signed numbers.
    assert!(
        (1..32).contains(&filter.word_shift) && filter.words.len() == 1 << (32 - filter.word_shift),
        "every hash has its word"
    );
}

/// Fails unless the blocks of all `classes` and what lies behind them can be read.
#[cfg(target_arch = "x86_64")]
#[inline]
fn assert_classifiable(bytes: &[u8], classes: &[crate::evasion::byte_classes::Classes]) {
    use crate::evasion::byte_classes::{BEHIND, BLOCK};
    assert!(
        bytes.len() >= classes.len() * BLOCK + BEHIND,
        "every block and what lies behind"
    );
}
