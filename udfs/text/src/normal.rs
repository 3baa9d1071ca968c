//! The normal form that matching sees: folded, simplified, look-alikes in Latin, without marks.

mod han;
mod look_alike;

use std::borrow::Cow;
use std::cell::OnceCell;

use unicode_normalization::char::canonical_combining_class;

use crate::fold::{Folded, folds_alone};

pub use han::{simplified, traditional};
pub use look_alike::look_alikes;

/// The normal form of `text`; borrowed when the text already is in it.
///
/// [`crate::fold`], and then: traditional characters become simplified ones; letters that look
/// like Latin letters (small capitals, letters with accents or strokes) become those letters, and
/// so do Greek and Cyrillic look-alikes in a word that has no other Greek or Cyrillic letters;
/// enclosed letters and digits without a compatibility form become what they hold; general
/// combining marks (accents, overlays, enclosures) are dropped. The normal form of a normal form
/// is itself.
pub fn normal_form(text: &str) -> Cow<'_, str> {
    let normal = Normal::new(text);
    match normal.text {
        Some(text) => Cow::Owned(text),
        None => normal.folded.into_text(),
    }
}

/// A text in the form of [`normal_form`] with the way back to the original.
#[derive(Debug)]
pub struct Normal<'a> {
    folded: Folded<'a>,
    /// `None` where it equals the folded text.
    text: Option<String>,
    map: OnceCell<Map>,
}

impl<'a> Normal<'a> {
    /// The normal form of `text`.
    pub fn new(text: &'a str) -> Self {
        let folded = Folded::new(text);
        let mut writer = Writer {
            from: folded.text(),
            to: None,
        };
        walk(&folded, &mut writer);
        Self {
            text: writer.to,
            folded,
            map: OnceCell::new(),
        }
    }

    /// The normal form.
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_else(|| self.folded.text())
    }

    /// The text it is the normal form of.
    pub fn original(&self) -> &'a str {
        self.folded.original()
    }

    /// The smallest span of the original that produced the span `start..end` of the normal form,
    /// in bytes, as [`Folded::original_span`] says; a dropped mark belongs to the character that
    /// carries it.
    ///
    /// # Panics
    /// When the span is reversed or ends beyond the normal form.
    pub fn original_span(&self, start: usize, end: usize) -> (usize, usize) {
        let (start, end) = match &self.text {
            None => (start, end),
            Some(text) => {
                assert!(
                    start <= end && end <= text.len(),
                    "span {start}..{end} of a normal form of {} bytes",
                    text.len()
                );
                let map = self.map.get_or_init(|| {
                    let mut map = Map::default();
                    walk(&self.folded, &mut map);
                    map
                });
                let from = map.folded(start).0;
                // The last byte inside decides where the span ends.
                (
                    from,
                    if start == end {
                        from
                    } else {
                        map.folded(end - 1).1
                    },
                )
            }
        };
        self.folded.original_span(start, end)
    }
}

/// Whether the normal form leaves `c` as it is, whatever stands beside it.
pub fn is_normal(c: char) -> bool {
    folds_alone(c)
        && simplified(c) == c
        && look_alike::plain(c).is_none()
        && !look_alike::is_other_script(c)
        && !is_general_mark(c)
}

/// Marks that any letter may carry: accents, overlays, enclosures.
fn is_general_mark(c: char) -> bool {
    matches!(u32::from(c), 0x300..=0x36F | 0x483..=0x489 | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF | 0xFE20..=0xFE2F)
}

/// Whether a general mark behind `before` is dropped: not on letters of scripts that compose with
/// what follows.
fn sheds_marks(before: &str) -> bool {
    let mut backwards = before.chars().rev();
    backwards
        .find(|c| canonical_combining_class(*c) == 0)
        .is_some_and(|c| {
            !matches!(u32::from(c), 0x530..=0x1DFF | 0x3040..=0x30FF | 0xA640..=0xABFF | 0xAC00..=0xD7FF)
        })
}

trait Visitor {
    /// Bytes `start..end` of the folded text stay.
    fn kept(&mut self, start: usize, end: usize);
    /// Bytes `start..end` of the folded text become `normal`.
    fn replaced(&mut self, start: usize, end: usize, normal: &str);
}

