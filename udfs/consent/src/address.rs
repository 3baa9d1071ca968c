//! Web addresses in the one form lookups use.

use std::borrow::Cow;
use std::ops::Range;

use url::Url;

use crate::keyed::Key;
use crate::signals::Target;

/// What bytes of a path or a query are, in one number for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Classes {
    /// Some byte is one that a normal form may change. `%` is looked at once more.
    is_odd: bool,
    /// Encoding, or what patterns of robots.txt could take for a wildcard.
    is_special: bool,
}

const BLOCK: usize = 16;

impl Classes {
    /// By blocks without a branch, which compilers turn into vector instructions.
    fn of(path: &[u8]) -> Self {
        let mut odd = [0; BLOCK];
        let mut special = [0; BLOCK];
        let mut take = |block: &[u8; BLOCK]| {
            for lane in 0..BLOCK {
                odd[lane] |= u8::from(is_odd(block[lane]));
                special[lane] |= u8::from(is_special(block[lane]));
            }
        };
        let (blocks, rest) = path.as_chunks();
        blocks.iter().for_each(&mut take);
        if let Some(last) = path.last_chunk() {
            // Some bytes twice.
            take(last);
        } else {
            let mut block = [b'/'; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            take(&block);
        }
        Self {
            is_odd: odd != [0; BLOCK],
            is_special: special != [0; BLOCK],
        }
    }
}

/// Control characters, space, what is not ASCII, and of the others `"#'<>[\]^`{|}`.
fn is_odd(byte: u8) -> bool {
    let is_in = |first: u8, count: u8| byte.wrapping_sub(first) < count;
    !is_in(b'!', b'~' - b'!' + 1)
        | is_in(b'"', 2)
        | (byte == b'\'')
        | (byte & !2 == b'<')
        | is_in(b'[', 4)
        | (byte == b'`')
        | is_in(b'{', 3)
}

/// What a byte of a usual host is.
const DOT: u8 = 1;
const HYPHEN: u8 = 2;
const OTHER: u8 = 4;

/// 0 for what ends a usual host.
static HOST_CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'.' => DOT,
            b'-' => HYPHEN,
            b'a'..=b'z' | b'0'..=b'9' | b'_' => OTHER,
            _ => 0,
        };
        byte += 1;
    }
    classes
};

fn is_special(byte: u8) -> bool {
    (byte & !1 == b'$') | (byte == b'*')
}

/// A web address: host in lower case and Punycode without its trailing dot, no user info,
/// no fragment, no default port; dot segments resolved.
#[derive(Debug)]
pub(crate) struct Address<'a> {
    url: Cow<'a, str>,
    host: Range<usize>,
    port: Option<u16>,
    rest: Range<usize>,
    is_http: bool,
    /// Path and query are as [`Target`] compares them.
    is_target: bool,
}

