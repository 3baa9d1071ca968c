//! What each byte of a text is, one bit for each of 64 bytes.

use crate::simd::Instructions;

/// How many bytes are classified together; the lowest bit stands for the first.
pub(crate) const BLOCK: usize = 64;
/// How many bytes behind a block its classes depend on.
pub(crate) const BEHIND: usize = 1;

/// The classes of the bytes of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Classes {
    /// ASCII letters.
    pub(crate) letter: u64,
    /// Those that are capitals.
    pub(crate) upper: u64,
    /// ASCII digits.
    pub(crate) digit: u64,
    /// U+0020.
    pub(crate) space: u64,
    /// Signs other than digits that may stand for letters.
    pub(crate) sign: u64,
    /// Letters that equal the byte behind but for case.
    pub(crate) doubled: u64,
    /// All bytes of characters beyond ASCII.
    pub(crate) high: u64,
    /// The first byte of a character beyond ASCII other than those of U+4000 to U+9FFF.
    pub(crate) other: u64,
}

impl Classes {
    pub(crate) const NONE: Self = Self {
        letter: 0,
        upper: 0,
        digit: 0,
        space: 0,
        sign: 0,
        doubled: 0,
        high: 0,
        other: 0,
    };
    pub(crate) const SPACES: Self = Self {
        space: u64::MAX,
        ..Self::NONE
    };

    /// ASCII letters and digits.
    #[inline]
    pub(crate) fn word(&self) -> u64 {
        self.letter | self.digit
    }

    /// ASCII characters that are neither letter nor digit nor U+0020.
    #[inline]
    pub(crate) fn mark(&self) -> u64 {
        !(self.letter | self.digit | self.space | self.high)
    }
}

/// How blocks are classified: all give the same.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Classifier(Instructions);

impl Classifier {
    pub(crate) fn fastest() -> Self {
        Self(Instructions::fastest())
    }

    /// The classes of the blocks of `bytes`, which reaches [`BEHIND`] bytes behind the last.
    #[inline]
    pub(crate) fn classify(self, bytes: &[u8], classes: &mut [Classes]) {
        match self.0 {
            Instructions::Portable => classify(bytes, classes),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx2(avx2) => avx2.classify(bytes, classes),
            #[cfg(target_arch = "x86_64")]
            Instructions::Avx512(avx512) => avx512.classify(bytes, classes),
        }
    }
}

// The class of a byte in the table: the bits of [`Classes`] in their order but for `doubled`, which
// no byte has by itself.
const LETTER: u8 = 1;
const UPPER: u8 = 2;
const DIGIT: u8 = 4;
const SPACE: u8 = 8;
const SIGN: u8 = 16;
const DOUBLED: u8 = 32;
const HIGH: u8 = 64;
const OTHER: u8 = 128;

const CLASS_OF: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' => LETTER,
            b'A'..=b'Z' => LETTER | UPPER,
            b'0'..=b'9' => DIGIT,
            b' ' => SPACE,
            b'@' | b'$' | b'!' | b'+' => SIGN,
            0xE4..=0xE9 | 0x80..=0xBF => HIGH,
            0xC0.. => HIGH | OTHER,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

fn classify(bytes: &[u8], classes: &mut [Classes]) {
    for (number, classes) in classes.iter_mut().enumerate() {
        let bytes = &bytes[number * BLOCK..(number + 1) * BLOCK + BEHIND];
        let mut of_bytes = [0_u8; BLOCK];
        for (at, class) in of_bytes.iter_mut().enumerate() {
            let is_doubled = (bytes[at] ^ bytes[at + 1]) & !0x20 == 0;
            *class = CLASS_OF[bytes[at] as usize];
            *class |= if is_doubled { *class << 5 & DOUBLED } else { 0 };
        }
        let mut planes = [0_u64; 8];
        let (words, _) = of_bytes.as_chunks::<8>();
        for (number, word) in words.iter().enumerate() {
            let word = u64::from_le_bytes(*word);
            for (bit, plane) in planes.iter_mut().enumerate() {
                // One bit of each of eight bytes, gathered in the highest byte.
                let bits =
                    (word >> bit & 0x0101_0101_0101_0101).wrapping_mul(0x0102_0408_1020_4080) >> 56;
                *plane |= bits << (8 * number);
            }
        }
        let [letter, upper, digit, space, sign, doubled, high, other] = planes;
        *classes = Classes {
            letter,
            upper,
            digit,
            space,
            sign,
            doubled,
            high,
            other,
        };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::evasion::leet;

    /// Class by class and byte by byte, as the fields say.
    fn naive(bytes: &[u8], blocks: usize) -> Vec<Classes> {
        let of = |block: usize, is: &dyn Fn(u8, u8) -> bool| {
            (0..BLOCK)
                .filter(|at| is(bytes[block * BLOCK + at], bytes[block * BLOCK + at + 1]))
                .fold(0, |all, at| all | 1 << at)
        };
        (0..blocks)
            .map(|block| Classes {
                letter: of(block, &|b, _| b.is_ascii_alphabetic()),
                upper: of(block, &|b, _| b.is_ascii_uppercase()),
                digit: of(block, &|b, _| b.is_ascii_digit()),
                space: of(block, &|b, _| b == b' '),
                sign: of(block, &|b, _| {
                    b.is_ascii_punctuation() && !leet::letters(char::from(b)).is_empty()
                }),
                doubled: of(block, &|b, behind| {
                    b.is_ascii_alphabetic() && b.eq_ignore_ascii_case(&behind)
                }),
                high: of(block, &|b, _| !b.is_ascii()),
                other: of(block, &|b, _| b >= 0xC0 && !(0xE4..=0xE9).contains(&b)),
            })
            .collect()
    }

    fn every_classifier_agrees(bytes: &[u8]) {
        let blocks = (bytes.len() - BEHIND) / BLOCK;
        let expected = naive(bytes, blocks);
        for classifier in Instructions::available().map(Classifier) {
            let mut classes = vec![Classes::SPACES; blocks];
            classifier.classify(bytes, &mut classes);
            assert_eq!(classes, expected, "{classifier:?}");
        }
    }

    #[test]
    fn every_byte_beside_every_other() {
        let mut bytes: Vec<u8> = (0..=255)
            .flat_map(|left| (0..=255).flat_map(move |right| [left, right]))
            .collect();
        bytes.push(b'x');
        every_classifier_agrees(&bytes);
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 1..400)) {
            every_classifier_agrees(&bytes);
        }

        #[test]
        fn texts(text in "[aAbBzZ09 .@$!+\n\u{0}中一龥，。é😀か]{1,200}") {
            every_classifier_agrees(text.as_bytes());
        }
    }
}