fn walk(folded: &Folded<'_>, visitor: &mut impl Visitor) {
    let text = folded.text();
    let bytes = text.as_bytes();
    let (mut kept, mut at) = (0, 0);
    // Up to here the word is known to hold only look-alikes, or to hold another letter too.
    let (mut word_end, mut is_alike) = (0, false);
    let mut buffer = [0; 4];
    while at < bytes.len() {
        if bytes[at] < 0x80 {
            at += 1;
            continue;
        }
        let c = text[at..].chars().next().expect("inside the text");
        let next = at + c.len_utf8();
        if is_general_mark(c) {
            // The bearer of earlier marks was written with all of them.
            let bearer = text[kept..at].chars().next_back();
            if let Some(bearer) = bearer.filter(|_| sheds_marks(&text[..at])) {
                let start = at - bearer.len_utf8();
                let end = after_marks(text, at);
                flush(visitor, kept, start);
                visitor.replaced(start, end, bearer.encode_utf8(&mut buffer));
                (kept, at) = (end, end);
            } else {
                at = next;
            }
            continue;
        }
        let normal = if look_alike::is_other_script(c) {
            if at >= word_end {
                (word_end, is_alike) = word(text, at);
            }
            let alike = look_alike::other_script(c).filter(|_| is_alike);
            alike.map(|alike| {
                &*capital(folded, at, next)
                    .unwrap_or(alike)
                    .encode_utf8(&mut buffer)
            })
        } else if let Some(plain) = look_alike::plain(c) {
            Some(plain)
        } else {
            match simplified(c) {
                same if same == c => None,
                simple => Some(&*simple.encode_utf8(&mut buffer)),
            }
        };
        match normal {
            Some(normal) => {
                flush(visitor, kept, at);
                let end = after_marks(text, next);
                visitor.replaced(at, end, normal);
                (kept, at) = (end, end);
            }
            None => at = next,
        }
    }
    flush(visitor, kept, at);
}

fn flush(visitor: &mut impl Visitor, start: usize, end: usize) {
    if start < end {
        visitor.kept(start, end);
    }
}

/// Where the marks from `at` on end. Behind an enclosing mark, which is no combining character to
/// canonical ordering, other marks go with it: without it they would stand beside marks that
/// belong behind them.
fn after_marks(text: &str, at: usize) -> usize {
    let mut is_enclosed = false;
    text[at..]
        .find(|c: char| {
            let class = canonical_combining_class(c);
            let is_general = is_general_mark(c);
            is_enclosed |= is_general && class == 0;
            !is_general && (!is_enclosed || class == 0)
        })
        .map_or(text.len(), |offset| at + offset)
}

/// Where the word around `at` ends, and whether all Greek and Cyrillic letters from there on
/// look Latin.
fn word(text: &str, at: usize) -> (usize, bool) {
    let mut is_alike = true;
    for (offset, c) in text[at..].char_indices() {
        if look_alike::is_other_script(c) {
            is_alike &= look_alike::other_script(c).is_some();
        } else if !(crate::is_word_char(c) || is_general_mark(c)) {
            return (at + offset, is_alike);
        }
    }
    (text.len(), is_alike)
}

/// The Latin letter the original of a folded letter looks like, where its capital looks like
/// another.
fn capital(folded: &Folded<'_>, start: usize, end: usize) -> Option<char> {
    if !matches!(&folded.text()[start..end], "η" | "ν" | "υ" | "μ") {
        return None;
    }
    let (start, end) = folded.original_span(start, end);
    folded.original()[start..end]
        .chars()
        .find_map(look_alike::capital)
}

struct Writer<'a> {
    from: &'a str,
    to: Option<String>,
}

impl Visitor for Writer<'_> {
    fn kept(&mut self, start: usize, end: usize) {
        if let Some(to) = &mut self.to {
            to.push_str(&self.from[start..end]);
        }
    }

    fn replaced(&mut self, start: usize, _end: usize, normal: &str) {
        // Nothing was replaced before, so all before is the same.
        self.to
            .get_or_insert_with(|| {
                let mut to = String::with_capacity(self.from.len());
                to.push_str(&self.from[..start]);
                to
            })
            .push_str(normal);
    }
}

/// From the normal form to the folded text.
#[derive(Debug, Default)]
struct Map {
    /// Start in the normal form, start in the folded text, and the length in the folded text of
    /// what was replaced as one; 0 where bytes were kept. Ascending.
    runs: Vec<(usize, usize, usize)>,
    len: usize,
}

impl Map {
    /// The folded bytes that produced the byte `at` of the normal form; behind the last byte, the
    /// end.
    fn folded(&self, at: usize) -> (usize, usize) {
        let after = self.runs.partition_point(|run| run.0 <= at);
        let Some(&(start, folded, length)) = after.checked_sub(1).map(|run| &self.runs[run]) else {
            return (0, 0);
        };
        if length == 0 {
            (folded + (at - start), folded + (at - start) + 1)
        } else if at >= self.len {
            (folded + length, folded + length)
        } else {
            (folded, folded + length)
        }
    }
}

impl Visitor for Map {
    fn kept(&mut self, start: usize, end: usize) {
        self.runs.push((self.len, start, 0));
        self.len += end - start;
    }

    fn replaced(&mut self, start: usize, end: usize, normal: &str) {
        self.runs.push((self.len, start, end - start));
        self.len += normal.len();
    }
}

#[cfg(test)]
mod tests;
