//! What the head of a page says of its use: meta elements and links to a licence.

mod tags;

use std::borrow::Cow;

use tags::{Tag, Tags};

use super::tdm::reservation_rank;

/// Signals found in a page. Values have their character references resolved and the white
/// space around them removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HtmlSignals {
    /// Name (lower case) and content of each meta element for crawlers: those named `robots`,
    /// and those named like a crawler (`googlebot`) whose content holds a robots directive.
    pub robots: Vec<(String, String)>,
    /// Content of the meta element `tdm-reservation`, as written. Of several, the most
    /// restrictive one that TDMRep knows, else the first.
    pub tdm_reservation: Option<String>,
    /// Content of the first meta element `tdm-policy` that is not empty.
    pub tdm_policy: Option<String>,
    /// Addresses of links with the relation `license` and the type `application/rsl+xml`, as
    /// written: they may be relative to the page.
    pub rsl_links: Vec<String>,
    /// RSL documents inside the page: the texts of its scripts of type `application/rsl+xml`.
    pub rsl_inline: Vec<String>,
    /// Contents of the meta elements that stand for a `Content-Usage` header field.
    pub content_usage: Vec<String>,
    /// The head was not over where reading stopped: the rest may hold signals.
    pub truncated: bool,
}

/// How much of a page `html_signals` reads: 1 MiB.
pub const HTML_LIMIT: usize = 1 << 20;

/// The signals in the first part of a page.
///
/// Reads up to the `body` tag or the first MiB. Tags are taken apart by the rules of the HTML
/// standard (WHATWG HTML, section 13.2.5): names in any case, values with double, single or no
/// quotes, character references in values; the first attribute of a name counts. Comments and
/// the content of `script`, `style`, `textarea`, `title`, `xmp`, `iframe`, `noembed` and
/// `noframes` are passed over; `noscript` and `template` are not, so that nothing is missed.
/// Bytes that are not UTF-8 are replaced; a page that begins with the byte order mark of UTF-16
/// is read as that. Never fails: a page without signals gives none.
pub fn html_signals(html: &[u8]) -> HtmlSignals {
    scan(html, HTML_LIMIT)
}

/// As `html_signals`, reading `limit` bytes.
pub(super) fn scan(html: &[u8], limit: usize) -> HtmlSignals {
    let cut = html.len() > limit;
    let html = unicode(&html[..html.len().min(limit)]);
    let mut signals = HtmlSignals::default();
    let mut head_over = false;
    for tag in Tags::new(&html) {
        if tag.is("body") && !tag.is_end {
            return signals;
        }
        head_over |= if tag.is_end {
            tag.is("head")
        } else {
            !HEAD_ELEMENTS.iter().any(|name| tag.is(name))
        };
        if !tag.is_end {
            if tag.is("meta") {
                signals.meta(&tag);
            } else if tag.is("link") {
                signals.link(&tag);
            } else if tag.is("script") && is_rsl(&tag) {
                signals.rsl_inline.push(lossy(tag.text).into_owned());
            }
        }
    }
    signals.truncated = cut && !head_over;
    signals
}

/// Elements that do not end the head (section 13.2.6.4.4).
const HEAD_ELEMENTS: [&str; 13] = [
    "html", "head", "base", "basefont", "bgsound", "link", "meta", "title", "noscript", "noframes",
    "style", "script", "template",
];

impl HtmlSignals {
    fn meta(&mut self, tag: &Tag) {
        let content = value(tag, "content").unwrap_or_default();
        if value(tag, "http-equiv").is_some_and(|field| field.eq_ignore_ascii_case("content-usage"))
        {
            self.content_usage.push(content.clone());
        }
        let Some(name) = value(tag, "name").map(|name| name.to_ascii_lowercase()) else {
            return;
        };
        match name.as_str() {
            "tdm-reservation" => {
                let rank = |value: &String| reservation_rank(value);
                if self.tdm_reservation.as_ref().map(rank) < Some(rank(&content)) {
                    self.tdm_reservation = Some(content);
                }
            }
            "tdm-policy" if self.tdm_policy.is_none() && !content.is_empty() => {
                self.tdm_policy = Some(content);
            }
            "robots" => self.robots.push((name, content)),
            _ if is_product_token(&name) && has_robots_directive(&content) => {
                self.robots.push((name, content));
            }
            _ => {}
        }
    }

    fn link(&mut self, tag: &Tag) {
        let relation = value(tag, "rel").unwrap_or_default();
        let is_license = relation
            .split_ascii_whitespace()
            .any(|relation| relation.eq_ignore_ascii_case("license"));
        if is_license
            && is_rsl(tag)
            && let Some(target) = value(tag, "href").filter(|target| !target.is_empty())
        {
            self.rsl_links.push(target);
        }
    }
}

fn is_rsl(tag: &Tag) -> bool {
    value(tag, "type").is_some_and(|media_type| {
        let essence = media_type.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("application/rsl+xml")
    })
}

