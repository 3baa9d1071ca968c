//! Paths and path patterns as RFC 9309 §2.2.2 and §2.2.3 compare them.

use std::borrow::Cow;

/// The path and query of a URL, ready to be compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Target<'a> {
    path: Cow<'a, [u8]>,
    /// See [`Target::head_of`].
    head: u32,
    /// The same with the query as written, where that makes a difference.
    verbatim: Option<Vec<u8>>,
}

impl<'a> Target<'a> {
    /// The path and query of an absolute `http` or `https` URL, or of a path that begins with
    /// one `/`; the fragment is dropped and dot segments are resolved (RFC 3986 §5.2.4).
    ///
    /// `None` for anything else. A reference that begins with `//` is refused as well: it
    /// names a host, and reading it as a path would compare the wrong one.
    pub(crate) fn new(url: &'a str) -> Option<Self> {
        path_of(url.as_bytes()).map(Self::of_path)
    }

    /// A path and query as written, from its first `/` on and without fragment.
    pub(super) fn of_path(raw: Cow<'a, [u8]>) -> Self {
        if !needs_work(&raw) {
            return Self {
                head: Self::head_of(&raw),
                path: raw,
                verbatim: None,
            };
        }
        let mut path = Vec::with_capacity(raw.len() + 8);
        encode(&raw, false, true, &mut path);
        resolve_dots(&mut path);
        let mut verbatim = Vec::with_capacity(raw.len() + 8);
        encode(&raw, false, false, &mut verbatim);
        resolve_dots(&mut verbatim);
        Self {
            head: Self::head_of(&path),
            verbatim: (verbatim != path).then_some(verbatim),
            path: Cow::Owned(path),
        }
    }

    /// The path and query of a URL that is known to be in normal form, without `%`, `*` and `$`.
    pub(crate) fn of_normal_path(path: &'a str) -> Self {
        Self {
            head: Self::head_of(path.as_bytes()),
            path: Cow::Borrowed(path.as_bytes()),
            verbatim: None,
        }
    }

    /// Whether patterns are compared with [`Target::path`] alone.
    pub(super) fn is_one_form(&self) -> bool {
        self.verbatim.is_none()
    }

    /// The first four bytes of a path or of the text before a pattern's first wildcard, filled
    /// up with zeros, as one number. Neither has a zero itself.
    pub(super) fn head_of(text: &[u8]) -> u32 {
        let mut head = [0; 4];
        let length = text.len().min(head.len());
        head[..length].copy_from_slice(&text[..length]);
        u32::from_le_bytes(head)
    }

    /// Whether a pattern that begins with `head`, see [`Target::head_of`], may match.
    #[inline]
    pub(super) fn may_begin_with(&self, head: u32) -> bool {
        let unused = head.leading_zeros() & !7;
        let mask = u32::MAX.checked_shr(unused).unwrap_or(0);
        (self.head ^ head) & mask == 0 || self.verbatim.is_some()
    }

    /// The path and query after normalisation.
    pub(super) fn path(&self) -> &[u8] {
        &self.path
    }

    /// Whether a pattern from [`pattern`] matches.
    pub(super) fn matches(&self, pattern: &[u8]) -> bool {
        matches(pattern, &self.path)
            || self
                .verbatim
                .as_ref()
                .is_some_and(|verbatim| matches(pattern, verbatim))
    }

    /// Whether a pattern without `*` and final `$` matches.
    pub(super) fn starts_with(&self, pattern: &[u8]) -> bool {
        self.path.starts_with(pattern)
            || self
                .verbatim
                .as_ref()
                .is_some_and(|verbatim| verbatim.starts_with(pattern))
    }
}

/// The path and query of a URL as written.
pub(super) fn path_of(url: &[u8]) -> Option<Cow<'_, [u8]>> {
    let end = memchr::memchr(b'#', url).unwrap_or(url.len());
    let url = &url[..end];
    let classes = classes(url);
    if classes & CONTROL != 0 || url.ends_with(b" ") {
        return None;
    }
    let rest = match url {
        [b'/', b'/', ..] => return None,
        [b'/', ..] => return Some(Cow::Borrowed(url)),
        _ => strip_scheme(url)?,
    };
    let host = memchr::memchr2(b'/', b'?', rest).unwrap_or(rest.len());
    let (host, path) = rest.split_at(host);
    let unreadable = |byte: &u8| matches!(byte, b' ' | b'\\' | b'<' | b'>' | b'"');
    if host.is_empty() || (classes & ENCODED != 0 && host.iter().any(unreadable)) {
        return None;
    }
    Some(match path {
        [] => Cow::Borrowed(b"/"),
        [b'?', ..] => Cow::Owned([b"/", path].concat()),
        _ => Cow::Borrowed(path),
    })
}

