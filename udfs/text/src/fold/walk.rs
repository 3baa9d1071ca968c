//! Cuts a text into the pieces that fold independently of each other.
//!
//! A segment starts at a character whose decomposition begins with a starter that no earlier
//! character can take in. Nearly all segments are one character long and answered by the table;
//! the others are normalised with [`super::segment`].

use unicode_normalization::{IsNormalized, is_nfkc_quick};

use super::segment::{Unit, normalise};
use super::table::{Class, Table, skip_ignorable};

/// Receives the pieces of a text in order.
pub(super) trait Visitor {
    /// Bytes `start..end` fold to themselves, or with `has_upper` to their ASCII lower case.
    fn kept(&mut self, start: usize, end: usize, has_upper: bool);
    /// The character at bytes `start..end` folds to `folded`, which is not empty.
    fn replaced(&mut self, start: usize, end: usize, folded: &str);
    /// Ignorable characters at this place were removed.
    fn removed(&mut self);
    /// A segment of several characters folds to these characters.
    fn composed(&mut self, units: &[Unit]);
}

pub(super) fn walk(text: &str, visitor: &mut impl Visitor) {
    let table = Table::get();
    let bytes = text.as_bytes();
    let mut units = Vec::new();
    // Bytes `kept..at` are walked and fold to themselves, but for ASCII capitals.
    let (mut kept, mut at, mut has_upper) = (0, 0, false);
    while let Some(&byte) = bytes.get(at) {
        if byte < 0x80 {
            let length = ascii_prefix(&bytes[at..]);
            has_upper |= any_upper(&bytes[at..at + length]);
            at += length;
            continue;
        }
        if table.is_settled_lead(byte) {
            at += 3;
            continue;
        }
        let c = char_at(text, at);
        let next = at + c.len_utf8();
        // Where a segment of several characters starts, if one does.
        let segment = match table.class(c) {
            Class::Same => {
                at = next;
                continue;
            }
            Class::Joins if kept < at => char_before(text, at),
            Class::Joins => at,
            Class::Replaced(folded) => {
                if table.joins_at(text, next) {
                    at
                } else {
                    flush(visitor, kept, at, &mut has_upper);
                    visitor.replaced(at, next, folded);
                    (kept, at) = (next, next);
                    continue;
                }
            }
            Class::Ignored => {
                let following = skip_ignorable(text, next);
                if !table.joins_at(text, following) {
                    flush(visitor, kept, at, &mut has_upper);
                    visitor.removed();
                    (kept, at) = (following, following);
                    continue;
                }
                if kept < at { char_before(text, at) } else { at }
            }
        };
        let end = table.segment_end(text, segment);
        if is_settled(table, &text[segment..end]) {
            at = end;
            continue;
        }
        normalise(text, segment..end, &mut units);
        if units
            .iter()
            .map(|unit| unit.character)
            .eq(text[segment..end].chars())
        {
            at = end;
            continue;
        }
        flush(visitor, kept, segment, &mut has_upper);
        visitor.composed(&units);
        (kept, at) = (end, end);
    }
    flush(visitor, kept, at, &mut has_upper);
}

fn flush(visitor: &mut impl Visitor, start: usize, end: usize, has_upper: &mut bool) {
    if start < end {
        visitor.kept(start, end, *has_upper);
    }
    *has_upper = false;
}

/// Whether a segment of several characters is in normal form already, as most of those in
/// scripts with vowel and tone marks are.
fn is_settled(table: &Table, segment: &str) -> bool {
    segment
        .chars()
        .all(|c| !c.is_ascii_uppercase() && matches!(table.class(c), Class::Same | Class::Joins))
        && is_nfkc_quick(segment.chars()) == IsNormalized::Yes
}

fn char_at(text: &str, at: usize) -> char {
    text[at..].chars().next().expect("inside the text")
}

fn char_before(text: &str, at: usize) -> usize {
    let last = text[..at].chars().next_back().expect("after the start");
    at - last.len_utf8()
}

/// How many bytes from the start on are ASCII; at least one is.
fn ascii_prefix(bytes: &[u8]) -> usize {
    const CHUNK: usize = 32;
    let whole = bytes
        .chunks_exact(CHUNK)
        .take_while(|chunk| chunk.iter().fold(0, |all, byte| all | byte) < 0x80)
        .count()
        * CHUNK;
    let rest = &bytes[whole..];
    whole
        + rest
            .iter()
            .take(CHUNK)
            .position(|&byte| byte >= 0x80)
            .unwrap_or(rest.len().min(CHUNK))
}

fn any_upper(ascii: &[u8]) -> bool {
    ascii
        .iter()
        .fold(false, |any, byte| any | byte.is_ascii_uppercase())
}
