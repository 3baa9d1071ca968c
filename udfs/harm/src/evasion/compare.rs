//! Compares a text with a spelling, outwards from a place where they agree.

use tamis_text::{is_word_char, simplified};

use super::characters::Traits;
use super::leet;
use super::separator::{self, is_separator};
use super::spelling::{Gap, Spelling, Unit, is_letter, normal_char};
use super::split;
use crate::via::{Forms, Via};

/// The character that starts at `at`; `None` at the end.
#[inline]
pub(crate) fn next_char(text: &str, at: usize) -> Option<char> {
    let rest = &text.as_bytes()[at..];
    match rest.first_chunk() {
        Some(&bytes) if is_of_three(bytes) => Some(of_three(bytes)),
        _ => match *rest.first()? {
            byte if byte.is_ascii() => Some(char::from(byte)),
            _ => text[at..].chars().next(),
        },
    }
}

/// The character that ends at `at`; `None` at the start.
#[inline]
pub(crate) fn char_before(text: &str, at: usize) -> Option<char> {
    let before = &text.as_bytes()[..at];
    match before.last_chunk() {
        Some(&bytes) if is_of_three(bytes) => Some(of_three(bytes)),
        _ => match *before.last()? {
            byte if byte.is_ascii() => Some(char::from(byte)),
            _ => text[..at].chars().next_back(),
        },
    }
}

/// Whether a character of three bytes stands there alone. Most beyond ASCII are.
#[inline]
fn is_of_three(bytes: [u8; 3]) -> bool {
    bytes[0] & 0xF0 == 0xE0
}

