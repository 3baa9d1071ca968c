//! What searching asks of a character, read from one table.

use std::sync::OnceLock;

use tamis_text::{is_normal, is_word_char, normal_form, simplified};

use super::number::digit;
use super::separator;

/// Code points below are read from the table; larger ones are asked anew.
const TABLED: u32 = 0x20000;

const CLASS: u32 = (1 << 21) - 1;
const SEPARATOR: u32 = 1 << 21;
const LETTER: u32 = 1 << 22;
const EXOTIC: u32 = 1 << 23;
const CHANGED: u32 = 1 << 24;
const ENDS_CLAUSE: u32 = 1 << 25;

/// Unified Ideographs have a class and nothing else, so their table is small.
const FIRST_IDEOGRAPH: u32 = 0x4E00;
const LAST_IDEOGRAPH: u32 = 0x9FFF;

struct Tables {
    /// Classes, 0 where they have more than 16 bits.
    ideographs: Vec<u16>,
    all: Vec<Traits>,
}

impl Tables {
    fn new() -> Self {
        let all: Vec<Traits> = (0..TABLED)
            .map(|code| char::from_u32(code).map_or(Traits(EXOTIC), Traits::compute))
            .collect();
        // Ideographs that become others are only changed, and that is asked of separators alone.
        // Few have a class beyond 16 bits: they are looked up in the large table.
        let ideographs = all[FIRST_IDEOGRAPH as usize..=LAST_IDEOGRAPH as usize]
            .iter()
            .map(|traits| u16::try_from(traits.0 & !CHANGED).unwrap_or(0))
            .collect();
        Self { ideographs, all }
    }
}

/// What searching asks of a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Traits(u32);

impl Traits {
    #[inline]
    fn tables() -> &'static Tables {
        static TABLES: OnceLock<Tables> = OnceLock::new();
        TABLES.get_or_init(Tables::new)
    }

    /// The class of a Unified Ideograph; `None` for bytes that are something else, and for a few
    /// ideographs.
    #[inline]
    pub(crate) fn class_of_ideograph([first, second, third]: [u8; 3]) -> Option<u32> {
        let bits = |byte: u8| u32::from(byte & 0x3F);
        // The first byte with what marks it: what is none comes out too large or too small.
        let code = u32::from(first ^ 0xE0) << 12 | bits(second) << 6 | bits(third);
        let at = code.wrapping_sub(FIRST_IDEOGRAPH) as usize;
        let class = Self::tables().ideographs.get(at)?;
        (*class != 0).then(|| u32::from(*class))
    }

    #[inline]
    pub(crate) fn of(c: char) -> Self {
        let tables = Self::tables();
        let code = u32::from(c);
        let ideograph = code.wrapping_sub(FIRST_IDEOGRAPH) as usize;
        if let Some(&class) = tables.ideographs.get(ideograph)
            && class != 0
        {
            return Self(u32::from(class));
        }
        match tables.all.get(code as usize) {
            Some(traits) => *traits,
            None => Self::compute(c),
        }
    }

    fn compute(c: char) -> Self {
        let simple = simplified(c.to_ascii_lowercase());
        let mut traits = u32::from(digit(simple).unwrap_or(simple));
        let is_separator = separator::separates(c);
        if is_separator {
            traits |= SEPARATOR;
            if separator::ends_clause(c) {
                traits |= ENDS_CLAUSE;
            }
        }
        if is_word_char(c) && c.is_alphabetic() {
            traits |= LETTER;
        }
        if !is_normal(c) {
            let text = c.to_string();
            let normal = normal_form(&text);
            let keeps_separating = is_separator
                && !normal.is_empty()
                && normal.chars().all(separator::separates)
                // Counted as what they become.
                && normal.chars().count() == separator::count(c);
            let is_simplified = simplified(c) != c && normal.chars().eq([simplified(c)]);
            traits |= match keeps_separating || is_simplified {
                true => CHANGED,
                false => CHANGED | EXOTIC,
            };
        }
        Self(traits)
    }

    /// The same for all characters that comparing takes for each other: ASCII letters in either
    /// case, a character and its traditional forms, the styles of a digit.
    #[inline]
    pub(crate) fn class(self) -> u32 {
        self.0 & CLASS
    }

    /// See [`separator::separates`].
    #[inline]
    pub(crate) fn is_separator(self) -> bool {
        self.0 & SEPARATOR != 0
    }

    /// See [`separator::ends_clause`].
    #[inline]
    pub(crate) fn ends_clause(self) -> bool {
        self.0 & ENDS_CLAUSE != 0
    }

    /// Whether it is written together with its like into words.
    #[inline]
    pub(crate) fn is_letter(self) -> bool {
        self.0 & LETTER != 0
    }

    /// Whether comparing cannot bear with it: the normal form changes it to more than separators
    /// or a simplified character, or it changes others.
    #[inline]
    pub(crate) fn is_exotic(self) -> bool {
        self.0 & EXOTIC != 0
    }
}

/// The separators that become one of `literals`, ascending.
pub(crate) fn become_one_of(literals: &[char]) -> Vec<char> {
    if literals.is_empty() {
        return Vec::new();
    }
    ('\u{80}'..char::from_u32(TABLED).expect("no surrogate"))
        .filter(|&c| {
            let traits = Traits::of(c);
            traits.is_separator()
                && traits.0 & CHANGED != 0
                && normal_form(c.encode_utf8(&mut [0; 4]))
                    .chars()
                    .any(|normal| literals.contains(&normal))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples() {
        for c in "中殺かa가ก".chars() {
            let traits = Traits::of(c);
            assert!(!traits.is_exotic() && !traits.is_separator(), "{c}");
        }
        for c in "，。！…　、★😀—“¨\u{A0}".chars() {
            let traits = Traits::of(c);
            assert!(!traits.is_exotic() && traits.is_separator(), "{c}");
        }
        for c in "ＡA①é\u{301}\u{200B}𝓕сα\u{F900}ｶ\u{FE0F}".chars() {
            assert!(Traits::of(c).is_exotic(), "{c}");
        }
        for pair in ["殺杀", "aA", "玖9", "貳2", "〇零"] {
            let classes: Vec<u32> = pair.chars().map(|c| Traits::of(c).class()).collect();
            assert_eq!(classes[0], classes[1], "{pair}");
        }
        assert_ne!(Traits::of('杀').class(), Traits::of('人').class());
        let tables = Tables::new();
        let mut beyond = 0;
        for (c, class) in (FIRST_IDEOGRAPH..).zip(&tables.ideographs) {
            let expected = tables.all[c as usize].class();
            match class {
                0 => beyond += 1,
                class => assert_eq!(expected, u32::from(*class)),
            }
        }
        assert!(beyond < 1000, "{beyond}");
        assert!(Traits::of('a').is_letter() && !Traits::of('中').is_letter());
    }

    #[test]
    fn full_width_signs_become_plain_ones() {
        assert!(become_one_of(&['#']).contains(&'＃'));
        assert!(!become_one_of(&['#']).contains(&'，'));
        assert!(become_one_of(&[]).is_empty());
    }

    /// What the scan does not look at is plain.
    #[test]
    fn ideographs_are_plain() {
        for c in '\u{4000}'..='\u{9FFF}' {
            assert!(!Traits::of(c).is_exotic(), "{c}");
        }
        for c in (0..0x80_u8)
            .map(char::from)
            .filter(|c| !c.is_ascii_uppercase())
        {
            assert!(!Traits::of(c).is_exotic(), "{c:?}");
        }
    }
}