fn strip_scheme(url: &[u8]) -> Option<&[u8]> {
    [&b"https://"[..], b"http://"].iter().find_map(|scheme| {
        let (head, rest) = url.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    })
}

/// Whether normalisation could change these bytes.
fn needs_work(path: &[u8]) -> bool {
    classes(path) & (ENCODED | SPECIAL) != 0 || path.windows(2).any(|pair| pair == b"/.")
}

const CONTROL: u8 = 1;
/// No URI holds it as it is.
const ENCODED: u8 = 2;
const SPECIAL: u8 = 4;

/// What each octet is; every URL asked about is looked up here.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let octet = byte as u8;
        if octet.is_ascii_control() {
            classes[byte] |= CONTROL;
        }
        if must_be_encoded(octet) {
            classes[byte] |= ENCODED;
        }
        if matches!(octet, b'%' | b'*' | b'$') {
            classes[byte] |= SPECIAL;
        }
        byte += 1;
    }
    classes
};

fn classes(bytes: &[u8]) -> u8 {
    bytes
        .iter()
        .fold(0, |classes, &byte| classes | CLASSES[usize::from(byte)])
}

/// Octets that no URI holds as they are (RFC 3986 §2): they stand as `%` and two digits.
const fn must_be_encoded(byte: u8) -> bool {
    !byte.is_ascii_graphic()
        || matches!(
            byte,
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}'
        )
}

/// RFC 3986 §2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// A path pattern of a rule in the form [`Target`] compares, appended to `out`.
///
/// `*` is a wildcard and a final `$` the end of the path; a `$` elsewhere is itself.
pub(super) fn pattern(written: &[u8], out: &mut Vec<u8>) {
    encode(written, true, true, out);
}

/// Brings percent-encoding to one form (RFC 9309 §2.2.2): unreserved octets plain, all others
/// that are encoded stay so, with capital digits; octets outside ASCII are encoded.
///
/// In a query `:`, `/`, `?` and `@` mean the same plain and encoded: the RFC's table compares
/// `?baz=https://foo.bar` with `?baz=https%3A%2F%2Ffoo.bar`. `decode_query` reads both as plain.
fn encode(bytes: &[u8], is_pattern: bool, decode_query: bool, out: &mut Vec<u8>) {
    let mut in_query = false;
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        rest = after;
        match *byte {
            b'%' => match octet(after) {
                Some((octet, after)) => {
                    rest = after;
                    let plain_in_query =
                        in_query && decode_query && matches!(octet, b':' | b'/' | b'?' | b'@');
                    if is_unreserved(octet) || plain_in_query {
                        out.push(octet);
                    } else {
                        push_encoded(octet, out);
                    }
                }
                None => push_encoded(b'%', out),
            },
            b'*' if is_pattern => {
                // Several in a row say no more than one.
                if out.last() != Some(&b'*') {
                    out.push(b'*');
                }
            }
            b'$' if is_pattern && after.is_empty() => out.push(b'$'),
            // Special characters meant literally are compared encoded (RFC 9309 §2.2.3).
            b'*' | b'$' => push_encoded(*byte, out),
            byte if must_be_encoded(byte) => push_encoded(byte, out),
            byte => {
                in_query |= byte == b'?';
                out.push(byte);
            }
        }
    }
}

/// The octet two hexadecimal digits stand for, and what follows them.
fn octet(digits: &[u8]) -> Option<(u8, &[u8])> {
    let (digits, rest) = digits.split_at_checked(2)?;
    let value = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    Some((value(digits[0])? << 4 | value(digits[1])?, rest))
}

/// An octet as `%` and two digits (RFC 3986 §2.1).
fn push_encoded(octet: u8, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    out.extend([
        b'%',
        DIGITS[usize::from(octet >> 4)],
        DIGITS[usize::from(octet & 15)],
    ]);
}

/// Removes `.` and `..` segments from the path before the query (RFC 3986 §5.2.4).
pub(super) fn resolve_dots(path: &mut Vec<u8>) {
    let end = memchr::memchr(b'?', path).unwrap_or(path.len());
    if memchr::memmem::find(&path[..end], b"/.").is_none() {
        return;
    }
    let mut resolved: Vec<u8> = Vec::with_capacity(path.len());
    let mut segments = path[..end].split(|&byte| byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let last = segments.peek().is_none();
        match segment {
            b"." | b".." => {
                if segment == b".." {
                    let parent = memchr::memrchr(b'/', &resolved).unwrap_or(0);
                    resolved.truncate(parent);
                }
                if last {
                    resolved.push(b'/');
                }
            }
            _ => {
                resolved.push(b'/');
                resolved.extend_from_slice(segment);
            }
        }
    }
    resolved.extend_from_slice(&path[end..]);
    *path = resolved;
}

