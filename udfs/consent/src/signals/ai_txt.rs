//! ai.txt, of which there are two kinds.
//!
//! - **Spawning**, `/ai.txt`: `User-Agent`, `Allow` and `Disallow` as in robots.txt, with
//!   patterns that mostly name file types, `*.html`. It has no specification; the form is that
//!   of the generator.
//! - **draft-car-ai-txt-wellknown**, `/.well-known/ai.txt`: `Training: deny` and its like for
//!   the site and for agents.
//!
//! A file is read as both; what forbids in either forbids. What neither settles is decided for
//! the site:
//!
//! - A file type means the end of the path, without the query. A path whose last segment has
//!   no type is a page, as if it ended in `.html`.
//! - `Training-Deny` patterns match the start of a path and their `*` any characters;
//!   `Training-Allow` patterns match whole paths, `*` within one segment and `**` across.
//! - A `Training` value other than `allow` and `conditional` is `deny`; of several the most
//!   restrictive counts.

use super::lines::{Line, lines};
use super::path::{self, Target};
use super::robots::leading_token;
use super::robots_parse::{DISALLOW, USER_AGENT, bounded};

/// Whether an ai.txt leaves the content of `url` for training: `Some(true)`, `Some(false)`, or
/// `None` where it says nothing of it.
///
/// Rules for all agents count, those for named ones do not. As of a robots.txt at most
/// [`super::Robots::MAX_BYTES`] are read. `url` is an absolute `http` or
/// `https` URL or a path; for one that cannot be read the answer is `Some(false)` where a
/// path is forbidden.
///
/// Of `Allow` and `Disallow` the longest matching pattern decides, `Disallow` among equals; an
/// empty `Disallow` permits what no other rule forbids. By the draft `Training` is `deny`
/// where a file of its kind does not state it; `conditional` permits what a `Training-Allow`
/// pattern matches that is longer than every matching `Training-Deny` pattern.
///
/// ```
/// use tamis_consent::signals::ai_txt_allowed;
///
/// let spawning = "User-Agent: *\nAllow: *.txt\nDisallow: /\n";
/// assert_eq!(ai_txt_allowed(spawning, "https://example.org/a.txt"), Some(true));
/// assert_eq!(ai_txt_allowed(spawning, "https://example.org/a"), Some(false));
/// assert_eq!(ai_txt_allowed("Training: deny", "https://example.org/a"), Some(false));
/// ```
pub fn ai_txt_allowed(ai_txt: &str, url: &str) -> Option<bool> {
    let page = Page::new(url);
    let mut spawning = Spawning::default();
    let mut policy = Policy::default();
    for line in lines(bounded(ai_txt.as_bytes()).0) {
        spawning.line(line, page.as_ref());
        policy.line(line, page.as_ref());
    }
    let answers = [spawning.answer(page.is_some()), policy.answer()];
    // false orders before true.
    answers.into_iter().flatten().min()
}

/// What is asked about.
struct Page<'a> {
    target: Target<'a>,
    /// The path without query, with the type of a page where it has none.
    typed: Vec<u8>,
}

impl<'a> Page<'a> {
    fn new(url: &'a str) -> Option<Self> {
        let target = Target::new(url)?;
        let path = target.path();
        let end = memchr::memchr(b'?', path).unwrap_or(path.len());
        let mut typed = path[..end].to_ascii_lowercase();
        let name = memchr::memrchr(b'/', &typed).map_or(0, |slash| slash + 1);
        if !typed[name..].contains(&b'.') {
            typed.extend_from_slice(b".html");
        }
        Some(Self { target, typed })
    }

    fn matches(&self, written: &[u8]) -> bool {
        // `.jpg` is written for `*.jpg`.
        let end = written.strip_prefix(b"*").unwrap_or(written);
        if let [b'.', kind @ ..] = end.strip_suffix(b"$").unwrap_or(end)
            && !kind.is_empty()
            && kind.iter().all(|byte| byte.is_ascii_alphanumeric())
        {
            let kind = kind.to_ascii_lowercase();
            return self.typed.ends_with(&[b".", &kind[..]].concat());
        }
        let mut pattern = Vec::new();
        if !written.starts_with(b"/") && !written.starts_with(b"*") {
            pattern.push(b'/');
        }
        path::pattern(written, &mut pattern);
        self.target.matches(&pattern)
    }
}

/// The rules of all agents in a file of the first kind.
#[derive(Default)]
struct Spawning {
    /// The current group is for all agents.
    applies: bool,
    has_rules: bool,
    /// A `Disallow` with an empty value.
    permits: bool,
    /// A rule that forbids something.
    forbids: bool,
    /// Length of the longest matching pattern and whether it forbids.
    longest: Option<(usize, bool)>,
}

impl Spawning {
    fn line(&mut self, line: Line, page: Option<&Page>) {
        if line.is(USER_AGENT) {
            if std::mem::take(&mut self.has_rules) {
                self.applies = false;
            }
            self.applies |= leading_token(line.value) == b"*";
            return;
        }
        let forbids = line.is(DISALLOW);
        let permits = line.is(&["allow"]) && line.colon;
        if !forbids && !permits {
            return;
        }
        self.has_rules = true;
        if !self.applies {
            return;
        }
        if line.value.is_empty() {
            self.permits |= forbids;
            return;
        }
        self.forbids |= forbids;
        if page.is_some_and(|page| page.matches(line.value)) {
            self.longest = self.longest.max(Some((line.value.len(), forbids)));
        }
    }