impl<'a> Address<'a> {
    /// Reads a URL (`http`, `https`, `ftp`, `ws`, `wss`), or an address without a scheme
    /// whose host has a dot. `None`: not an address of the web.
    ///
    /// The parser is that of the WHATWG URL standard, as in browsers and crawlers; the usual
    /// address, ASCII and already normal, is recognised without it and without allocating.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        Self::parse_plain(text).or_else(|| Self::parse_any(text))
    }

    /// [`Address::parse`] for the usual address alone.
    pub(crate) fn parse_plain(text: &'a str) -> Option<Self> {
        let (scheme, default_port) = if text.starts_with("https://") {
            (8, 443)
        } else if text.starts_with("http://") {
            (7, 80)
        } else {
            return None;
        };
        let bytes = text.as_bytes();
        // An empty label, a number in the last place (IPv4 in one of its spellings) and
        // Punycode need the real parser.
        let mut before = DOT;
        let mut end = scheme;
        for &byte in &bytes[scheme..] {
            let class = HOST_CLASSES[usize::from(byte)];
            if class == 0 {
                break;
            }
            if class & before & (DOT | HYPHEN) != 0 {
                return None;
            }
            end += 1;
            before = class;
        }
        let host = scheme..end;
        let dot = bytes[host.clone()].iter().rposition(|byte| *byte == b'.');
        let last_label = dot.map_or(scheme, |dot| scheme + dot + 1);
        let last = bytes[..end].get(last_label);
        if last.is_none_or(u8::is_ascii_digit) {
            return None;
        }
        let mut at = host.end;
        let mut port = None;
        if bytes.get(at) == Some(&b':') {
            let digits = bytes[at + 1..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            let number: u16 = text[at + 1..at + 1 + digits].parse().ok()?;
            port = (number != default_port).then_some(number);
            at += 1 + digits;
        }
        let rest = at..bytes.len();
        let path = &bytes[at..];
        if !matches!(path, [] | [b'/', ..]) {
            return None;
        }
        let classes = Classes::of(path);
        let pairs = path.iter().zip(path.get(1..).unwrap_or_default());
        // Without a branch for each byte.
        let has_dots = pairs.fold(false, |found, (one, other)| {
            found | ((*one == b'/') & (*other == b'.'))
        });
        // Dot segments may be written with %2E.
        if classes.is_odd || has_dots || (classes.is_special && has_encoded_dot(path)) {
            return None;
        }
        Some(Self {
            url: Cow::Borrowed(text),
            host,
            port,
            rest,
            is_http: true,
            is_target: !classes.is_special,
        })
    }

    /// [`Address::parse`], without borrowing from `text`.
    pub(crate) fn parse_owned(text: &str) -> Option<Address<'static>> {
        Address::parse_any(text)
    }

    fn parse_any(text: &str) -> Option<Self> {
        let mut url = match Url::parse(text) {
            Ok(url) if url.is_special() => url,
            _ => Url::parse(&format!("https://{}", without_scheme(text)?)).ok()?,
        };
        if url.scheme() == "file" {
            return None;
        }
        url.set_fragment(None);
        let _ = (url.set_username(""), url.set_password(None));
        let host = url.host_str()?;
        let host = host.strip_suffix('.').unwrap_or(host);
        if host.is_empty() || host.starts_with('.') || host.contains("..") || host.ends_with('.') {
            return None;
        }
        let length = host.len();
        let from = url[..url::Position::BeforeHost].len();
        let rest = url[..url::Position::BeforePath].len();
        let is_http = matches!(url.scheme(), "http" | "https");
        let port = url.port();
        let url = String::from(url);
        Some(Self {
            host: from..from + length,
            port,
            rest: rest..url.len(),
            url: Cow::Owned(url),
            is_http,
            is_target: false,
        })
    }

    /// The whole address, without fragment and user info.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The host; IPv6 in brackets.
    pub(crate) fn host(&self) -> &str {
        &self.url[self.host.clone()]
    }

    /// The port, unless it is the scheme's own.
    pub(crate) fn port(&self) -> Option<u16> {
        self.port
    }

    /// Path and query; `/` at least.
    pub(crate) fn rest(&self) -> &str {
        match &self.url[self.rest.clone()] {
            "" => "/",
            rest => rest,
        }
    }

    /// Path and query as the patterns of robots.txt are compared with them.
    pub(crate) fn target(&self) -> Option<Target<'_>> {
        if self.is_target {
            Some(Target::of_normal_path(self.rest()))
        } else {
            Target::new(self.url())
        }
    }

    /// Whether the scheme is `http` or `https`.
    pub(crate) fn is_http(&self) -> bool {
        self.is_http
    }

    /// Whether the host is an IP address.
    pub(crate) fn is_ip(&self) -> bool {
        let host = self.host();
        // A domain that ends in a number does not parse, so this is an IPv4 address.
        host.starts_with('[')
            || host.ends_with(|last: char| last.is_ascii_digit()) && {
                host.parse::<std::net::Ipv4Addr>().is_ok()
            }
    }

    /// Host, and port where it is not the scheme's own: `http` and `https` share it.
    pub(crate) fn site(&self) -> Cow<'_, str> {
        match self.port {
            None => Cow::Borrowed(self.host()),
            Some(port) => Cow::Owned(format!("{}:{port}", self.host())),
        }
    }

    /// The key of [`Address::site`].
    pub(crate) fn site_key(&self) -> Key {
        match self.port {
            None => Key::of(self.host().as_bytes()),
            Some(_) => Key::of(self.site().as_bytes()),
        }
    }

    /// Site, path and query: what two spellings of one address share. Percent-encoding in the
    /// form of RFC 3986, 6.2.2: hexadecimal digits in upper case, nothing encoded that need
    /// not be.
    pub(crate) fn page(&self) -> String {
        let mut page = self.site().into_owned();
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digit = |at: usize| bytes.get(at).and_then(|&byte| (byte as char).to_digit(16));
        let (mut from, mut at) = (0, 0);
        while let Some(found) = rest[at..].find('%') {
            at += found;
            if let (Some(high), Some(low)) = (digit(at + 1), digit(at + 2)) {
                let byte = (high * 16 + low) as u8;
                page.push_str(&rest[from..at]);
                if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                    page.push(byte as char);
                } else {
                    page.push('%');
                    page.push_str(&rest[at + 1..at + 3].to_ascii_uppercase());
                }
                at += 3;
                from = at;
            } else {
                at += 1;
            }
        }
        page.push_str(&rest[from..]);
        page
    }

    /// The key of [`Address::page`].
    pub(crate) fn page_key(&self) -> Key {
        Key::of(self.page().as_bytes())
    }
}

