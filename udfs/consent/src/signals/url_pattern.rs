//! Patterns for the addresses a signal speaks of: a path, or a full address with a host.
//!
//! The rules are those of the Robots Exclusion Protocol (RFC 9309, sections 2.2.2 and 2.2.3),
//! which TDMRep and RSL both refer to: a prefix of path and query, `*` for any characters, `$`
//! at the end for the end of the address, percent-encoding and dot segments out of the
//! comparison. Paths are normalised and compared as those of robots.txt are.

use std::borrow::Cow;

use super::path::{self, Target, wildcard};

/// A pattern, ready to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UrlPattern {
    /// `None` for a pattern that is only a path.
    host: Option<String>,
    path: Vec<u8>,
}

/// An address, ready to be compared.
#[derive(Debug)]
pub(crate) struct Address<'a> {
    host: Option<String>,
    path: Target<'a>,
}

impl<'a> Address<'a> {
    /// Scheme, user information, default ports and the fragment do not count. A text without
    /// a scheme is a path on a server that is not known.
    pub(crate) fn parse(url: &'a str) -> Self {
        let (host, path) = split(url.trim());
        let path = path.split('#').next().unwrap_or_default();
        Self {
            host,
            path: Target::of_path(rooted(path, "/")),
        }
    }
}

impl UrlPattern {
    pub(crate) fn parse(pattern: &str) -> Self {
        let (host, written) = split(pattern.trim());
        let mut path = Vec::with_capacity(written.len() + 1);
        // An empty path is the beginning of every path.
        if !written.is_empty() {
            path::pattern(&rooted(written, "/*"), &mut path);
        }
        // Whole segments only: `/.` is the beginning of `/.git`. And behind a `*` nobody can
        // tell which segment `..` takes back.
        let whole = memchr::memrchr(b'/', &path).map_or(0, |slash| slash + 1);
        let begun = path.split_off(whole);
        if !path.contains(&b'*') {
            path::resolve_dots(&mut path);
        }
        path.extend(begun);
        Self { host, path }
    }

    /// Whether the pattern covers the address. A host that is not known is not compared.
    pub(crate) fn matches(&self, address: &Address<'_>) -> bool {
        let host = match (&self.host, &address.host) {
            (Some(pattern), Some(host)) => wildcard(pattern.as_bytes(), host.as_bytes(), true),
            _ => true,
        };
        host && address.path.matches(&self.path)
    }

    /// The bytes it holds on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.path.capacity() + self.host.as_ref().map_or(0, String::capacity)
    }

    /// How specific the pattern is: the octets of its path (RFC 9309, section 2.2.2).
    pub(crate) fn specificity(&self) -> usize {
        self.path.len()
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
fn rooted<'a>(path: &'a str, starts: &str) -> Cow<'a, [u8]> {
    if path.starts_with(|c| starts.contains(c)) {
        Cow::Borrowed(path.as_bytes())
    } else {
        Cow::Owned(format!("/{path}").into_bytes())
    }
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
                true,
            ),
            (
                "/foo/bar?baz=https%3a%2f%2ffoo.bar",
                "https://a.example/foo/bar?baz=https://foo.bar",
                true,
            ),
            (
                "/foo/bar?baz=https%3A%2F%2Ffoo.bar",
                "https://a.example/foo/bar?baz=https%3a%2F%2ffoo.bar",
                true,
            ),
            ("/foo%3Fbaz", "https://a.example/foo?baz", false),
            ("/private/", "https://a.example/x/../private/a", true),
            ("/private/", "https://a.example/x/%2e%2E/private/a", true),
            ("/private/", "https://a.example/./private/a", true),
            ("/private/", "https://a.example/private/../a", false),
            ("/private/", "https://a.example/b?c=/../private/a", false),
            ("/x/../private/", "https://a.example/private/a", true),
            ("/x/../private/$", "https://a.example/x/../private/", true),
            ("https://a.example/x/./y", "https://a.example/x/y", true),
            (
                "/x/../private/*.pdf",
                "https://a.example/private/a.pdf",
                true,
            ),
            ("/*/../private/", "https://a.example/private/", false),
            ("/.", "https://a.example/.git", true),
            ("/.", "https://a.example/a", false),
            ("/x/..", "https://a.example/a", false),
            ("/a{b}", "https://a.example/a%7Bb%7D", true),
            ("/a**b", "https://a.example/acb", true),
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
