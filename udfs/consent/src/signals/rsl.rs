//! RSL 1.0: Really Simple Licensing (rslstandard.org, RSL-SPEC-1.0).

mod document;

use document::{Content, License};

use super::Permission;
use super::url_pattern::Address;

/// Whether an RSL document allows a use, free of conditions. `None` where the document does not
/// speak of `url`. See `rsl_permission`.
pub fn rsl_allowed(xml: &str, url: &str, usage: &str) -> Option<bool> {
    rsl_permission(xml, url, usage).map(|permission| permission == Permission::Allowed)
}

/// What an RSL document says of one use of `url`.
///
/// `usage` is a word of the usage vocabulary (section 3.4.1.1): `ai-train`, `ai-input`,
/// `ai-index`, `search`, `ai-all` for the first three and `all` for everything, in any case; of
/// several uses the least permitted counts. An unknown use is `Disallowed` where the document
/// speaks of `url` at all.
///
/// - The `content` element with the most specific matching `url` decides (RFC 9309 matching, on
///   a path or on a full address); among equals the most restrictive. None matches: `None`.
/// - Each `license` in it is an offer, and the best offer counts, but a use that one of them
///   prohibits is `Disallowed`: `prohibits` wins over `permits`.
/// - A license that lists permitted usage permits only that; without a list, all that it does
///   not prohibit.
/// - `Conditional`: a `payment` other than `free` and `attribution`; permits or prohibits for
///   some users or places only, as neither is known here; a duty to report; a license server,
///   or an encrypted asset.
/// - Words of earlier drafts (`train-ai`, `train-genai`, `ai-use`, `ai-summarize`) restrict as
///   the words of the standard do; an unknown word in `prohibits` that has no prefix of an
///   extension prohibits every use.
///
/// Malformed input is `Disallowed`: XML that is not well-formed or longer than 8 MiB, with a
/// document type that declares anything, without a `content` element, with one that has no
/// `url` or no `license`. Nothing is ever expanded but the five predefined entities and
/// character references.
pub fn rsl_permission(xml: &str, url: &str, usage: &str) -> Option<Permission> {
    Rsl::parse(xml).permission(url, usage)
}

/// An RSL document, read once for many addresses.
#[derive(Debug)]
pub(crate) struct Rsl {
    /// `None` for a malformed document.
    contents: Option<Vec<Content>>,
}

impl Rsl {
    /// Never fails: see [`rsl_permission`] for what is malformed.
    pub(crate) fn parse(xml: &str) -> Self {
        Self {
            contents: document::parse(xml),
        }
    }

    /// See [`rsl_permission`].
    pub(crate) fn permission(&self, url: &str, usage: &str) -> Option<Permission> {
        let Some(contents) = &self.contents else {
            return Some(Permission::Disallowed);
        };
        let address = Address::parse(url);
        let matching = || {
            contents
                .iter()
                .filter(|content| content.url.matches(&address))
        };
        let most_specific = matching().map(|content| content.url.specificity()).max()?;
        let uses = Uses::asked(usage);
        matching()
            .filter(|content| content.url.specificity() == most_specific)
            .map(|content| uses.map_or(Permission::Disallowed, |uses| of_content(content, uses)))
            .max()
    }

    /// About the bytes it holds on the heap, which are no more than a few times those of its
    /// text.
    pub(crate) fn heap_bytes(&self) -> usize {
        let words = |words: &Option<String>| words.as_ref().map_or(0, String::capacity);
        let license = |license: &License| {
            size_of::<License>() + words(&license.permits) + words(&license.prohibits)
        };
        let contents = self.contents.iter().flatten();
        contents
            .map(|content| {
                let licenses = content.licenses.iter().map(license);
                size_of::<Content>() + content.url.heap_bytes() + licenses.sum::<usize>()
            })
            .sum()
    }
}

/// A set of uses, one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Uses(u8);

impl Uses {
    const TRAIN: Self = Self(1);
    const INPUT: Self = Self(2);
    const INDEX: Self = Self(4);
    const SEARCH: Self = Self(8);
    const AI: Self = Self(7);
    const ALL: Self = Self(15);
    const SINGLE: [Self; 4] = [Self::TRAIN, Self::INPUT, Self::INDEX, Self::SEARCH];

    fn overlaps(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Section 3.4.1.1.
    fn of_word(word: &str) -> Option<Self> {
        Some(match word {
            "all" => Self::ALL,
            "ai-all" => Self::AI,
            "ai-train" => Self::TRAIN,
            "ai-input" => Self::INPUT,
            "ai-index" => Self::INDEX,
            "search" => Self::SEARCH,
            _ => return None,
        })
    }

    fn asked(usage: &str) -> Option<Self> {
        Self::of_word(&usage.trim().to_ascii_lowercase())
    }

    fn permitted(words: &str) -> Self {
        Self::sum(words, |word| match word {
            "train-ai" => Self::TRAIN,
            "ai-use" => Self::INPUT,
            _ => Self(0),
        })
    }

    fn prohibited(words: &str) -> Self {
        Self::sum(words, |word| match word {
            "train-ai" | "train-genai" => Self::TRAIN,
            "ai-use" | "ai-summarize" => Self::INPUT,
            // An extension that is not understood is not of this vocabulary.
            _ if word.contains(':') => Self(0),
            _ => Self::ALL,
        })
    }

    /// The uses of a list of words. The standard separates by white space, drafts by commas.
    fn sum(words: &str, other: impl Fn(&str) -> Self) -> Self {
        let words = words.split(|c: char| c == ',' || c.is_ascii_whitespace());
        words
            .filter(|word| !word.is_empty())
            .map(|word| {
                let word = word.to_ascii_lowercase();
                Self::of_word(&word).unwrap_or_else(|| other(&word))
            })
            .fold(Self(0), |sum, uses| Self(sum.0 | uses.0))
    }
}

fn of_content(content: &Content, asked: Uses) -> Permission {
    let base = if content.needs_server {
        Permission::Conditional
    } else {
        Permission::Allowed
    };
    let of_use = |single: Uses| {
        let prohibits = |license: &License| {
            let words = license.prohibits.as_deref().unwrap_or_default();
            Uses::prohibited(words).overlaps(single)
        };
        if content.licenses.iter().any(prohibits) {
            return Permission::Disallowed;
        }
        let offers = content.licenses.iter().map(|offer| of_offer(offer, single));
        offers.min().unwrap_or(Permission::Disallowed)
    };
    let asked = Uses::SINGLE.iter().filter(|single| single.overlaps(asked));
    asked
        .map(|&single| of_use(single))
        .fold(base, Permission::max)
}

fn of_offer(license: &License, single: Uses) -> Permission {
    let permitted = match &license.permits {
        Some(words) => Uses::permitted(words).overlaps(single),
        None => true,
    };
    match (permitted, license.is_conditional) {
        (false, _) => Permission::Disallowed,
        (true, true) => Permission::Conditional,
        (true, false) => Permission::Allowed,
    }
}