    fn answer(&self, readable: bool) -> Option<bool> {
        match self.longest {
            Some((_, forbids)) => Some(!forbids),
            None if !readable && self.forbids => Some(false),
            None => self.permits.then_some(true),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Training {
    Allow,
    Conditional,
    Deny,
}

/// A file of the second kind.
#[derive(Default)]
struct Policy {
    /// A key that only such a file has.
    seen: bool,
    /// Inside the block of an agent; `true` for that of all.
    block: Option<bool>,
    site: Option<Training>,
    all_agents: Option<Training>,
    /// Lengths of the longest matching patterns.
    allow: Option<usize>,
    deny: Option<usize>,
}

impl Policy {
    fn line(&mut self, line: Line, page: Option<&Page>) {
        if !line.colon {
            return;
        }
        if !line.indented {
            self.block = None;
        }
        if line.is(&["agent"]) {
            self.seen = true;
            self.block = Some(leading_token(line.value) == b"*");
        } else if line.is(&["training"]) {
            self.seen = true;
            let training = training(line.value);
            let place = match self.block {
                None => &mut self.site,
                Some(true) => &mut self.all_agents,
                Some(false) => return,
            };
            *place = (*place).max(Some(training));
        } else if line.is(&["training-allow"]) {
            self.seen = true;
            if page.is_some_and(|page| matches_whole(line.value, page.target.path())) {
                self.allow = self.allow.max(Some(line.value.len()));
            }
        } else if line.is(&["training-deny"]) {
            self.seen = true;
            if page.is_none_or(|page| page.matches(line.value)) {
                self.deny = self.deny.max(Some(line.value.len()));
            }
        } else if line.is(&["scraping", "training-license", "training-fee", "site-url"]) {
            self.seen = true;
        }
    }

    fn answer(&self) -> Option<bool> {
        if !self.seen {
            return None;
        }
        let training = self.all_agents.or(self.site).unwrap_or(Training::Deny);
        Some(match training {
            // Paths count for `conditional`; a path that is denied all the same stays so.
            Training::Allow => self.deny.is_none(),
            Training::Conditional => self.allow > self.deny,
            Training::Deny => false,
        })
    }
}

fn training(value: &[u8]) -> Training {
    let is = |name: &str| value.eq_ignore_ascii_case(name.as_bytes());
    if is("allow") {
        Training::Allow
    } else if is("conditional") {
        Training::Conditional
    } else {
        Training::Deny
    }
}

/// Whether a glob matches the whole path, or the path without its query: `*` stands for
/// characters of one segment, `**` for any.
fn matches_whole(glob: &[u8], path: &[u8]) -> bool {
    let mut pattern = Vec::new();
    let end = memchr::memchr(b'?', path).unwrap_or(path.len());
    for part in glob.split_inclusive(|&byte| byte == b'*') {
        let literal = part.strip_suffix(b"*").unwrap_or(part);
        let mut encoded = Vec::new();
        path::pattern(literal, &mut encoded);
        pattern.append(&mut encoded);
        if literal.len() < part.len() {
            pattern.push(b'*');
        }
    }
    segments_match(&pattern, &path[..end])
}

/// Backtracks to the last `*` within its segment and to the last `**`, so the time is at most
/// the product of both lengths.
fn segments_match(pattern: &[u8], path: &[u8]) -> bool {
    let (mut at, mut place) = (0, 0);
    // Where to go on after the last star, and from which place of the path.
    let mut star: Option<(usize, usize)> = None;
    let mut double_star: Option<(usize, usize)> = None;
    loop {
        if pattern[at..].starts_with(b"**") {
            at += 2;
            double_star = Some((at, place));
            star = None;
        } else if pattern.get(at) == Some(&b'*') {
            at += 1;
            star = Some((at, place));
        } else if place == path.len() && at == pattern.len() {
            return true;
        } else if place < path.len() && pattern.get(at) == Some(&path[place]) {
            at += 1;
            place += 1;
        } else if let Some((after, from)) = star
            && path.get(from).is_some_and(|&byte| byte != b'/')
        {
            star = Some((after, from + 1));
            (at, place) = (after, from + 1);
        } else if let Some((after, from)) = double_star
            && from < path.len()
        {
            star = None;
            double_star = Some((after, from + 1));
            (at, place) = (after, from + 1);
        } else {
            return false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn by_definition(glob: &[u8], path: &[u8]) -> bool {
        match glob {
            [] => path.is_empty(),
            [b'*', b'*', rest @ ..] => (0..=path.len()).any(|at| by_definition(rest, &path[at..])),
            [b'*', rest @ ..] => {
                let segment = path
                    .iter()
                    .position(|&byte| byte == b'/')
                    .unwrap_or(path.len());
                (0..=segment).any(|at| by_definition(rest, &path[at..]))
            }
            [byte, rest @ ..] => path.first() == Some(byte) && by_definition(rest, &path[1..]),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(8192))]

        #[test]
        fn globs_match_as_defined(glob in "(a|b|/|[*]|[*][*]){0,7}", path in "[ab/]{0,9}") {
            let (glob, path) = (glob.as_bytes(), path.as_bytes());
            prop_assert_eq!(segments_match(glob, path), by_definition(glob, path));
        }

        #[test]
        fn any_text_is_read(text in any::<String>(), url in any::<String>()) {
            ai_txt_allowed(&text, &url);
        }
    }
}
