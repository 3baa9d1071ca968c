//! `X-Robots-Tag` and `<meta name="robots">`: the directives against use for AI.
//!
//! No standard defines them. `noai` and `noimageai` were introduced in 2022, `noml` is a
//! proposal of the same kind; the syntax around them is that search engines document.
//! Directives about indexing, `noindex`, `noarchive`, `none`, say nothing of training.

use super::robots::product_token;

/// What an `X-Robots-Tag` directive is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaggedContent {
    /// The text of a page or file: `noai` and `noml` forbid its use.
    Text,
    /// An image: `noimageai` forbids its use as well.
    Image,
}

/// Directives with a value, which have the form of an agent and its directive.
const WITH_VALUE: &[&str] = &["unavailable_after"];

/// Whether `X-Robots-Tag` values or the content of a robots meta element leave text for use
/// with AI: `Some(false)` where `noai` or `noml` applies to all agents or to `agent`, `None`
/// otherwise. `noimageai` does not speak of text; [`robots_tag`] answers for images.
///
/// `value` holds one or more header lines, separated by line ends or commas, with or without
/// the header's name. `otherbot:` before a directive limits it and those after it on the line
/// to that agent. `agent` is a product token in any case; an agent that is none stands for
/// every one.
///
/// ```
/// use tamis_consent::signals::robots_tag_allowed;
///
/// assert_eq!(robots_tag_allowed("noindex, NoAI", "MyBot"), Some(false));
/// assert_eq!(robots_tag_allowed("otherbot: noindex, noai", "MyBot"), None);
/// assert_eq!(robots_tag_allowed("noimageai", "MyBot"), None);
/// ```
pub fn robots_tag_allowed(value: &str, agent: &str) -> Option<bool> {
    robots_tag(value, agent, TaggedContent::Text)
}

/// As [`robots_tag_allowed`], for content of the given kind. No directive permits, so the
/// result is never `Some(true)`.
pub fn robots_tag(value: &str, agent: &str, content: TaggedContent) -> Option<bool> {
    let agent = product_token(agent.as_bytes());
    let forbidden = value
        .split(['\n', '\r'])
        .any(|line| line_forbids(line, agent, content));
    forbidden.then_some(false)
}

fn line_forbids(line: &str, agent: Option<&[u8]>, content: TaggedContent) -> bool {
    let mut applies = true;
    for element in line.split(',') {
        let mut directives = element;
        while let Some((name, rest)) = scope_of(directives) {
            applies = names_all(name)
                || agent.is_none_or(|agent| name.as_bytes().eq_ignore_ascii_case(agent));
            directives = rest;
        }
        let is_blank = |c: char| c.is_whitespace() || c == ';' || c == '\u{FEFF}';
        if applies
            && directives
                .split(is_blank)
                .any(|word| forbids(word, content))
        {
            return true;
        }
    }
    false
}

/// The agent before the first colon and what follows it, unless the colon belongs to a
/// directive with a value, a date or a URL.
fn scope_of(element: &str) -> Option<(&str, &str)> {
    let (name, rest) = element.split_once(':')?;
    let name = name.trim_matches(|c: char| c.is_whitespace() || c == '\u{FEFF}');
    let valued = WITH_VALUE
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known))
        || name
            .as_bytes()
            .get(..4)
            .is_some_and(|head| head.eq_ignore_ascii_case(b"max-"))
        || name.bytes().all(|byte| byte.is_ascii_digit());
    let token = product_token(name.as_bytes()).is_some() && !name.contains('/');
    (token && !valued).then_some((name, rest))
}

fn names_all(name: &str) -> bool {
    ["*", "robots", "x-robots-tag"]
        .iter()
        .any(|all| name.eq_ignore_ascii_case(all))
}

fn forbids(word: &str, content: TaggedContent) -> bool {
    let word = word.trim_matches(['"', '\'']);
    let is = |directive: &str| word.eq_ignore_ascii_case(directive);
    is("noai") || is("noml") || (content == TaggedContent::Image && is("noimageai"))
}
