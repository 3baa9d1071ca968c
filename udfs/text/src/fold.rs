//! The normal form: NFKC, lower case, without characters that are ignored when shown.

mod map;
mod segment;
mod table;
mod walk;

use std::borrow::Cow;
use std::cell::OnceCell;

use map::OffsetMap;
use segment::Unit;
use walk::{Visitor, walk};

pub use table::is_default_ignorable;

/// The normal form of `text`; borrowed when the text already is in it.
///
/// NFKC, then full lower case (final sigma becomes sigma), without default-ignorable characters
/// (zero-width and bidirectional controls, soft hyphens, variation selectors, fillers), repeated
/// until nothing changes. Folding a folded text changes nothing.
pub fn fold(text: &str) -> Cow<'_, str> {
    let mut writer = Writer {
        text,
        folded: String::new(),
        unchanged_to: Some(0),
    };
    walk(text, &mut writer);
    match writer.unchanged_to {
        Some(_) => Cow::Borrowed(text),
        None => Cow::Owned(writer.folded),
    }
}

/// Whether folding leaves `c` as it is, whatever stands beside it.
pub(crate) fn folds_alone(c: char) -> bool {
    table::Table::get().class(c) == table::Class::Same && !c.is_ascii_uppercase()
}

/// A text in normal form with the way back to the original.
///
/// The map back is made when it is first asked for, by folding once more: most texts are never
/// asked.
#[derive(Debug)]
pub struct Folded<'a> {
    original: &'a str,
    text: Cow<'a, str>,
    map: OnceCell<OffsetMap>,
}

impl<'a> Folded<'a> {
    /// Folds `text`, see [`fold`].
    pub fn new(text: &'a str) -> Self {
        Self {
            original: text,
            text: fold(text),
            map: OnceCell::new(),
        }
    }

    /// The folded text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The folded text alone.
    pub(crate) fn into_text(self) -> Cow<'a, str> {
        self.text
    }

    /// The text that was folded.
    pub fn original(&self) -> &'a str {
        self.original
    }

    /// Whether folding changed nothing; then spans are the same in both texts.
    pub fn is_unchanged(&self) -> bool {
        matches!(self.text, Cow::Borrowed(_))
    }

    /// The smallest span of the original that produced the span `start..end` of the folded text,
    /// in bytes.
    ///
    /// Removed characters at the edges are left out, those between are inside. Where one original
    /// character folds to several, a part of them stands for the whole character. An empty span
    /// gives an empty span.
    ///
    /// # Panics
    /// When the span is reversed or ends beyond the folded text.
    pub fn original_span(&self, start: usize, end: usize) -> (usize, usize) {
        assert!(
            start <= end && end <= self.text.len(),
            "span {start}..{end} of a folded text of {} bytes",
            self.text.len()
        );
        if self.is_unchanged() {
            return (start, end);
        }
        self.map
            .get_or_init(|| OffsetMap::of(self.original))
            .original_span(start, end)
    }
}

/// Writes the folded text, and nothing as long as it equals the original.
struct Writer<'a> {
    text: &'a str,
    folded: String,
    /// How far the text was walked while nothing changed; `None` once something did.
    unchanged_to: Option<usize>,
}

impl Writer<'_> {
    fn change(&mut self) {
        if let Some(end) = self.unchanged_to.take() {
            self.folded.reserve(self.text.len());
            self.folded.push_str(&self.text[..end]);
        }
    }
}

impl Visitor for Writer<'_> {
    fn kept(&mut self, start: usize, end: usize, has_upper: bool) {
        if has_upper {
            self.change();
        }
        if let Some(unchanged_to) = &mut self.unchanged_to {
            *unchanged_to = end;
            return;
        }
        let from = self.folded.len();
        self.folded.push_str(&self.text[start..end]);
        if has_upper {
            self.folded[from..].make_ascii_lowercase();
        }
    }

    fn replaced(&mut self, _start: usize, _end: usize, folded: &str) {
        self.change();
        self.folded.push_str(folded);
    }

    fn removed(&mut self) {
        self.change();
    }

    fn composed(&mut self, units: &[Unit]) {
        self.change();
        self.folded.extend(units.iter().map(|unit| unit.character));
    }
}

#[cfg(test)]
mod tests;
