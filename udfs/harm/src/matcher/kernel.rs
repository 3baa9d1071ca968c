use super::filter::GramFilter;
use super::scan::{self, Candidate, MARGIN};
use super::short_places::{READ, ShortPlaces};
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
            instructions => instructions.name(),
        }
    }

    /// Looks at every character that starts in `from..to` and perhaps a few behind, adds the places
    /// where the gram may be an anchor, and returns the first byte it did not look at.
    #[inline]
    pub(super) fn scan(
        self,
        filter: &GramFilter,
        text: &[u8],
        from: usize,
        to: usize,
        found: &mut Vec<Candidate>,
    ) -> usize {
        let scan = |text: &[u8], from, to, found: &mut Vec<Candidate>| match self.0 {
            Instructions::Portable => scan::scan(filter, text, from, to, found),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2(avx2) => avx2.scan(filter, text, from, to, found),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512(avx512) => avx512.scan(filter, text, from, to, found),
        };
        #[cfg(target_arch = "x86_64")]
        if let Instructions::Avx512(_) = self.0 {
            // It needs no room behind the end.
            return scan(text, from, to, found).min(text.len());
        }
        let body = text.len().saturating_sub(MARGIN);
        let mut next = from;
        if from < body {
            next = scan(text, from, to.min(body), found);
        }
        if to > body {
            // The last bytes, with room behind them.
            let mut tail = [0; 3 * MARGIN];
            let rest = &text[next..];
            tail[..rest.len()].copy_from_slice(rest);
            let scanned = found.len();
            scan(&tail, 0, rest.len(), found);
            for candidate in &mut found[scanned..] {
                candidate.offset += (next - from) as u32;
            }
            while found
                .pop_if(|last| from + last.offset as usize >= text.len())
                .is_some()
            {}
            next = text.len();
        }
        next
    }
}

impl Kernel {
    /// As [`ShortPlaces::of`].
    #[inline]
    pub(super) fn short_places(self, places: &ShortPlaces, bytes: &[u8; READ]) -> u64 {
        match self.0 {
            Instructions::Portable => places.of(bytes),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2(avx2) => avx2.short_places(places, bytes),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512(avx512) => avx512.short_places(places, bytes),
        }
    }
}

impl std::fmt::Debug for Kernel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::matcher::gram::{hash_window, is_continuation, window_at};
    use crate::matcher::scan::MARGIN;
    use crate::matcher::tests::cases;

    /// A filter that about every fourth gram passes.
    fn half_full() -> GramFilter {
        let mut filter = GramFilter::for_grams(1);
        let mut state = 1u64;
        for word in &mut filter.words {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            *word = (state >> 32) as u32;
        }
        filter
    }

    /// Fails unless every kernel gives what looking at one place after the other gives.
    fn every_kernel_agrees(filter: &GramFilter, text: &str, from: usize, to: usize) {
        for behind in [String::new(), "的".repeat(MARGIN)] {
            let text = [text, &behind].concat().into_bytes();
            for kernel in Kernel::available() {
                let mut found = Vec::new();
                let next = kernel.scan(filter, &text, from, to, &mut found);
                assert!((to..=text.len()).contains(&next), "{kernel:?}");
                let expected: Vec<Candidate> = (from..next)
                    .filter(|&at| !is_continuation(text[at]))
                    .map(|at| Candidate {
                        offset: (at - from) as u32,
                        hash: hash_window(window_at(&text, at)),
                    })
                    .filter(|candidate| filter.may_hold(candidate.hash))
                    .collect();
                assert_eq!(found, expected, "{kernel:?}");
            }
        }
    }

    #[test]
    fn characters_of_every_length_meet_every_place_of_a_block() {
        let filter = half_full();
        for filling in ["a", "é", "的", "😀"] {
            for before in 0..70 {
                for other in ["a", "é", "中", "😀", "a中", "中😀"] {
                    let before = filling.repeat(before);
                    let text = [&before, other, &filling.repeat(70)].concat();
                    every_kernel_agrees(&filter, &text, 0, text.len());
                    every_kernel_agrees(&filter, &text, before.len() / 2, text.len() - 1);
                }
            }
        }
    }

    proptest! {
        #![proptest_config(cases(1000))]

        #[test]
        fn scripts_in_turn(
            parts in proptest::collection::vec(
                prop_oneof![
                    "[ -~]{0,150}",
                    "[一-龥，。]{0,80}",
                    "[à-ÿа-я]{0,60}",
                    "[😀-🙏]{0,30}",
                    "\\PC{0,60}",
                ],
                0..8,
            ),
            first in any::<prop::sample::Index>(),
            last in any::<prop::sample::Index>(),
        ) {
            let text = parts.concat();
            let ends = [&first, &last].map(|end| end.index(text.len() + 1));
            let (from, to) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
            every_kernel_agrees(&half_full(), &text, from, to);
        }
    }
}
