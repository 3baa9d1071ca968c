//! Reads a text once, block by block, for the places that need a closer look.

/// A place that needs a closer look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// A character beyond ASCII other than a Unified Ideograph of U+4000 to U+9FFF starts here.
    Other,
    /// An ASCII character that is neither letter nor digit follows a letter, a digit or a
    /// character beyond ASCII: all of them but the single space between two words.
    Separator,
    /// A digit or sign beside an ASCII letter, first of several in a word, or alone between
    /// spaces.
    Sign,
    /// The same ASCII letter, in either case, stands three times from here on.
    Repeat,
}

/// Texts are read in blocks of this many bytes, with some before and behind.
const BLOCK: usize = 256;
const BESIDE: usize = 2;
const CLASSES: usize = BLOCK + 2 * BESIDE;
const BYTES: usize = CLASSES + 2;

// What a byte is.
const LETTER: u8 = 1;
const DIGIT: u8 = 2;
const SPACE: u8 = 4;
const HIGH: u8 = 8;
/// The first byte of a character as in [`Place::Other`].
const OTHER: u8 = 16;
/// A letter that equals the two bytes behind it but for case.
const THRICE: u8 = 32;
const UPPER: u8 = 64;
/// Any other ASCII character.
const PUNCTUATION: u8 = 128;

/// The places a byte may be, in the order in which they are visited.
const PLACES: [(u8, Place); 4] = [
    (1, Place::Other),
    (2, Place::Separator),
    (4, Place::Sign),
    (8, Place::Repeat),
];

/// What [`scan`] found out about the whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// Whether the text has ASCII capitals.
    pub(crate) has_upper: bool,
    /// Whether `visit` let the scan go to the end.
    pub(crate) is_whole: bool,
}

/// Gives `visit` the places of `text` in ascending order until it says `false`.
///
/// The two inner loops are plain arithmetic on bytes, which compilers turn into vector code; they
/// are compiled once more for processors with AVX2.
pub(crate) fn scan(text: &str, visit: &mut dyn FnMut(Place, usize) -> bool) -> Scanned {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn scan_wide(text: &str, visit: &mut dyn FnMut(Place, usize) -> bool) -> Scanned {
            scan_blocks(text, visit)
        }
        if is_x86_feature_detected!("avx2") {
            #[expect(unsafe_code, reason = "the only way to call it")]
            // SAFETY: the function needs nothing but AVX2, which the processor has.
            return unsafe { scan_wide(text, visit) };
        }
    }
    scan_blocks(text, visit)
}

#[inline(always)]
fn scan_blocks(text: &str, visit: &mut dyn FnMut(Place, usize) -> bool) -> Scanned {
    let bytes = text.as_bytes();
    let mut padded = [0_u8; BYTES];
    let mut classes = [0_u8; CLASSES];
    let mut places = [0_u8; BLOCK];
    let mut all = 0;
    for start in (0..bytes.len()).step_by(BLOCK) {
        let inside = start
            .checked_sub(BESIDE)
            .and_then(|from| bytes.get(from..from + BYTES));
        match inside {
            Some(inside) => all |= classify(inside.try_into().expect("as long"), &mut classes),
            None => {
                let behind = &bytes[start.saturating_sub(BESIDE)..];
                let skipped = BESIDE - start.min(BESIDE);
                let length = behind.len().min(BYTES - skipped);
                // Behind the end stand spaces; before the start too, which join no words.
                padded.fill(b' ');
                padded[skipped..skipped + length].copy_from_slice(&behind[..length]);
                all |= classify(&padded, &mut classes);
            }
        }
        place(&classes, &mut places);
        // The last block is filled with spaces.
        places[BLOCK.min(bytes.len() - start)..].fill(0);
        let (words, _) = places.as_chunks::<8>();
        for (number, word) in words.iter().enumerate() {
            let mut rest = u64::from_le_bytes(*word);
            while rest != 0 {
                let byte = rest.trailing_zeros() / 8;
                let here = (rest >> (8 * byte)) as u8;
                rest &= !(0xFF << (8 * byte));
                let at = start + 8 * number + byte as usize;
                for (bit, place) in PLACES {
                    if here & bit != 0 && !visit(place, at) {
                        return Scanned {
                            has_upper: all & UPPER != 0,
                            is_whole: false,
                        };
                    }
                }
            }
        }
    }
    Scanned {
        has_upper: all & UPPER != 0,
        is_whole: true,
    }
}

/// `bit` where `is`, without a branch.
#[inline(always)]
fn when(is: bool, bit: u8) -> u8 {
    u8::from(is).wrapping_neg() & bit
}