#[inline]
fn of_three([first, second, third]: [u8; 3]) -> char {
    let bits = |byte: u8, bits: u8| u32::from(byte & bits);
    let code = bits(first, 0xF) << 12 | bits(second, 0x3F) << 6 | bits(third, 0x3F);
    char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Whether one character of the text stands for `unit`, and in which form.
fn same(c: char, unit: char) -> Option<Forms> {
    if c.to_ascii_lowercase() == unit {
        return Some(Forms::NONE);
    }
    if c.is_ascii() && unit.is_ascii() {
        return None;
    }
    let traits = Traits::of(c);
    if traits.class() == Traits::of(unit).class() {
        return Some(Forms::of(if simplified(c) == unit {
            Via::Traditional
        } else {
            Via::Number
        }));
    }
    (traits.is_separator() && normal_char(c) == unit).then(|| Forms::of(Via::Width))
}

/// The end of what stands for `unit` from `at` on.
fn unit_after(text: &str, at: usize, unit: char) -> Option<(usize, Forms)> {
    let c = next_char(text, at)?;
    if let Some(forms) = same(c, unit) {
        return Some((at + c.len_utf8(), forms));
    }
    if unit.is_ascii() {
        return None;
    }
    let parts = split::parts(unit).find(|parts| text[at..].starts_with(parts))?;
    Some((at + parts.len(), Forms::of(Via::Split)))
}

/// The start of what stands for `unit` up to `at`.
fn unit_before(text: &str, at: usize, unit: char) -> Option<(usize, Forms)> {
    let c = char_before(text, at)?;
    if let Some(forms) = same(c, unit) {
        return Some((at - c.len_utf8(), forms));
    }
    if unit.is_ascii() {
        return None;
    }
    let parts = split::parts(unit).find(|parts| text[..at].ends_with(parts))?;
    Some((at - parts.len(), Forms::of(Via::Split)))
}

/// The end of the gap of `unit` from `at` on, where the text has it as the term does.
fn own_gap_after(text: &str, at: usize, gap: Gap) -> Option<usize> {
    let next = next_char(text, at);
    match gap {
        Gap::None => Some(at),
        Gap::One(own) => next
            .filter(|c| normal_char(*c) == own)
            .map(|c| at + c.len_utf8()),
        Gap::Optional => Some(at + usize::from(next == Some(' '))),
        Gap::Several => gap_after(text, at).filter(|end| *end > at),
    }
}

pub(crate) fn own_gap_before(text: &str, at: usize, gap: Gap) -> Option<usize> {
    let before = char_before(text, at);
    match gap {
        Gap::None => Some(at),
        Gap::One(own) => before
            .filter(|c| normal_char(*c) == own)
            .map(|c| at - c.len_utf8()),
        Gap::Optional => Some(at - usize::from(before == Some(' '))),
        Gap::Several => {
            let mut start = at;
            let mut left = separator::GAP;
            while let Some(c) = char_before(text, start).filter(|c| is_separator(*c)) {
                left = left.checked_sub(separator::count(c))?;
                start -= c.len_utf8();
            }
            (start < at).then_some(start)
        }
    }
}

/// The end of the separators from `at` on; `None` where there are more than a gap may hold.
fn gap_after(text: &str, mut at: usize) -> Option<usize> {
    let mut left = separator::GAP;
    while let Some(c) = next_char(text, at).filter(|c| is_separator(*c)) {
        left = left.checked_sub(separator::count(c))?;
        at += c.len_utf8();
    }
    Some(at)
}

/// Where the spelling starts if its first `unit` units end at `at`, written as the term has them.
pub(crate) fn start_of(
    text: &str,
    mut at: usize,
    spelling: &Spelling,
    unit: usize,
) -> Option<(usize, Forms)> {
    let mut forms = Forms::NONE;
    for index in (0..unit).rev() {
        let Unit { c, .. } = spelling.units[index];
        let (start, form) = unit_before(text, at, c)?;
        forms = forms.and(form);
        at = start;
        if index > 0 {
            at = own_gap_before(text, at, spelling.units[index].gap)?;
        }
    }
    Some((at, forms))
}

/// Where the spelling ends if its units from `unit` on start at `at`, written as the term has
/// them. The gap before that unit is not looked at.
pub(crate) fn plain_end_of(
    text: &str,
    mut at: usize,
    spelling: &Spelling,
    unit: usize,
) -> Option<(usize, Forms)> {
    let mut forms = Forms::NONE;
    for index in unit..spelling.units.len() {
        let Unit { c, gap } = spelling.units[index];
        if index > 0 {
            at = own_gap_after(text, at, gap)?;
        }
        let (end, form) = unit_after(text, at, c)?;
        forms = forms.and(form);
        at = end;
    }
    Some((at, forms))
}

/// Where the spelling ends if its units from `unit` on, with the gap before it, start at `at`,
/// however disguised: with separators, repeated letters and signs for letters.
pub(crate) fn end_of(
    text: &str,
    mut at: usize,
    spelling: &Spelling,
    unit: usize,
) -> Option<(usize, Forms)> {
    let mut forms = Forms::NONE;
    let units = &spelling.units;
    let mut index = unit;
    while index < units.len() {
        let Unit { c, gap } = units[index];
        if index > 0 {
            let (end, form) = gap_of(text, at, spelling, index)?;
            (at, forms) = (end, forms.and(form));
        }
        debug_assert!(index > 0 || gap == Gap::None);
        if c.is_ascii_lowercase() && next_char(text, at)?.to_ascii_lowercase() == c {
            let in_text = run(text, at, c);
            if in_text >= REPEATED {
                let in_term = 1 + units[index + 1..]
                    .iter()
                    .take_while(|unit| unit.c == c && unit.gap == Gap::None)
                    .count();
                if in_text >= in_term {
                    if in_text > in_term {
                        forms = forms.and(Forms::of(Via::Repeat));
                    }
                    at += in_text;
                    index += in_term;
                    continue;
                }
            }
        }
        if let Some((end, form)) = unit_after(text, at, c) {
            (at, forms) = (end, forms.and(form));
        } else {
            let sign = next_char(text, at)?;
            if !spelling.takes_leet || !leet::letters(sign).contains(c) {
                return None;
            }
            (at, forms) = (at + 1, forms.and(Forms::of(Via::Leet)));
            let touches = |c: char| is_word_char(c);
            if index + 1 == units.len() && next_char(text, at).is_some_and(touches) {
                return None;
            }
        }
        index += 1;
    }
    Some((at, forms))
}

/// The forms in which `text`, a way to write these units, differs from them.
pub(crate) fn forms_of(text: &str, spelling: &Spelling, units: std::ops::Range<usize>) -> Forms {
    let mut forms = Forms::NONE;
    let mut at = 0;
    for index in units.clone() {
        let Unit { c, gap } = spelling.units[index];
        if index > units.start {
            at = own_gap_after(text, at, gap).unwrap_or(at);
        }
        if let Some((end, form)) = unit_after(text, at, c) {
            (at, forms) = (end, forms.and(form));
        }
    }
    forms
}

/// This many equal letters are a repetition; two stand in ordinary words.
pub(crate) const REPEATED: usize = 3;

/// How many times the ASCII letter `c` stands from `at` on, in either case.
pub(crate) fn run(text: &str, at: usize, c: char) -> usize {
    text.as_bytes()[at..]
        .iter()
        .take_while(|byte| byte.to_ascii_lowercase() == c as u8)
        .count()
}

/// The gap before unit `index`: the term's own, or separators where they may stand.
fn gap_of(text: &str, at: usize, spelling: &Spelling, index: usize) -> Option<(usize, Forms)> {
    let Unit { c, gap } = spelling.units[index];
    let first = next_char(text, at)?;
    if gap == Gap::None && !is_separator(first) {
        return Some((at, Forms::NONE));
    }
    if let Some(end) = own_gap_after(text, at, gap)
        && next_char(text, end).is_some_and(|next| {
            !is_separator(next)
                || same(next, c).is_some()
                || gap != Gap::None && spelling.takes_leet && leet::letters(next).contains(c)
        })
    {
        return Some((end, Forms::NONE));
    }
    // A sign that stands for the letter is no separator, unless all its letters follow too.
    if gap == Gap::None && spelling.takes_leet && leet::letters(first).contains(c) {
        let same_units = spelling.units[index..]
            .iter()
            .enumerate()
            .take_while(|(nth, unit)| unit.c == c && (*nth == 0 || unit.gap == Gap::None))
            .count();
        let follows = run(text, at + 1, c) >= same_units;
        if !follows {
            return Some((at, Forms::NONE));
        }
    }
    let end = separators_before(text, at, spelling, c)?;
    if end == at {
        return None;
    }
    if !matches!(gap, Gap::One(_) | Gap::Several) {
        let left = char_before(text, at)?;
        let right = next_char(text, end)?;
        let before_left = char_before(text, at - left.len_utf8());
        let after_right = next_char(text, end + right.len_utf8());
        let beside = |c: char, unit: char, next: Option<char>| separator::Beside {
            is_digit: c.is_ascii_digit(),
            is_letter: is_letter(unit),
            stands_alone: !next.is_some_and(is_letter),
        };
        if !separator::allows(
            &text[at..end],
            beside(left, spelling.units[index - 1].c, before_left),
            beside(right, c, after_right),
            spelling.units.len(),
        ) {
            return None;
        }
    }
    Some((end, Forms::of(Via::Separator)))
}

/// The end of the separators from `at` on, leaving a last sign that stands for the letter.
fn separators_before(text: &str, at: usize, spelling: &Spelling, c: char) -> Option<usize> {
    let end = gap_after(text, at)?;
    if spelling.takes_leet && c.is_ascii_lowercase() {
        let next = next_char(text, end);
        let is_letter_next = next.is_some_and(|next| next.to_ascii_lowercase() == c);
        if !is_letter_next
            && let Some(last) = char_before(text, end)
            && leet::letters(last).contains(c)
        {
            return Some(end - 1);
        }
    }
    Some(end)
}