fn has_encoded_dot(path: &[u8]) -> bool {
    path.windows(3)
        .any(|three| three.eq_ignore_ascii_case(b"%2e"))
}

/// `example.com/path`, `example.com:8080`, `[::1]`: an address without its scheme. The text
/// before a colon must not be taken for a host when it is a scheme (`mailto:a@b.example`).
fn without_scheme(text: &str) -> Option<&str> {
    let text = text.trim();
    let authority = &text[..text.find(['/', '?', '#']).unwrap_or(text.len())];
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !authority.ends_with(']') => (host, port),
        _ => (authority, ""),
    };
    let is_host = host.starts_with('[')
        || host.contains(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']) && !host.contains(':');
    (is_host
        && !host.contains(|c: char| c == '@' || c == '\\' || c.is_whitespace() || c.is_control())
        && port.bytes().all(|byte| byte.is_ascii_digit()))
    .then_some(text)
}

/// For the fuzzer: whether the short way and the long way read `text` alike.
#[doc(hidden)]
pub fn both_ways_agree(text: &str) -> bool {
    let Some(plain) = Address::parse_plain(text) else {
        return true;
    };
    Address::parse_any(text).is_some_and(|any| {
        plain.target() == Target::new(text)
            && (any.host(), any.port(), any.rest(), any.is_http())
                == (plain.host(), plain.port(), plain.rest(), plain.is_http())
            && any.page() == plain.page()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn page(text: &str) -> Option<String> {
        Address::parse(text).map(|address| address.page())
    }

    #[test]
    fn one_form_for_all_spellings() {
        for (text, expected) in [
            ("https://example.com", "example.com/"),
            ("http://example.com/", "example.com/"),
            ("HTTPS://EXAMPLE.com:443/A", "example.com/A"),
            ("http://example.com:80/?q#f", "example.com/?q"),
            ("https://example.com?q", "example.com/?q"),
            ("https://example.com:80/", "example.com:80/"),
            ("http://example.com:8080/a", "example.com:8080/a"),
            ("https://user:secret@example.com/a", "example.com/a"),
            ("https://user:123@example.com/a", "example.com/a"),
            ("https://example.com./a", "example.com/a"),
            ("https://example.com.:8443/a", "example.com:8443/a"),
            ("https://bücher.example/a", "xn--bcher-kva.example/a"),
            ("https://xn--bcher-kva.example/a", "xn--bcher-kva.example/a"),
            ("https://例子。中国/路", "xn--fsqu00a.xn--fiqs8s/%E8%B7%AF"),
            (
                "https://例子.中国/%e8%b7%af",
                "xn--fsqu00a.xn--fiqs8s/%E8%B7%AF",
            ),
            ("https://example.com/%7Ea/%2f", "example.com/~a/%2F"),
            ("https://example.com/a/../b/./c", "example.com/b/c"),
            ("https://example.com/a/%2E%2e/b", "example.com/b"),
            ("https://example.com\\a", "example.com/a"),
            (" https://exam\tple.com/a ", "example.com/a"),
            ("http://0x7f.1/", "127.0.0.1/"),
            ("http://[2001:DB8:0::1]:8080/a", "[2001:db8::1]:8080/a"),
            ("example.com", "example.com/"),
            ("Example.com:8080/a?b", "example.com:8080/a?b"),
            ("[::1]:8080", "[::1]:8080/"),
            ("例子.中国", "xn--fsqu00a.xn--fiqs8s/"),
            ("https://a_b.example/%zz", "a_b.example/%zz"),
        ] {
            assert_eq!(page(text).as_deref(), Some(expected), "{text}");
            assert!(both_ways_agree(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            " ",
            "localhost",
            "not a url",
            "mailto:a@example.com",
            "tel:123",
            "a b.example",
            "javascript:alert(1)",
            "data:text/html,x",
            "urn:isbn:1.2",
            "file:///etc/hosts",
            "s3://bucket.example/key",
            "https://",
            "https://..",
            "https://a..b/",
            "https://.a/",
            "http://256.1.1.1/",
            "https://example.com:99999/",
            "user@example.com",
            "/path",
            "https://xn--a/",
            "https://exa mple.com/",
        ] {
            assert_eq!(page(text), None, "{text}");
        }
    }

    #[test]
    fn every_byte_has_its_class() {
        let plain =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&()*+,;=:@/%?";
        for byte in 0..=255 {
            for place in [0, 7, 15, 16, 40] {
                for length in [place + 1, place + 3, 41] {
                    let mut path = vec![b'a'; length.max(place + 1)];
                    path[place] = byte;
                    let expected = Classes {
                        is_odd: !plain.contains(&byte),
                        is_special: b"%*$".contains(&byte),
                    };
                    assert_eq!(Classes::of(&path), expected, "{byte} {place} {length}");
                }
            }
        }
        let none = Classes {
            is_odd: false,
            is_special: false,
        };
        assert_eq!(Classes::of(b""), none);
    }

    #[test]
    fn other_schemes_have_hosts() {
        let address = Address::parse("ftp://Example.com/a").expect("an address");
        assert_eq!((address.host(), address.is_http()), ("example.com", false));
        assert!(Address::parse("http://127.0.0.1/").expect("ok").is_ip());
        assert!(Address::parse("http://[::1]/").expect("ok").is_ip());
        assert!(!Address::parse("http://a1/").expect("ok").is_ip());
    }

    proptest! {
        #[test]
        fn the_short_way_is_the_long_way(
            text in "https?://[a-z0-9._-]{0,12}(:[0-9]{0,5})?(/[a-zA-Z0-9%._~?=&/+'^|\"-]{0,20})?",
        ) {
            prop_assert!(both_ways_agree(&text), "{}", text);
        }

        #[test]
        fn a_normal_form_is_its_own(text in "(https?://)?[a-zA-Zé.]{1,12}(:[0-9]{1,4})?/[ -~]{0,20}") {
            if let Some(first) = page(&text) {
                prop_assert_eq!(page(&format!("https://{first}")), Some(first));
            }
        }
    }
}
