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
    AiTxt::parse(ai_txt).allowed(url)
}

/// What an ai.txt says, read once for many addresses.
#[derive(Debug, Default)]
pub(crate) struct AiTxt {
    spawning: Spawning,
    policy: Policy,
}

impl AiTxt {
    /// Never fails: lines that say nothing are left out.
    pub(crate) fn parse(ai_txt: &str) -> Self {
        let mut file = Self::default();
        let mut spawning = SpawningReader::default();
        let mut block = None;
        for line in lines(bounded(ai_txt.as_bytes()).0) {
            spawning.line(line, &mut file.spawning);
            file.policy.line(line, &mut block);
        }
        file
    }

    /// See [`ai_txt_allowed`].
    pub(crate) fn allowed(&self, url: &str) -> Option<bool> {
        let page = Page::new(url);
        let page = page.as_ref();
        // false orders before true.
        let answers = [self.spawning.answer(page), self.policy.answer(page)];
        answers.into_iter().flatten().min()
    }

    /// The bytes this holds on the heap.
    pub(crate) fn heap_bytes(&self) -> usize {
        let rules = self.spawning.rules.iter().map(|(rule, _)| rule);
        let rules = rules.chain(&self.policy.deny);
        let patterns = rules.map(|rule| size_of::<(Rule, bool)>() + rule.pattern.heap_bytes());
        let globs = self.policy.allow.iter();
        let globs = globs.map(|(glob, _)| size_of::<(Vec<u8>, usize)>() + glob.capacity());
        patterns.sum::<usize>() + globs.sum::<usize>()
    }
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
}

#[derive(Debug)]
enum Pattern {
    /// A file type with its dot, in lower case.
    Type(Box<[u8]>),
    /// See [`path::pattern`].
    Path(Box<[u8]>),
}

impl Pattern {
    fn read(written: &[u8]) -> Self {
        // `.jpg` is written for `*.jpg`.
        let end = written.strip_prefix(b"*").unwrap_or(written);
        let end = end.strip_suffix(b"$").unwrap_or(end);
        if let [b'.', kind @ ..] = end
            && !kind.is_empty()
            && kind.iter().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Self::Type(end.to_ascii_lowercase().into());
        }
        let mut pattern = Vec::new();
        if !written.starts_with(b"/") && !written.starts_with(b"*") {
            pattern.push(b'/');
        }
        path::pattern(written, &mut pattern);
        Self::Path(pattern.into())
    }

    fn matches(&self, page: &Page) -> bool {
        match self {
            Self::Type(kind) => page.typed.ends_with(kind),
            Self::Path(pattern) => page.target.matches(pattern),
        }
    }

    fn heap_bytes(&self) -> usize {
        let (Self::Type(bytes) | Self::Path(bytes)) = self;
        bytes.len()
    }
}

/// A pattern, and how long it was written.
#[derive(Debug)]
struct Rule {
    pattern: Pattern,
    length: usize,
}

impl Rule {
    fn read(written: &[u8]) -> Self {
        Self {
            pattern: Pattern::read(written),
            length: written.len(),
        }
    }
}

/// The rules of all agents in a file of the first kind.
#[derive(Debug, Default)]
struct Spawning {
    /// With whether they forbid.
    rules: Vec<(Rule, bool)>,
    /// A `Disallow` with an empty value.
    permits: bool,
}

#[derive(Default)]
struct SpawningReader {
    /// The current group is for all agents.
    applies: bool,
    has_rules: bool,
}

impl SpawningReader {
    fn line(&mut self, line: Line, spawning: &mut Spawning) {
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
            spawning.permits |= forbids;
        } else {
            spawning.rules.push((Rule::read(line.value), forbids));
        }
    }
}

impl Spawning {
    /// `None` for a page that cannot be read.
    fn answer(&self, page: Option<&Page>) -> Option<bool> {
        let Some(page) = page else {
            let forbids = self.rules.iter().any(|(_, forbids)| *forbids);
            return if forbids {
                Some(false)
            } else {
                self.permits.then_some(true)
            };
        };
        let matching = self
            .rules
            .iter()
            .filter(|(rule, _)| rule.pattern.matches(page));
        let longest = matching
            .map(|(rule, forbids)| (rule.length, *forbids))
            .max();
        match longest {
            Some((_, forbids)) => Some(!forbids),
            None => self.permits.then_some(true),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Training {
    Allow,
    Conditional,
    Deny,
}

/// A file of the second kind.
#[derive(Debug, Default)]
struct Policy {
    /// A key that only such a file has.
    seen: bool,
    site: Option<Training>,
    all_agents: Option<Training>,
    /// Globs, see [`glob_pattern`], and how long they were written.
    allow: Vec<(Vec<u8>, usize)>,
    deny: Vec<Rule>,
}

impl Policy {
    /// `block`: inside the block of an agent; `true` for that of all.
    fn line(&mut self, line: Line, block: &mut Option<bool>) {
        if !line.colon {
            return;
        }
        if !line.indented {
            *block = None;
        }
        if line.is(&["agent"]) {
            self.seen = true;
            *block = Some(leading_token(line.value) == b"*");
        } else if line.is(&["training"]) {
            self.seen = true;
            let training = training(line.value);
            let place = match block {
                None => &mut self.site,
                Some(true) => &mut self.all_agents,
                Some(false) => return,
            };
            *place = (*place).max(Some(training));
        } else if line.is(&["training-allow"]) {
            self.seen = true;
            self.allow
                .push((glob_pattern(line.value), line.value.len()));
        } else if line.is(&["training-deny"]) {
            self.seen = true;
            self.deny.push(Rule::read(line.value));
        } else if line.is(&["scraping", "training-license", "training-fee", "site-url"]) {
            self.seen = true;
        }
    }

    /// `None` for a page that cannot be read: every pattern denies it, none allows.
    fn answer(&self, page: Option<&Page>) -> Option<bool> {
        if !self.seen {
            return None;
        }
        let denies = |rule: &&Rule| page.is_none_or(|page| rule.pattern.matches(page));
        let longest_deny = || {
            self.deny
                .iter()
                .filter(denies)
                .map(|rule| rule.length)
                .max()
        };
        let longest_allow = || {
            let path = page?.target.path();
            let globs = self.allow.iter();
            let matching = globs.filter(|(glob, _)| matches_whole(glob, path));
            matching.map(|(_, length)| *length).max()
        };
        let training = self.all_agents.or(self.site).unwrap_or(Training::Deny);
        Some(match training {
            // Paths count for `conditional`; a path that is denied all the same stays so.
            Training::Allow => longest_deny().is_none(),
            Training::Conditional => longest_allow() > longest_deny(),
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

/// A glob in the form paths are compared in: `*` stands for characters of one segment, `**` for
/// any.
fn glob_pattern(glob: &[u8]) -> Vec<u8> {
    let mut pattern = Vec::new();
    for part in glob.split_inclusive(|&byte| byte == b'*') {
        let literal = part.strip_suffix(b"*").unwrap_or(part);
        let mut encoded = Vec::new();
        path::pattern(literal, &mut encoded);
        pattern.append(&mut encoded);
        if literal.len() < part.len() {
            pattern.push(b'*');
        }
    }
    pattern
}

/// Whether a glob matches the whole path without its query.
fn matches_whole(glob: &[u8], path: &[u8]) -> bool {
    let end = memchr::memchr(b'?', path).unwrap_or(path.len());
    segments_match(glob, &path[..end])
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
mod reference;

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
