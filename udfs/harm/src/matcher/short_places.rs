//! Where short patterns may start: three bytes looked up by their halves, for 64 places at once.

/// So many places are looked at together; the lowest bit stands for the first.
pub(crate) const BLOCK: usize = 64;
/// So many bytes from the first on are read.
pub(crate) const READ: usize = BLOCK + BYTES - 1;
/// So many bytes of a pattern are looked at.
const BYTES: usize = 3;

/// For the first bytes of patterns in eight groups, one bit each: the groups that have a byte with
/// this lower half there, and those that have one with this upper half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShortPlaces {
    pub(crate) lower: [[u8; 16]; BYTES],
    pub(crate) upper: [[u8; 16]; BYTES],
}

impl ShortPlaces {
    /// Patterns alike are put into one group, which then lets little else pass.
    pub(super) fn new<'a>(patterns: impl Iterator<Item = &'a [u8]>) -> Self {
        let mut starts: Vec<&[u8]> = patterns
            .map(|pattern| &pattern[..pattern.len().min(BYTES)])
            .collect();
        starts.sort_unstable();
        starts.dedup();
        let mut places = Self {
            lower: [[0; 16]; BYTES],
            upper: [[0; 16]; BYTES],
        };
        for (number, start) in starts.iter().enumerate() {
            let group = 1 << (number * 8 / starts.len());
            for nth in 0..BYTES {
                match start.get(nth) {
                    Some(byte) => {
                        places.lower[nth][usize::from(byte & 0xF)] |= group;
                        places.upper[nth][usize::from(byte >> 4)] |= group;
                    }
                    None => {
                        for groups in [&mut places.lower[nth], &mut places.upper[nth]] {
                            groups.iter_mut().for_each(|groups| *groups |= group);
                        }
                    }
                }
            }
        }
        places
    }

    /// The places of a block where a pattern may start; kernels give the same.
    pub(crate) fn of(&self, bytes: &[u8; READ]) -> u64 {
        let mut places = 0;
        for at in 0..BLOCK {
            let mut groups = !0;
            // Most end with the first byte.
            for nth in 0..BYTES {
                let byte = bytes[at + nth];
                groups &= self.lower[nth][usize::from(byte & 0xF)];
                groups &= self.upper[nth][usize::from(byte >> 4)];
                if groups == 0 {
                    break;
                }
            }
            places |= u64::from(groups != 0) << at;
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::matcher::Kernel;

    proptest! {
        #[test]
        fn no_start_is_missed_and_all_kernels_agree(
            patterns in proptest::collection::vec("[a-d中文é]{1,3}", 1..30),
            text in "[a-d中文é ]{70,90}",
        ) {
            let places = ShortPlaces::new(patterns.iter().map(|pattern| pattern.as_bytes()));
            let bytes: &[u8; READ] = text.as_bytes().first_chunk().expect("as long");
            let found = places.of(bytes);
            for at in 0..BLOCK {
                let starts = patterns.iter().any(|pattern| {
                    let start = &pattern.as_bytes()[..pattern.len().min(BYTES)];
                    bytes[at..].starts_with(start)
                });
                prop_assert!(!starts || found >> at & 1 != 0, "{at}");
            }
            for kernel in Kernel::available() {
                prop_assert_eq!(kernel.short_places(&places, bytes), found, "{:?}", kernel);
            }
        }
    }

    #[test]
    fn little_else_passes() {
        let patterns = ["38", "sb", "tmd"].map(str::as_bytes);
        let places = ShortPlaces::new(patterns.into_iter());
        let mut bytes = [b'x'; READ];
        assert_eq!(places.of(&bytes), 0);
        bytes[5..8].copy_from_slice(b"tmd");
        bytes[63..65].copy_from_slice(b"38");
        assert_eq!(places.of(&bytes), 1 << 5 | 1 << 63);
    }
}