/// Whether `path` begins with what `pattern` describes; with a final `$`, whether it is that.
pub(super) fn matches(pattern: &[u8], path: &[u8]) -> bool {
    match pattern {
        [pattern @ .., b'$'] => wildcard(pattern, path, true),
        _ => wildcard(pattern, path, false),
    }
}

/// Whether `path` begins with what `pattern` describes, in which `*` is any text; with `to_end`,
/// whether it is that.
///
/// Each part between two `*` is taken at its first place, which never hides a match, so the
/// time is linear in the length of both.
pub(super) fn wildcard(pattern: &[u8], path: &[u8], to_end: bool) -> bool {
    let Some(star) = place_of(b'*', pattern) else {
        return path.starts_with(pattern) && (!to_end || path.len() == pattern.len());
    };
    let Some(mut rest) = path.strip_prefix(&pattern[..star]) else {
        return false;
    };
    let mut parts = &pattern[star + 1..];
    while let Some(star) = place_of(b'*', parts) {
        match find(rest, &parts[..star]) {
            Some(place) => rest = &rest[place + star..],
            None => return false,
        }
        parts = &parts[star + 1..];
    }
    if to_end {
        rest.ends_with(parts)
    } else {
        find(rest, parts).is_some()
    }
}

/// Shorter texts are searched faster without preparing for it.
const SHORT: usize = 16;

fn place_of(byte: u8, text: &[u8]) -> Option<usize> {
    if text.len() > SHORT {
        return memchr::memchr(byte, text);
    }
    text.iter().position(|&other| other == byte)
}

/// The first place of `part`. A searcher is worth making for long parts only; for a short one
/// the time is at most its length for each byte of `text`.
fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    let Some((&first, rest)) = part.split_first() else {
        return Some(0);
    };
    if part.len() > SHORT {
        return memchr::memmem::find(text, part);
    }
    memchr::memchr_iter(first, text).find(|place| text[place + 1..].starts_with(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(url: &str) -> Option<String> {
        Target::new(url).map(|target| String::from_utf8_lossy(target.path()).into_owned())
    }

    #[test]
    fn paths_of_urls() {
        for (url, expected) in [
            ("https://h", "/"),
            ("HTTP://u:p@h:80/a#f", "/a"),
            ("http://h?q=1", "/?q=1"),
            ("/a?b#c", "/a?b"),
            ("/a/./b/../c/..", "/a/"),
            ("/../../x", "/x"),
            ("/a/%2E%2e/b?c=/../d", "/b?c=/../d"),
            ("/%7ea/%2f/%e3%83%84/ツ", "/~a/%2F/%E3%83%84/%E3%83%84"),
            ("/a b%", "/a%20b%25"),
            ("/a*$", "/a%2A%24"),
            ("/.well-known/x", "/.well-known/x"),
        ] {
            assert_eq!(path(url).as_deref(), Some(expected), "{url}");
        }
        for url in [
            "",
            "a",
            "//h/a",
            "ftp://h/a",
            "https:/h",
            "http://",
            "http:///a",
            "mailto:a@b",
            " /a",
            "/a ",
            "/a\n",
            "https://a b/",
            "javascript:x",
            "https:\\\\h\\a",
        ] {
            assert_eq!(path(url), None, "{url:?}");
        }
    }

    /// The definition of a wildcard, by trying everything.
    fn matches_by_definition(pattern: &[u8], path: &[u8]) -> bool {
        match pattern {
            [] => true,
            [b'$'] => path.is_empty(),
            [b'*', rest @ ..] => {
                (0..=path.len()).any(|at| matches_by_definition(rest, &path[at..]))
            }
            [byte, rest @ ..] => {
                path.first() == Some(byte) && matches_by_definition(rest, &path[1..])
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn wildcards_match_as_defined(pattern in "[ab/*]{0,9}[$]?", path in "[ab/]{0,12}") {
            let (pattern, path) = (pattern.as_bytes(), path.as_bytes());
            prop_assert_eq!(matches(pattern, path), matches_by_definition(pattern, path));
        }

        #[test]
        fn normalisation_is_stable(written in "/[ -~é]{0,20}") {
            let mut once = Vec::new();
            pattern(written.as_bytes(), &mut once);
            let mut twice = Vec::new();
            pattern(&once, &mut twice);
            prop_assert_eq!(once, twice);
        }

        #[test]
        fn any_text_is_a_url_or_refused(url in any::<String>()) {
            if let Some(target) = Target::new(&url) {
                prop_assert!(target.path().starts_with(b"/"));
            }
        }
    }
}
