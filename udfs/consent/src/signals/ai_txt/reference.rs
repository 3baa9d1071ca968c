//! An ai.txt read anew for every address, line by line, for comparison.

use proptest::prelude::*;

use super::*;

fn plainly_allowed(ai_txt: &str, url: &str) -> Option<bool> {
    let page = Page::new(url);
    let mut spawning = PlainSpawning::default();
    let mut policy = PlainPolicy::default();
    for line in lines(bounded(ai_txt.as_bytes()).0) {
        spawning.line(line, page.as_ref());
        policy.line(line, page.as_ref());
    }
    let answers = [spawning.answer(page.is_some()), policy.answer()];
    // false orders before true.
    answers.into_iter().flatten().min()
}

impl Page<'_> {
    fn plainly_matches(&self, written: &[u8]) -> bool {
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
struct PlainSpawning {
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

impl PlainSpawning {
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
        if page.is_some_and(|page| page.plainly_matches(line.value)) {
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

/// A file of the second kind.
#[derive(Default)]
struct PlainPolicy {
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

impl PlainPolicy {
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
            if page.is_some_and(|page| plainly_matches_whole(line.value, page.target.path())) {
                self.allow = self.allow.max(Some(line.value.len()));
            }
        } else if line.is(&["training-deny"]) {
            self.seen = true;
            if page.is_none_or(|page| page.plainly_matches(line.value)) {
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

/// Whether a glob matches the whole path, or the path without its query: `*` stands for
/// characters of one segment, `**` for any.
fn plainly_matches_whole(glob: &[u8], path: &[u8]) -> bool {
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

fn line() -> impl Strategy<Value = String> {
    let path = "[*]?/?(|a|ab|[*]|[*][*]|[$]|%61|é|/|[?]q|[.]|[.]html|[.]PDF){0,4}[$]?";
    prop_oneof![
        2 => "User-Agent: ([*]|aBot)",
        2 => path.prop_map(|path| format!("Disallow: {path}")),
        2 => path.prop_map(|path| format!("Allow: {path}")),
        1 => "(  )?(Training: (allow|deny|conditional|x)|Agent: ([*]|aBot)|Scraping: no)",
        1 => path.prop_map(|path| format!("Training-Allow: {path}")),
        1 => path.prop_map(|path| format!("Training-Deny: {path}")),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_file_read_once_answers_as_one_read_anew(
        lines in prop::collection::vec(line(), 0..12),
        url in "(https://h|//)?/(a|ab|%61|é|/|[?]q|[.]|[.]html|[.]pdf|[*]){0,5}",
    ) {
        let text = lines.join("\n");
        prop_assert_eq!(ai_txt_allowed(&text, &url), plainly_allowed(&text, &url));
    }
}
