//! `Content-Usage`, the preferences of the IETF working group AIPREF.
//!
//! draft-ietf-aipref-attach-05 says where a preference stands, draft-ietf-aipref-vocab-08 what
//! it says. In the current vocabulary no category contains another, so a category has the
//! preference stated for it or none. Earlier drafts had labels that contained today's
//! categories; the current one ignores them. A refusal under such a label is still a refusal,
//! and counts where the category itself is not stated.

use super::lines::{lines, trim};
use super::path::Target;
use super::robots::Robots;
use super::{dictionary, path};

/// What a statement says of one category, from the least to the most restrictive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Preference {
    Unknown,
    Allowed,
    Refused,
}

impl Preference {
    pub(super) fn is_refusal(self) -> bool {
        self == Self::Refused
    }

    pub(super) fn permission(self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Allowed => Some(true),
            Self::Refused => Some(false),
        }
    }
}

/// The labels of earlier drafts that contained a category of today.
fn withdrawn_labels(category: &str) -> &'static [&'static str] {
    match category {
        "train-ai" => &["train-genai", "genai", "ai", "tdm", "bots", "all"],
        "ai-use" | "search" => &["bots", "all"],
        _ => &[],
    }
}

/// Reads one dictionary (draft-ietf-aipref-vocab §6.5).
///
/// A dictionary that cannot be parsed states nothing by the draft. Here it grants nothing, and
/// a category it names with any value but `y` is refused.
pub(super) fn preference_in_usage(value: &[u8], category: &str) -> Preference {
    let withdrawn = withdrawn_labels(category);
    let Ok(members) = dictionary::members(value) else {
        let named = std::iter::once(&category).chain(withdrawn);
        let refused = named
            .flat_map(|label| values_of(value, label))
            .any(|word| !word.eq_ignore_ascii_case(b"y"));
        return if refused {
            Preference::Refused
        } else {
            Preference::Unknown
        };
    };
    let stated = |label: &str| {
        let mut last_first = members.iter().rev();
        match last_first.find(|(key, _)| *key == label.as_bytes())?.1 {
            dictionary::Value::Token(b"y") => Some(Preference::Allowed),
            dictionary::Value::Token(b"n") => Some(Preference::Refused),
            _ => Some(Preference::Unknown),
        }
    };
    stated(category).unwrap_or_else(|| {
        if withdrawn
            .iter()
            .any(|label| stated(label) == Some(Preference::Refused))
        {
            Preference::Refused
        } else {
            Preference::Unknown
        }
    })
}

/// The word behind every place where `key` stands as a whole word, in any case: behind `=` or
/// `:`, without quotes, empty where nothing stands there.
pub(super) fn values_of<'a>(text: &'a [u8], key: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte);
    let mut words = 0;
    std::iter::from_fn(move || {
        while words < text.len() {
            let start = words + text[words..].iter().position(|&byte| is_word(byte))?;
            let len = text[start..].iter().position(|&byte| !is_word(byte));
            let end = len.map_or(text.len(), |len| start + len);
            words = end;
            if !text[start..end].eq_ignore_ascii_case(key.as_bytes()) || key.is_empty() {
                continue;
            }
            let after = trim(&text[end..]);
            let Some((b'=' | b':', after)) = after.split_first() else {
                return Some(&text[end..end]);
            };
            let quoted = trim(after);
            let word = quoted.strip_prefix(b"\"").unwrap_or(quoted);
            let len = word.iter().position(|&byte| !is_word(byte));
            return Some(&word[..len.unwrap_or(word.len())]);
        }
        None
    })
}

/// Splits the value of a rule into its path and its preference; the path is `/` where the
/// value has none.
pub(super) fn split_path(value: &[u8]) -> (&[u8], &[u8]) {
    if !value.starts_with(b"/") {
        return (b"/", value);
    }
    let end = value.iter().position(|byte| matches!(byte, b' ' | b'\t'));
    let (path, preference) = value.split_at(end.unwrap_or(value.len()));
    (path, trim(preference))
}

/// What a `Content-Usage` header or a robots.txt says of a category of use.
///
/// `Some(true)` is `y`, `Some(false)` is `n`, `None` is no preference. `category` is a label of
/// the vocabulary (draft-ietf-aipref-vocab-08): `train-ai`, `search` or any later one.
///
/// A text with a `User-agent` line is a robots.txt: the rules for `*` apply, see
/// [`Robots::content_usage`] for other agents. Any other text is the value of the header, with
/// or without its name, the values of several lines each on their own: a refusal in one wins,
/// then a permission. Within one value the last statement of a category counts (RFC 9651
/// §3.2). A value that begins with a path is a rule outside any group: it can refuse, for a
/// URL it matches, and not permit. A header speaks of the answer it came with, so `url` is
/// compared only where there is a path.
///
/// ```
/// use tamis_consent::signals::content_usage;
///
/// let url = "https://example.org/page";
/// assert_eq!(content_usage("train-ai=n, search=y", url, "train-ai"), Some(false));
/// assert_eq!(content_usage("train-ai=n, search=y", url, "search"), Some(true));
/// let robots_txt = "User-agent: *\nContent-Usage: /page train-ai=n\n";
/// assert_eq!(content_usage(robots_txt, url, "train-ai"), Some(false));
/// ```
pub fn content_usage(header_or_robots_txt: &str, url: &str, category: &str) -> Option<bool> {
    let text = header_or_robots_txt.as_bytes();
    if is_robots_txt(text) {
        return Robots::parse(text).content_usage(url, "*", category);
    }
    header(text, b"content-usage", url, |value| {
        preference_in_usage(value, category)
    })
}

/// Whether the text has a line that only a robots.txt has.
pub(super) fn is_robots_txt(text: &[u8]) -> bool {
    lines(text).any(|line| line.is(super::robots_parse::USER_AGENT))
}

/// Reads header values, one a line, most restrictive first.
pub(super) fn header(
    text: &[u8],
    name: &[u8],
    url: &str,
    preference: impl Fn(&[u8]) -> Preference,
) -> Option<bool> {
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let target = Target::new(url);
    text.split(|byte| matches!(byte, b'\n' | b'\r'))
        .map(|line| {
            let value = without_name(trim(line), name);
            if !value.starts_with(b"/") {
                return preference(value);
            }
            let (written, value) = split_path(value);
            let mut pattern = Vec::new();
            path::pattern(written, &mut pattern);
            let applies = target
                .as_ref()
                .is_none_or(|target| target.matches(&pattern));
            match preference(value) {
                Preference::Refused if applies => Preference::Refused,
                _ => Preference::Unknown,
            }
        })
        .max()
        .unwrap_or(Preference::Unknown)
        .permission()
}

fn without_name<'a>(line: &'a [u8], name: &[u8]) -> &'a [u8] {
    line.split_at_checked(name.len())
        .filter(|(head, _)| head.eq_ignore_ascii_case(name))
        .and_then(|(_, rest)| trim(rest).strip_prefix(b":"))
        .map_or(line, trim)
}
