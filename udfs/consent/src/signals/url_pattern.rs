//! Patterns for the addresses a signal speaks of: a path, or a full address with a host.
//!
//! The rules are those of the Robots Exclusion Protocol (RFC 9309, sections 2.2.2 and 2.2.3),
//! which TDMRep and RSL both refer to: a prefix of path and query, `*` for any characters, `$`
//! at the end for the end of the address, percent-encoding out of the comparison.

use super::path::{is_unreserved, push_encoded, wildcard};

/// A pattern, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UrlPattern {
    /// `None` for a pattern that is only a path.
    host: Option<String>,
    path: Vec<u8>,
    to_the_end: bool,
}

/// An address, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    host: Option<String>,
    path: Vec<u8>,
}

impl Address {
    /// Scheme, user information, default ports and the fragment do not count. A text without
    /// a scheme is a path on a server that is not known.
    pub(crate) fn parse(url: &str) -> Self {
        let (host, path) = split(url.trim());
        let path = path.split('#').next().unwrap_or_default();
        Self {
            host,
            path: comparable(&rooted(path, "/"), false),
        }
    }
}

impl UrlPattern {
    pub(crate) fn parse(pattern: &str) -> Self {
        let (host, path) = split(pattern.trim());
        let (path, to_the_end) = match path.strip_suffix('$') {
            Some(path) => (path, true),
            None => (path, false),
        };
        // An empty path is the beginning of every path.
        let path = match path {
            "" if !to_the_end => Vec::new(),
            path => comparable(&rooted(path, "/*"), true),
        };
        Self {
            host,
            path,
            to_the_end,
        }
    }

    /// Whether the pattern covers the address. A host that is not known is not compared.
    pub(crate) fn matches(&self, address: &Address) -> bool {
        let host = match (&self.host, &address.host) {
            (Some(pattern), Some(host)) => wildcard(pattern.as_bytes(), host.as_bytes(), true),
            _ => true,
        };
        host && wildcard(&self.path, &address.path, self.to_the_end)
    }

    /// The bytes it holds on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.path.capacity() + self.host.as_ref().map_or(0, String::capacity)
    }

    /// How specific the pattern is: the octets of its path (RFC 9309, section 2.2.2).
    pub(crate) fn specificity(&self) -> usize {
        self.path.len() + usize::from(self.to_the_end)
    }
}

/// Host, lower case and without a default port, and the rest.
fn split(url: &str) -> (Option<String>, &str) {
    let rest = match url.split_once("//") {
        Some(("", rest)) => rest,
        Some((scheme, rest)) if scheme.len() > 1 && is_scheme(scheme) => rest,
        _ => return (None, url),
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = match authority.rsplit_once('@') {
        Some((_, host)) => host,
        None => authority,
    };
    let host = host
        .strip_suffix(":80")
        .or_else(|| host.strip_suffix(":443"))
        .unwrap_or(host);
    let host = host.strip_suffix('.').unwrap_or(host);
    (Some(host.to_lowercase()), path)
}

/// A scheme with its colon (RFC 3986, section 3.1).
fn is_scheme(text: &str) -> bool {
    let Some(name) = text.strip_suffix(':') else {
        return false;
    };
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

/// A path begins with a slash. `starts` are the characters that may stand first.
fn rooted(path: &str, starts: &str) -> String {
    if path.starts_with(|c| starts.contains(c)) {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

/// RFC 9309, section 2.2.2: octets that need no encoding stand plain, all others encoded; so
/// do the two special characters where they mean themselves (section 2.2.3).
fn comparable(path: &str, pattern: bool) -> Vec<u8> {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(path.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        let escaped = if byte == b'%' {
            let digit = |at: usize| bytes.get(at).and_then(|&b| char::from(b).to_digit(16));
            digit(at).zip(digit(at + 1))
        } else {
            None
        };
        let (octet, plain) = match escaped {
            Some((high, low)) => {
                at += 2;
                let octet = (high * 16 + low) as u8;
                (octet, is_unreserved(octet))
            }
            None => (
                byte,
                byte.is_ascii_graphic() && byte != b'$' && (pattern || byte != b'*'),
            ),
        };
        match plain {
            true => out.push(octet),
            false => push_encoded(octet, &mut out),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{Address, UrlPattern};

    fn covers(pattern: &str, url: &str) -> bool {
        UrlPattern::parse(pattern).matches(&Address::parse(url))
    }

    #[test]
    fn paths_of_rfc_9309() {
        for (pattern, url, expected) in [
            ("/", "https://a.example", true),
            ("/fish", "https://a.example/fishheads?x", true),
            ("/fish", "https://a.example/Fish", false),
            ("/fish*", "https://a.example/fish", true),
            ("/*.php", "https://a.example/a/b.php5", true),
            ("/*.php$", "https://a.example/a.php.php", true),
            ("/*.php$", "https://a.example/a.php?x", false),
            ("/a*c$", "https://a.example/abcac", true),
            ("/a$", "https://a.example/a", true),
            ("/a$", "https://a.example/ab", false),
            ("$", "https://a.example/", true),
            ("$", "https://a.example/a", false),
            ("/path/foo-%24", "https://a.example/path/foo-$", true),
            (
                "/foo/bar?baz=https://foo.bar",
                "https://a.example/foo/bar?baz=https%3A%2F%2Ffoo.bar",
                false,
            ),
            (
                "/foo/bar/\u{30c4}",
                "https://a.example/foo/bar/%E3%83%84",
                true,
            ),
            (
                "/foo/bar/%e3%83%84",
                "https://a.example/foo/bar/\u{30c4}",
                true,
            ),
            ("/%62", "https://a.example/b", true),
            ("/a%2fb", "https://a.example/a/b", false),
            ("/a%2fb", "https://a.example/a%2Fb", true),
            ("/%2A", "https://a.example/*", true),
            ("/%2A", "https://a.example/b", false),
            ("a", "https://a.example/a", true),
            ("", "https://a.example/a", true),
            ("/a", "https://a.example/#/a", false),
            ("/", "*", true),
            ("*.pdf$", "https://a.example/a.pdf", true),
            ("/%", "/%", true),
            ("/%4", "/%4x", true),
        ] {
            assert_eq!(covers(pattern, url), expected, "{pattern} {url}");
        }
    }

    #[test]
    fn hosts() {
        for (pattern, url, expected) in [
            ("https://a.example/x", "http://A.Example:80/xy", true),
            ("https://a.example/x", "https://b.example/x", false),
            ("https://a.example", "https://user:p@a.example./q", true),
            ("https://a.example:8080/", "https://a.example/", false),
            ("https://*.a.example/", "https://b.a.example/", true),
            ("https://*.a.example/", "https://a.example/", false),
            ("//a.example/x", "https://a.example/x", true),
            ("https://a.example/x", "/x", true),
        ] {
            assert_eq!(covers(pattern, url), expected, "{pattern} {url}");
        }
    }

    #[test]
    fn many_stars_cost_little() {
        let pattern = "*a".repeat(100_000) + "b$";
        let url = format!("/{}", "a".repeat(1_000_000));
        assert!(!covers(&pattern, &url));
    }
}
