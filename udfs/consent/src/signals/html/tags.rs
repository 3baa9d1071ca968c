//! Start and end tags of a page, by the tokenization rules of the HTML standard (WHATWG HTML,
//! section 13.2.5): comments, and elements whose content is text, are passed over.

use std::ops::Range;

/// One tag.
#[derive(Debug, PartialEq)]
pub(super) struct Tag<'a> {
    /// As written; compare without regard to case.
    pub name: &'a [u8],
    pub is_end: bool,
    /// From after the name to before the `>`.
    attributes: &'a [u8],
    /// What stands between this start tag and its end tag, for the elements whose content is
    /// text. Empty for all others.
    pub text: &'a [u8],
}

impl<'a> Tag<'a> {
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    /// The value of the first attribute of this name, as written. An attribute without a value
    /// has the empty one; of two with one name the first counts.
    pub(super) fn attribute(&self, name: &str) -> Option<&'a [u8]> {
        let mut at = 0;
        while let Some((found, value, next)) = attribute_at(self.attributes, at) {
            if self.attributes[found].eq_ignore_ascii_case(name.as_bytes()) {
                return Some(&self.attributes[value]);
            }
            at = next;
        }
        None
    }
}

/// The tags of a page, in order. Reading takes time linear in the length of the page.
pub(super) struct Tags<'a> {
    html: &'a [u8],
    at: usize,
}

impl<'a> Tags<'a> {
    pub(super) fn new(html: &'a [u8]) -> Self {
        Self { html, at: 0 }
    }

    /// The tag that begins at `open`, where there is a `<`, and its name at `open + skip`.
    /// `None` if the page ends inside it: such a tag is none.
    fn tag(&mut self, open: usize, skip: usize) -> Option<Tag<'a>> {
        let start = open + skip;
        let name = start..find(self.html, start, |b| is_space(b) || b == b'/' || b == b'>')?;
        let end = tag_end(self.html, name.end)?;
        self.at = end + 1;
        let mut tag = Tag {
            attributes: &self.html[name.end..end],
            name: &self.html[name],
            is_end: skip == 2,
            text: &[],
        };
        if !tag.is_end {
            let start = self.at;
            if TEXT_ELEMENTS.iter().any(|name| tag.is(name)) {
                self.at = text_end(self.html, start, tag.name);
            } else if tag.is("script") {
                self.at = script_end(self.html, start);
            } else if tag.is("plaintext") {
                self.at = self.html.len();
            }
            tag.text = &self.html[start..self.at];
        }
        Some(tag)
    }
}

/// Elements whose content is text up to their end tag (section 13.2.6, with scripting off:
/// the content of `noscript` is read).
const TEXT_ELEMENTS: [&str; 7] = [
    "title", "textarea", "style", "xmp", "iframe", "noembed", "noframes",
];

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let open = find(self.html, self.at, |b| b == b'<')?;
            let after = &self.html[open + 1..];
            let tag = match after {
                [b'!', b'-', b'-', ..] => {
                    self.at = comment_end(self.html, open + 4);
                    continue;
                }
                [first, ..] if first.is_ascii_alphabetic() => self.tag(open, 1),
                [b'/', first, ..] if first.is_ascii_alphabetic() => self.tag(open, 2),
                // Declarations, processing instructions and end tags without a name end at
                // the next `>` whatever they hold.
                [b'!' | b'?', ..] | [b'/', ..] => {
                    self.at = find(self.html, open, |b| b == b'>')? + 1;
                    continue;
                }
                _ => {
                    self.at = open + 1;
                    continue;
                }
            };
            if tag.is_none() {
                self.at = self.html.len();
            }
            return tag;
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\x0C' | b'\r' | b' ')
}

fn find(html: &[u8], from: usize, wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let at = html.get(from..)?.iter().position(|&b| wanted(b))?;
    Some(from + at)
}

