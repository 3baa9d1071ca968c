//! Reads a text once, block by block, for the places that need a closer look.

use super::byte_classes::{BEHIND, BLOCK, Classes, Classifier};

/// What [`scan`] found out about the whole text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// Whether the text has ASCII capitals.
    pub(crate) has_upper: bool,
    /// Whether `visit` let the scan go to the end.
    pub(crate) is_whole: bool,
}

/// So many blocks are classified in one go.
const BLOCKS: usize = 16;

/// Gives `visit` the places of every block of `text` with the block's first byte, in ascending
/// order, until it says `false`.
#[inline]
pub(crate) fn scan(text: &str, mut visit: impl FnMut(usize, Places) -> bool) -> Scanned {
    let classifier = Classifier::fastest();
    let mut rest = text.as_bytes();
    let mut upper = 0;
    // The first was looked at, the others were not. Before the start and behind the end of the text
    // stand spaces, which join no words.
    let mut classes = [Classes::SPACES; 2 + BLOCKS + 1];
    let mut filled = 1;
    let mut start = 0;
    while !rest.is_empty() {
        filled += classify_some(classifier, &mut rest, &mut classes[filled..][..BLOCKS]);
        if rest.is_empty() {
            classes[filled] = Classes::SPACES;
            filled += 1;
        }
        // The last of them waits for what is behind it.
        for sides in classes[..filled].windows(3) {
            let [before, here, behind] = sides else {
                unreachable!("windows of three");
            };
            upper |= here.upper;
            let mut places = Places::of(before, here, behind);
            // The last block is filled with spaces.
            if text.len() - start < BLOCK {
                places.keep((1 << (text.len() - start)) - 1);
            }
            if !visit(start, places) {
                return Scanned {
                    has_upper: upper != 0,
                    is_whole: false,
                };
            }
            start += BLOCK;
        }
        classes.copy_within(filled - 2..filled, 0);
        filled = 2;
    }
    Scanned {
        has_upper: upper != 0,
        is_whole: true,
    }
}

/// Classifies as many blocks as fit from the start of `rest`, moves that behind them, and gives
/// back their number, which is not 0 unless `rest` is empty.
#[inline]
fn classify_some(classifier: Classifier, rest: &mut &[u8], classes: &mut [Classes]) -> usize {
    let whole = (rest.len().saturating_sub(BEHIND) / BLOCK).min(classes.len());
    if whole > 0 {
        classifier.classify(rest, &mut classes[..whole]);
        *rest = &rest[whole * BLOCK..];
        return whole;
    }
    let mut padded = [b' '; BLOCK + BEHIND];
    padded[..rest.len()].copy_from_slice(rest);
    classifier.classify(&padded, &mut classes[..1]);
    *rest = &[];
    1
}

/// The places of a block that need a closer look, one bit for each byte; the lowest stands for the
/// first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Places {
    /// A character beyond ASCII other than a Unified Ideograph of U+4000 to U+9FFF starts here.
    pub(crate) other: u64,
    /// An ASCII character that is neither letter nor digit follows a letter, a digit or a
    /// character beyond ASCII: all of them but the single space between two words.
    pub(crate) separator: u64,
    /// A digit or sign that may stand for an ASCII letter and is beside one, first of several in a
    /// word, or alone behind a space.
    pub(crate) sign: u64,
    /// The same ASCII letter, in either case, stands three times from here on.
    pub(crate) repeat: u64,
}

impl Places {
    /// The places `here`, between the blocks on its sides.
    #[inline]
    fn of(before: &Classes, here: &Classes, behind: &Classes) -> Self {
        if here.high == u64::MAX {
            return Self {
                other: here.other,
                separator: 0,
                sign: 0,
                repeat: 0,
            };
        }
        let letter = Shifted::of(before, here, behind, |classes| classes.letter);
        let space = Shifted::of(before, here, behind, |classes| classes.space);
        let high = Shifted::of(before, here, behind, |classes| classes.high);
        let doubled = Shifted::of(before, here, behind, |classes| classes.doubled);
        let word = Shifted::of(before, here, behind, Classes::word);
        let mark = Shifted::of(before, here, behind, Classes::mark);
        let between_words = word.before(1) & word.behind(1) & (word.before(2) | word.behind(2));
        let separator =
            (mark.here | space.here & !between_words) & (word.before(1) | high.before(1));
        let sign = Shifted::of(before, here, behind, |classes| classes.digit | classes.sign);
        let starts_several = !word.before(1) & sign.behind(1);
        let is_alone = space.before(1) & !word.behind(1) & !high.behind(1);
        let beside_letter = letter.before(1) | letter.behind(1);
        let sign = sign.here & (beside_letter | starts_several | is_alone);
        Self {
            other: here.other,
            separator,
            sign,
            // Three letters are two pairs of equal ones.
            repeat: doubled.here & doubled.behind(1) & !doubled.before(1),
        }
    }

    /// Drops the places whose bits are not in `bits`.
    fn keep(&mut self, bits: u64) {
        for places in [
            &mut self.other,
            &mut self.separator,
            &mut self.sign,
            &mut self.repeat,
        ] {
            *places &= bits;
        }
    }
}

/// The bits of one class, and what lies on their sides.
struct Shifted {
    before: u64,
    here: u64,
    behind: u64,
}

impl Shifted {
    #[inline]
    fn of(
        before: &Classes,
        here: &Classes,
        behind: &Classes,
        class: impl Fn(&Classes) -> u64,
    ) -> Self {
        Self {
            before: class(before),
            here: class(here),
            behind: class(behind),
        }
    }

    /// What the byte that stands `by` bytes before is.
    #[inline]
    fn before(&self, by: u32) -> u64 {
        self.here << by | self.before >> (64 - by)
    }

    /// What the byte that stands `by` bytes behind is.
    #[inline]
    fn behind(&self, by: u32) -> u64 {
        self.here >> by | self.behind << (64 - by)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Place {
        Other,
        Separator,
        Sign,
        Repeat,
    }

    fn scanned(text: &str) -> Vec<(Place, usize)> {
        let mut all = Vec::new();
        let scanned = scan(text, |start, places| {
            for bit in 0..BLOCK {
                for (places, place) in [
                    (places.other, Place::Other),
                    (places.separator, Place::Separator),
                    (places.sign, Place::Sign),
                    (places.repeat, Place::Repeat),
                ] {
                    if places >> bit & 1 != 0 {
                        all.push((place, start + bit));
                    }
                }
            }
            true
        });
        assert!(scanned.is_whole);
        assert_eq!(
            scanned.has_upper,
            text.bytes().any(|b| b.is_ascii_uppercase())
        );
        all
    }

    const SIGNS: &[u8] = b"@$!+0123456789";

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
            let is_separator = separates
                && !ordinary
                && byte(at, -1).is_some_and(|b| b >= 0x80 || b.is_ascii_alphanumeric());
            if is_separator {
                all.push((Place::Separator, at));
            }
            let is_sign = |by: isize| byte(at, by).is_some_and(|b| SIGNS.contains(&b));
            let space = |by: isize| byte(at, by).is_none_or(|b| b == b' ');
            if SIGNS.contains(&this)
                && (letter(byte(at, -1))
                    || letter(byte(at, 1))
                    || !word(byte(at, -1)) && is_sign(1)
                    || space(-1) && !word(byte(at, 1)) && byte(at, 1).is_none_or(|b| b < 0x80))
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
        let scanned = scan(&"a.b.c".repeat(99), |_, _| {
            seen += 1;
            false
        });
        assert!(!scanned.is_whole);
        assert_eq!(seen, 1);
    }
}
