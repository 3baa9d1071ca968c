//! Digits and signs that stand for the letters they look like.

/// A sign and the letters it may stand for.
const SIGNS: [(char, &str); 14] = [
    ('0', "o"),
    ('1', "il"),
    ('2', "z"),
    ('3', "e"),
    ('4', "a"),
    ('5', "s"),
    ('6', "gb"),
    ('7', "t"),
    ('8', "b"),
    ('9', "g"),
    ('@', "a"),
    ('$', "s"),
    ('!', "il"),
    ('+', "t"),
];

/// Words shorter than this are too easily part of numbers and codes.
pub(crate) const SHORTEST: usize = 4;

/// The letters a sign may stand for; empty for other characters.
#[inline]
pub(crate) fn letters(sign: char) -> &'static str {
    if !sign.is_ascii() || sign.is_ascii_alphabetic() {
        return "";
    }
    SIGNS
        .iter()
        .find(|pair| pair.0 == sign)
        .map_or("", |pair| pair.1)
}

/// The first letter an ASCII sign may stand for; 0 for other characters.
#[inline]
pub(crate) fn first_letter(sign: u8) -> u8 {
    const FIRST_LETTERS: [u8; 128] = {
        let mut letters = [0; 128];
        let mut nth = 0;
        while nth < SIGNS.len() {
            let (sign, meant) = SIGNS[nth];
            letters[sign as usize] = meant.as_bytes()[0];
            nth += 1;
        }
        letters
    };
    FIRST_LETTERS.get(usize::from(sign)).copied().unwrap_or(0)
}

/// The signs that may stand for a letter.
pub(crate) fn signs(letter: char) -> impl Iterator<Item = char> {
    SIGNS
        .into_iter()
        .filter(move |pair| pair.1.contains(letter))
        .map(|pair| pair.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways() {
        assert_eq!(letters('1'), "il");
        assert_eq!(letters('a'), "");
        assert_eq!(letters('中'), "");
        for sign in 0..=u8::MAX {
            let first = letters(char::from(sign)).bytes().next().unwrap_or(0);
            assert_eq!(first_letter(sign), first, "{sign}");
        }
        assert_eq!(signs('s').collect::<String>(), "5$");
        assert_eq!(signs('q').count(), 0);
    }
}