/// The `>` that ends a tag whose attributes begin at `from`: one inside quotes does not.
fn tag_end(html: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some((_, value, next)) = attribute_at(html, at) {
        if value.end >= html.len() {
            return None;
        }
        at = next;
    }
    let at = find(html, at, |b| !is_space(b) && b != b'/')?;
    (html[at] == b'>').then_some(at)
}

/// The attribute at or after `from`: name, value, and where to go on. `None` at a `>` or the
/// end (sections 13.2.5.32 to 13.2.5.39).
fn attribute_at(html: &[u8], from: usize) -> Option<(Range<usize>, Range<usize>, usize)> {
    let start = find(html, from, |b| !is_space(b) && b != b'/')?;
    if html[start] == b'>' {
        return None;
    }
    let len = html.len();
    // An equals sign first is part of the name.
    let end = find(html, start + 1, |b| {
        is_space(b) || matches!(b, b'/' | b'>' | b'=')
    });
    let end = end.unwrap_or(len);
    let name = start..end;
    let next = find(html, end, |b| !is_space(b)).unwrap_or(len);
    if html.get(next) != Some(&b'=') {
        return Some((name, end..end, end));
    }
    let value = find(html, next + 1, |b| !is_space(b)).unwrap_or(len);
    let (value, next) = match html.get(value) {
        Some(&quote @ (b'"' | b'\'')) => {
            let end = find(html, value + 1, |b| b == quote).unwrap_or(len);
            (value + 1..end, (end + 1).min(len))
        }
        _ => {
            let end = find(html, value, |b| is_space(b) || b == b'>').unwrap_or(len);
            (value..end, end)
        }
    };
    Some((name, value.start.min(len)..value.end, next))
}

/// Where a comment ends whose text begins at `from` (sections 13.2.5.43 to 13.2.5.52).
fn comment_end(html: &[u8], from: usize) -> usize {
    match html.get(from..).unwrap_or_default() {
        [b'>', ..] => return from + 1,
        [b'-', b'>', ..] => return from + 2,
        _ => {}
    }
    let mut at = from;
    while let Some(close) = find(html, at, |b| b == b'>') {
        let text = &html[from..close];
        if text.ends_with(b"--") || text.ends_with(b"--!") {
            return close + 1;
        }
        at = close + 1;
    }
    html.len()
}

/// Whether the text at `at` is `prefix`, the tag name, and an end of the name.
fn name_at(html: &[u8], at: usize, prefix: &[u8], name: &[u8]) -> bool {
    let Some(text) = html.get(at..).and_then(|text| text.strip_prefix(prefix)) else {
        return false;
    };
    text.len() > name.len()
        && text[..name.len()].eq_ignore_ascii_case(name)
        && (is_space(text[name.len()]) || matches!(text[name.len()], b'/' | b'>'))
}

/// Where the end tag of a text element begins, or the page ends.
fn text_end(html: &[u8], from: usize, name: &[u8]) -> usize {
    let mut at = from;
    while let Some(open) = find(html, at, |b| b == b'<') {
        if name_at(html, open, b"</", name) {
            return open;
        }
        at = open + 1;
    }
    html.len()
}

/// Where the end tag of a script begins. After `<!--` and `<script`, an end tag closes only the
/// inner script, until `-->` (sections 13.2.5.15 to 13.2.5.31).
fn script_end(html: &[u8], from: usize) -> usize {
    let (mut at, mut comment, mut inner) = (from, None, false);
    while let Some(next) = find(html, at, |b| b == b'<' || b == b'>') {
        at = next + 1;
        if html[next] == b'>' {
            // The dashes that open the comment may close it.
            if comment.is_some_and(|start| html[start..next].ends_with(b"--")) {
                (comment, inner) = (None, false);
            }
        } else if html[next..].starts_with(b"<!--") {
            comment.get_or_insert(next + 2);
            at = next + 4;
        } else if name_at(html, next, b"</", b"script") {
            if !inner {
                return next;
            }
            inner = false;
        } else if comment.is_some() && name_at(html, next, b"<", b"script") {
            inner = true;
        }
    }
    html.len()
}
