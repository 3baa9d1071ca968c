//! Lines of a file in the manner of robots.txt: `key: value # comment`.

/// One line that names a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    /// Counted from 1; CR, LF and CR LF each end one line (RFC 9309 §2.2, `NL`).
    pub(super) number: u32,
    /// The line begins with two spaces or a tab.
    pub(super) indented: bool,
    /// Whether a colon stands between key and value, or only white space.
    pub(super) colon: bool,
    /// What stands before the colon, without white space around it.
    pub(super) key: &'a [u8],
    /// What stands after it, without comment and white space around it.
    pub(super) value: &'a [u8],
}

impl Line<'_> {
    /// Whether the key is one of `names`, which are in lower case.
    pub(super) fn is(&self, names: &[&str]) -> bool {
        names
            .iter()
            .any(|name| self.key.eq_ignore_ascii_case(name.as_bytes()))
    }
}

/// The lines of `text` that name a key; comments, empty lines and lines of one word are left out.
pub(super) fn lines(text: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let mut rest = text;
    let mut number = 0;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let end = memchr::memchr2(b'\n', b'\r', rest).unwrap_or(rest.len());
            let line = &rest[..end];
            rest = match &rest[end..] {
                [b'\r', b'\n', after @ ..] | [_, after @ ..] => after,
                [] => &[],
            };
            number += 1;
            if let Some(line) = read(number, line) {
                return Some(line);
            }
        }
        None
    })
}

fn read(number: u32, line: &[u8]) -> Option<Line<'_>> {
    // Files glued together carry byte order marks in their middle.
    let line = line.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(line);
    let end = memchr::memchr(b'#', line).unwrap_or(line.len());
    let line = &line[..end];
    let indented = line.starts_with(b"  ") || line.starts_with(b"\t");
    let content = trim(line);
    let colon = memchr::memchr(b':', content);
    let split = colon.or_else(|| content.iter().position(|&byte| is_blank(byte)))?;
    Some(Line {
        number,
        indented,
        colon: colon.is_some(),
        key: trim(&content[..split]),
        value: trim(&content[split + 1..]),
    })
}

/// Space, tab and NUL: C programs end a line at a NUL, so one at an end belongs to no value.
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\0' | b'\x0B' | b'\x0C')
}

/// Without white space at both ends.
pub(super) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_blank(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && is_blank(*last)
    {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_end_counts_once() {
        let found: Vec<(u32, &[u8], &[u8])> =
            lines(b"a:1\nb:2\r\nc:3\rd:4\n\n\re : 5 # c\nf\n#g:7")
                .map(|line| (line.number, line.key, line.value))
                .collect();
        let expected: Vec<(u32, &[u8], &[u8])> = vec![
            (1, b"a", b"1"),
            (2, b"b", b"2"),
            (3, b"c", b"3"),
            (4, b"d", b"4"),
            (7, b"e", b"5"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn blanks_nuls_marks_and_missing_colons() {
        let line = |text: &'static [u8]| lines(text).next().expect("a line");
        assert_eq!(line(b"\xEF\xBB\xBFKey\t:\0 v \0").key, b"Key");
        assert_eq!(line(b"Key:\0 v \0").value, b"v");
        assert_eq!(line(b"key: a:b c").value, b"a:b c");
        assert!(line(b"  key: v").indented && line(b"\tkey: v").indented);
        assert!(!line(b" key: v").indented);
        let bare = line(b"Disallow /x");
        assert!(!bare.colon && bare.is(&["allow", "disallow"]) && bare.value == b"/x");
    }
}