/// A crawler's name, as the Robots Exclusion Protocol writes it, with the digits and dots that
/// some have.
fn is_product_token(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// Words that make the content of a meta element an instruction to a crawler.
const DIRECTIVES: [&str; 18] = [
    "all",
    "none",
    "index",
    "noindex",
    "follow",
    "nofollow",
    "archive",
    "noarchive",
    "nocache",
    "snippet",
    "nosnippet",
    "noimageindex",
    "noai",
    "noimageai",
    "notranslate",
    "indexifembedded",
    "max-snippet",
    "unavailable_after",
];

/// Whether one of the items of a list is nothing but directives, up to a colon: a sentence that
/// holds one of the words is none.
fn has_robots_directive(content: &str) -> bool {
    let is_directive = |word: &str| {
        let mut known = DIRECTIVES.iter();
        known.any(|known| known.eq_ignore_ascii_case(word))
    };
    content.split([',', ';']).any(|item| {
        let words = item.split(':').next().unwrap_or_default();
        let mut words = words.split_ascii_whitespace().peekable();
        words.peek().is_some() && words.all(is_directive)
    })
}

/// The value of an attribute, resolved and trimmed.
fn value(tag: &Tag, name: &str) -> Option<String> {
    let text = lossy(tag.attribute(name)?);
    Some(resolve(&text).trim().to_owned())
}

fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// UTF-16 with a byte order mark becomes UTF-8; everything else stays: in the other encodings
/// of the web a tag is written with the octets of ASCII.
fn unicode(html: &[u8]) -> Cow<'_, [u8]> {
    let unit: fn([u8; 2]) -> u16 = match html {
        [0xFF, 0xFE, ..] => u16::from_le_bytes,
        [0xFE, 0xFF, ..] => u16::from_be_bytes,
        _ => return Cow::Borrowed(html),
    };
    let units = html[2..]
        .chunks_exact(2)
        .map(|pair| unit([pair[0], pair[1]]));
    let text: String = char::decode_utf16(units)
        .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    Cow::Owned(text.into_bytes())
}

/// Character references in an attribute's value (section 13.2.5.72): numbers, and the names of
/// the characters of ASCII and of the no-break space. Others stay as written: no signal is
/// spelled with them.
fn resolve(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match reference(&rest[1..]) {
            Some((c, len)) => {
                out.push(c);
                rest = &rest[1 + len..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// The character that the text after an ampersand names, and how long its name is.
fn reference(text: &str) -> Option<(char, usize)> {
    let end_of = |start: usize, wanted: fn(&u8) -> bool| {
        let bytes = &text.as_bytes()[start..];
        start + bytes.iter().position(|b| !wanted(b)).unwrap_or(bytes.len())
    };
    let semicolon = |end: usize| end + usize::from(text.as_bytes().get(end) == Some(&b';'));
    if let Some(number) = text.strip_prefix('#') {
        let (radix, start) = match number.starts_with(['x', 'X']) {
            true => (16, 2),
            false => (10, 1),
        };
        let end = match radix {
            16 => end_of(start, u8::is_ascii_hexdigit),
            _ => end_of(start, u8::is_ascii_digit),
        };
        if start == end {
            return None;
        }
        let number = u32::from_str_radix(&text[start..end], radix).ok();
        let c = number
            .filter(|&number| number != 0)
            .and_then(char::from_u32);
        return Some((c.unwrap_or(char::REPLACEMENT_CHARACTER), semicolon(end)));
    }
    let end = end_of(0, u8::is_ascii_alphanumeric);
    let name = &text[..end];
    if semicolon(end) > end {
        let (_, c) = NAMES
            .iter()
            .find(|(names, _)| names.split(' ').any(|n| n == name))?;
        return Some((*c, end + 1));
    }
    // Five names also stand without the semicolon, unless a value goes on as a query would.
    let follows_equals = text.as_bytes().get(end) == Some(&b'=');
    let (_, c) = NAMES[..5]
        .iter()
        .find(|(names, _)| names.split(' ').any(|n| n == name))?;
    (!follows_equals).then_some((*c, end))
}

/// Named character references of the HTML standard (section 13.5) for ASCII. The first five
/// are those that stand without a semicolon.
const NAMES: [(&str, char); 33] = [
    ("amp AMP", '&'),
    ("lt LT", '<'),
    ("gt GT", '>'),
    ("quot QUOT", '"'),
    ("nbsp NonBreakingSpace", '\u{a0}'),
    ("apos", '\''),
    ("Tab", '\t'),
    ("NewLine", '\n'),
    ("excl", '!'),
    ("num", '#'),
    ("dollar", '$'),
    ("percnt", '%'),
    ("lpar", '('),
    ("rpar", ')'),
    ("ast midast", '*'),
    ("plus", '+'),
    ("comma", ','),
    ("period", '.'),
    ("sol", '/'),
    ("colon", ':'),
    ("semi", ';'),
    ("equals", '='),
    ("quest", '?'),
    ("commat", '@'),
    ("lsqb lbrack", '['),
    ("bsol", '\\'),
    ("rsqb rbrack", ']'),
    ("Hat", '^'),
    ("lowbar UnderBar", '_'),
    ("grave DiacriticalGrave", '`'),
    ("lcub lbrace", '{'),
    ("verbar vert VerticalLine", '|'),
    ("rcub rbrace", '}'),
];
