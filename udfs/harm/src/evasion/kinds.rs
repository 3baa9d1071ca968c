//! What a character means for a text that is not brought into normal form.

use std::sync::OnceLock;

use tamis_text::{is_normal, normal_form, simplified};

use super::separator::is_separator;

/// Read from the table; larger code points are asked anew.
const TABLED: u32 = 0x20000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// Comparing bears with it: the normal form leaves it, or simplifies it.
    Plain,
    /// A separator, whose normal form is separators too.
    Separator,
    /// The normal form changes it, or it changes others.
    Exotic,
}

pub(crate) fn kind(c: char) -> Kind {
    static TABLE: OnceLock<Vec<Kind>> = OnceLock::new();
    let code = u32::from(c);
    if code >= TABLED {
        return compute(c);
    }
    TABLE.get_or_init(|| {
        (0..TABLED)
            .map(|code| char::from_u32(code).map_or(Kind::Exotic, compute))
            .collect()
    })[code as usize]
}

fn compute(c: char) -> Kind {
    if is_normal(c) {
        return if is_separator(c) {
            Kind::Separator
        } else {
            Kind::Plain
        };
    }
    let text = c.to_string();
    let normal = normal_form(&text);
    if is_separator(c) && !normal.is_empty() && normal.chars().all(is_separator) {
        // Counted as what they become.
        let is_counted = normal.chars().count() == super::separator::count(c);
        return if is_counted {
            Kind::Separator
        } else {
            Kind::Exotic
        };
    }
    let is_han = normal.chars().eq([simplified(c)]) && simplified(c) != c;
    if is_han { Kind::Plain } else { Kind::Exotic }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples() {
        for c in "中殺かa가ก".chars() {
            assert_eq!(kind(c), Kind::Plain, "{c}");
        }
        for c in "，。！…　、★😀—“¨\u{A0}".chars() {
            assert_eq!(kind(c), Kind::Separator, "{c}");
        }
        for c in "ＡA①é\u{301}\u{200B}𝓕сα\u{F900}ｶ\u{FE0F}".chars() {
            assert_eq!(kind(c), Kind::Exotic, "{c}");
        }
    }

    /// What the scan does not look at is plain.
    #[test]
    fn ideographs_are_plain() {
        for c in '\u{4000}'..='\u{9FFF}' {
            assert_ne!(kind(c), Kind::Exotic, "{c}");
        }
        for c in (0..0x80_u8)
            .map(char::from)
            .filter(|c| !c.is_ascii_uppercase())
        {
            assert_ne!(kind(c), Kind::Exotic, "{c:?}");
        }
    }
}