/// The classes of all bytes but the last two; gives back all of them together.
#[inline(always)]
fn classify(bytes: &[u8; BYTES], classes: &mut [u8; CLASSES]) -> u8 {
    let mut all = 0;
    for at in 0..CLASSES {
        let byte = bytes[at];
        let lower = byte | 0x20;
        let letter = when(lower.wrapping_sub(b'a') < 26, LETTER);
        let digit = when(byte.wrapping_sub(b'0') < 10, DIGIT);
        let space = when(byte == b' ', SPACE);
        let high = when(byte >= 0x80, HIGH);
        let other = when(byte >= 0xC0, OTHER) & !when(byte.wrapping_sub(0xE4) < 6, OTHER);
        let repeats = when(lower == bytes[at + 1] | 0x20, THRICE)
            & when(lower == bytes[at + 2] | 0x20, THRICE)
            & when(letter != 0, THRICE);
        let upper = when(byte.wrapping_sub(b'A') < 26, UPPER);
        let none = when(letter | digit | space | high == 0, PUNCTUATION);
        let class = letter | digit | space | high | other | repeats | upper | none;
        classes[at] = class;
        all |= class;
    }
    all
}

#[inline(always)]
fn place(classes: &[u8; CLASSES], places: &mut [u8; BLOCK]) {
    const WORD: u8 = LETTER | DIGIT;
    for (at, place) in places.iter_mut().enumerate() {
        let [two_before, before, here, behind, two_behind] = [
            classes[at],
            classes[at + 1],
            classes[at + 2],
            classes[at + 3],
            classes[at + 4],
        ];
        let has = |class: u8, of: u8| class & of != 0;
        let between_words =
            has(before, WORD) & has(behind, WORD) & has(two_before | two_behind, WORD);
        let separates = has(here, PUNCTUATION) | has(here, SPACE) & !between_words;
        let sign = has(here, DIGIT) & has(before | behind, LETTER)
            | has(here, PUNCTUATION) & has(behind, LETTER)
            | has(here, DIGIT | PUNCTUATION)
                & (!has(before, WORD) & has(behind, DIGIT | PUNCTUATION)
                    | has(before, SPACE) & has(behind, SPACE));
        *place = when(has(here, OTHER), 1)
            | when(separates & has(before, WORD | HIGH), 2)
            | when(sign, 4)
            | when(has(here, THRICE) & !has(before, THRICE), 8);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scanned(text: &str) -> Vec<(Place, usize)> {
        let mut all = Vec::new();
        let scanned = scan(text, &mut |place, at| {
            all.push((place, at));
            true
        });
        assert!(scanned.is_whole);
        assert_eq!(
            scanned.has_upper,
            text.bytes().any(|b| b.is_ascii_uppercase())
        );
        all
    }

    /// What [`scan`] should find, byte by byte.
    fn defined(text: &str) -> Vec<(Place, usize)> {
        let bytes = text.as_bytes();
        let byte = |at: usize, by: isize| {
            at.checked_add_signed(by)
                .and_then(|at| bytes.get(at))
                .copied()
        };
        let word = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
        let letter = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphabetic());
        let mut all = Vec::new();
        for (at, &this) in bytes.iter().enumerate() {
            if this >= 0xC0 && !(0xE4..=0xE9).contains(&this) {
                all.push((Place::Other, at));
            }
            let ordinary = this == b' '
                && word(byte(at, -1))
                && word(byte(at, 1))
                && (word(byte(at, -2)) || word(byte(at, 2)));
            let separates = this < 0x80 && !this.is_ascii_alphanumeric();
            if separates
                && !ordinary
                && byte(at, -1).is_some_and(|b| b >= 0x80 || b.is_ascii_alphanumeric())
            {
                all.push((Place::Separator, at));
            }
            let is_sign = |by: isize| {
                byte(at, by).is_some_and(|b| b < 0x80 && b != b' ' && !b.is_ascii_alphabetic())
            };
            let space = |by: isize| byte(at, by).is_none_or(|b| b == b' ');
            if this.is_ascii_digit() && (letter(byte(at, -1)) || letter(byte(at, 1)))
                || separates && this != b' ' && letter(byte(at, 1))
                || is_sign(0) && (!word(byte(at, -1)) && is_sign(1) || space(-1) && space(1))
            {
                all.push((Place::Sign, at));
            }
            let thrice = |at: usize| {
                (0..3).all(|by| {
                    letter(byte(at, by))
                        && byte(at, by).map(|b| b | 0x20) == bytes.get(at).map(|b| b | 0x20)
                })
            };
            if thrice(at) && !(at > 0 && thrice(at - 1)) {
                all.push((Place::Repeat, at));
            }
        }
        all
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn finds_what_it_should(
            text in "[aAbZz09 .@$\n\u{0}中一龥，。é😀か]{0,150}",
            fill in "[a中 ]{0,400}",
        ) {
            prop_assert_eq!(scanned(&text), defined(&text));
            let text = format!("{fill}{text}");
            prop_assert_eq!(scanned(&text), defined(&text));
        }
    }

    #[test]
    fn stops_when_told() {
        let mut seen = 0;
        let scanned = scan("a.b.c", &mut |_, _| {
            seen += 1;
            false
        });
        assert!(!scanned.is_whole);
        assert_eq!(seen, 1);
    }
}
