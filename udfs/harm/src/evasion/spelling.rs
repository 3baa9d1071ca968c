//! A term as a row of characters with what stands between them.

use tamis_text::normal_form;

use super::characters::Traits;
use super::separator::is_separator;
use crate::via::Forms;

/// What a term has between two of its characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gap {
    /// Nothing.
    None,
    /// This one separator.
    One(char),
    /// Several separators.
    Several,
    /// Nothing or one space: between the syllables of a sound spelling.
    Optional,
}

/// A character of a term in normal form and the gap before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) c: char,
    pub(crate) gap: Gap,
}

/// One way to write a term.
#[derive(Debug, Clone)]
pub(crate) struct Spelling {
    /// Position of the term in the lexicon's patterns.
    pub(crate) pattern: u32,
    pub(crate) units: Box<[Unit]>,
    /// The forms that writing it this way means.
    pub(crate) forms: Forms,
    /// The forms that some entry of the term takes: others need not be looked for.
    pub(crate) asked: Forms,
    /// Whether every entry of the term takes it only where no word goes on beside it.
    pub(crate) whole_words: bool,
    /// Whether signs may stand for its letters: it has enough of them.
    pub(crate) takes_leet: bool,
}

impl Spelling {
    /// The spelling of a term in normal form; separators at its edges count as characters.
    pub(crate) fn of(pattern: u32, normal: &str, forms: Forms) -> Self {
        let inner_start = normal.find(|c| !is_separator(c)).unwrap_or(0);
        let inner_end = normal
            .char_indices()
            .rev()
            .find(|(_, c)| !is_separator(*c))
            .map_or(normal.len(), |(at, c)| at + c.len_utf8());
        let is_literal =
            inner_start == 0 && inner_end == normal.len() && { normal.chars().all(is_separator) };
        let mut units: Vec<Unit> = Vec::with_capacity(normal.len());
        let mut gap = Gap::None;
        for (at, c) in normal.char_indices() {
            if !is_literal && at > inner_start && at < inner_end && is_separator(c) {
                gap = match gap {
                    Gap::None => Gap::One(c),
                    _ => Gap::Several,
                };
            } else {
                units.push(Unit { c, gap });
                gap = Gap::None;
            }
        }
        Self::from_units(pattern, units, forms)
    }

    pub(crate) fn from_units(pattern: u32, units: Vec<Unit>, forms: Forms) -> Self {
        let letters = units.iter().filter(|unit| unit.c.is_ascii_lowercase());
        Self {
            pattern,
            takes_leet: letters.count() >= super::leet::SHORTEST,
            units: units.into(),
            forms,
            asked: Forms::ALL,
            whole_words: false,
        }
    }

    /// Characters at the edges that are separators by themselves, as in `#x`.
    pub(crate) fn literals(&self) -> impl Iterator<Item = char> {
        self.units
            .iter()
            .map(|unit| unit.c)
            .filter(|c| is_separator(*c))
    }
}

/// The normal form of one character where it is one character; else that character.
pub(crate) fn normal_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_lowercase();
    }
    let mut buffer = [0; 4];
    let normal = normal_form(c.encode_utf8(&mut buffer));
    let mut characters = normal.chars();
    match (characters.next(), characters.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// Whether `c` is written together with its like into words.
pub(crate) fn is_letter(c: char) -> bool {
    Traits::of(c).is_letter()
}
