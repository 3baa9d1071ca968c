//! robots.txt, RFC 9309.
//!
//! Written here because none of the Rust crates conforms: they keep every rule as an owned
//! string or a compiled regular expression (the memory of a million hosts), some compare
//! percent-encoding as written, none reads `Content-Usage` and `Content-Signal` in the same
//! groups. What the RFC leaves open is decided for the site:
//!
//! - A file is read up to [`Robots::MAX_BYTES`], four times what §2.5 asks for; a line cut at
//!   that limit and everything after it is ignored, and [`Robots::is_truncated`] says so.
//! - Misspelt `disallow` and `user-agent` keys and missing colons after them count (§2.2.4
//!   allows leniency); a misspelt `allow` grants nothing.
//! - A `Disallow` path without its first `/` is read with it; such an `Allow` is ignored.
//! - A `User-agent` value counts up to its first character that no product token has, so
//!   `Googlebot/2.1` is `Googlebot`. Digits and dots count as well, as in `AI2Bot`.
//! - UTF-16 with a byte order mark is decoded, though §2.3 asks for UTF-8.
//! - An URL that cannot be read and an agent that is no product token are disallowed.

mod apart;

use std::cmp::Ordering;

use super::content_signal::preference_in_signal;
use super::content_usage::{Preference, preference_in_usage};
use super::path::Target;
use super::robots_parse::Builder;
pub use apart::{AgentsApart, Said};

/// The rules of one robots.txt, parsed once to answer for many URLs and agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Robots {
    pub(super) scope: Scope,
    pub(super) truncated: bool,
    /// Tokens, patterns and preferences, one after the other.
    pub(super) text: Box<[u8]>,
    /// In the order of [`compare`]; an agent with several groups stands several times.
    pub(super) agents: Box<[AgentGroup]>,
    pub(super) groups: Box<[Group]>,
    /// Of each group, the longest pattern first, and `Allow` before `Disallow`.
    pub(super) access: Box<[AccessRule]>,
    /// Group 0 holds what stands before the first group.
    pub(super) signals: Box<[SignalRule]>,
    pub(super) licenses: Box<[String]>,
}

/// Whether the rules decide, or the way the file was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Rules,
    AllAllowed,
    AllDisallowed,
}

/// A piece of the shared text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: u32,
    pub(super) len: u32,
}

impl Span {
    pub(super) fn of(self, text: &[u8]) -> &[u8] {
        let start = self.start as usize;
        &text[start..start + self.len as usize]
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AgentGroup {
    /// In lower case.
    pub(super) token: Span,
    pub(super) group: u32,
}

/// Where the rules of a group end; they begin where those of the one before end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) access_end: u32,
    pub(super) signals_end: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AccessRule {
    pub(super) pattern: Span,
    /// The line, and in the two highest bits whether it allows and has wildcards.
    bits: u32,
}

const ALLOWS: u32 = 1 << 31;
const HAS_WILDCARDS: u32 = 1 << 30;

impl AccessRule {
    pub(super) fn new(pattern: Span, line: u32, allow: bool, wildcards: bool) -> Self {
        let flag = |set: bool, flag: u32| if set { flag } else { 0 };
        // A file within the limit has fewer lines than 2^30.
        let bits = line | flag(allow, ALLOWS) | flag(wildcards, HAS_WILDCARDS);
        Self { pattern, bits }
    }

    pub(super) fn allows(self) -> bool {
        self.bits & ALLOWS != 0
    }

    fn line(self) -> usize {
        (self.bits & !(ALLOWS | HAS_WILDCARDS)) as usize
    }

    fn matches(self, text: &[u8], target: &Target) -> bool {
        let pattern = self.pattern.of(text);
        if self.bits & HAS_WILDCARDS == 0 {
            target.starts_with(pattern)
        } else {
            target.matches(pattern)
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignalKind {
    ContentUsage,
    ContentSignal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SignalRule {
    pub(super) kind: SignalKind,
    pub(super) pattern: Span,
    pub(super) value: Span,
}

/// The rule that decided whether a URL may be fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Whether it is an `Allow` line.
    pub allow: bool,
    /// Its path, percent-encoded in the form paths are compared in (RFC 9309 §2.2.2).
    pub path: String,
    /// Its line, counted from 1.
    pub line: usize,
}

impl Robots {
    /// How many bytes of a file are read: four times the 500 KiB of RFC 9309 §2.5.
    pub const MAX_BYTES: usize = 4 * 500 * 1024;

    /// The rules of a robots.txt that was fetched.
    ///
    /// Never fails: lines that are no rule are ignored (RFC 9309 §2.2), so any bytes that hold
    /// none allow everything.
    pub fn parse(body: &[u8]) -> Self {
        Builder::read(body)
    }

    /// The rules in force after a request for robots.txt (RFC 9309 §2.3.1).
    ///
    /// | status | result |
    /// |---|---|
    /// | 2xx | the rules of `body` |
    /// | 4xx, 429 among them | unavailable: everything is allowed (§2.3.1.3) |
    /// | 5xx, none, any other | unreachable: everything is disallowed (§2.3.1.4) |
    /// | 3xx | the redirect was not followed: everything is disallowed |
    ///
    /// A crawler follows five redirects and may call the file unavailable after more
    /// (§2.3.1.2). A recorded 3xx does not show that anyone followed it, so the rules at its
    /// end are unknown and the permission is not used.
    pub fn of_status(status: Option<u16>, body: &[u8]) -> Self {
        match status {
            Some(200..=299) => Self::parse(body),
            Some(400..=499) => Self::empty(Scope::AllAllowed),
            _ => Self::empty(Scope::AllDisallowed),
        }
    }

    fn empty(scope: Scope) -> Self {
        Self {
            scope,
            ..Self::parse(b"")
        }
    }

    /// Whether `agent` may fetch `url`.
    ///
    /// `url` is an absolute `http` or `https` URL or a path with its query; the host is not
    /// compared. `agent` is a product token such as `GPTBot`, in any case, with or without a
    /// version behind `/`, or `*` for an agent no group names. The rules of all groups of the
    /// agent count together, those of `*` only where there is none (§2.2.1). The rule with the
    /// most octets decides, `Allow` among equals (§2.2.2); without a match the URL is allowed.
    /// `/robots.txt` always is.
    ///
    /// What is neither URL nor path, and an agent that is no product token, is disallowed.
    pub fn allowed(&self, url: &str, agent: &str) -> bool {
        let (Some(target), Some(agent)) = (Target::new(url), product_token(agent.as_bytes()))
        else {
            return false;
        };
        self.target_allowed(&target, self.groups_of(agent))
    }

    fn target_allowed(&self, target: &Target, groups: &[AgentGroup]) -> bool {
        if target.path() == b"/robots.txt" {
            return true;
        }
        match self.scope {
            Scope::AllAllowed => true,
            Scope::AllDisallowed => false,
            Scope::Rules => self.best(target, groups).is_none_or(AccessRule::allows),
        }
    }

    /// The rule [`Robots::allowed`] follows; `None` where none matches, where the status
    /// decided, and where the URL or the agent cannot be read.
    pub fn deciding_rule(&self, url: &str, agent: &str) -> Option<Rule> {
        let target = Target::new(url)?;
        if target.path() == b"/robots.txt" {
            return None;
        }
        let groups = self.groups_of(product_token(agent.as_bytes())?);
        let rule = self.best(&target, groups)?;
        Some(Rule {
            allow: rule.allows(),
            path: String::from_utf8_lossy(rule.pattern.of(&self.text)).into_owned(),
            line: rule.line(),
        })
    }

    fn best(&self, target: &Target, groups: &[AgentGroup]) -> Option<AccessRule> {
        let mut best: Option<AccessRule> = None;
        for entry in groups {
            let (_, access_start) = self.starts(entry.group);
            let end = self.groups[entry.group as usize].access_end as usize;
            let found = self.access[access_start..end]
                .iter()
                .find(|rule| rule.matches(&self.text, target));
            if let Some(&found) = found
                && best.is_none_or(|best| precedence(found) > precedence(best))
            {
                best = Some(found);
            }
        }
        best
    }

    /// Where the signals and the access rules of a group begin.
    fn starts(&self, group: u32) -> (usize, usize) {
        match group.checked_sub(1) {
            Some(before) => {
                let before = self.groups[before as usize];
                (before.signals_end as usize, before.access_end as usize)
            }
            None => (0, 0),
        }
    }

    /// The groups that apply to a product token: its own, or those of `*`.
    fn groups_of(&self, agent: &[u8]) -> &[AgentGroup] {
        let named = self.groups_named(agent);
        if named.is_empty() {
            self.groups_named(b"*")
        } else {
            named
        }
    }

    fn groups_named(&self, agent: &[u8]) -> &[AgentGroup] {
        let order = |entry: &AgentGroup| compare(entry.token.of(&self.text), agent);
        let start = self
            .agents
            .partition_point(|entry| order(entry) == Ordering::Less);
        let len = self.agents[start..]
            .iter()
            .take_while(|entry| order(entry) == Ordering::Equal)
            .count();
        &self.agents[start..start + len]
    }

    /// What the `Content-Usage` rules of the agent's groups say of a category of use
    /// (draft-ietf-aipref-attach §3): `Some(false)` for `n`, `Some(true)` for `y`, `None` for
    /// nothing.
    ///
    /// The longest matching path decides, all rules with that path together; a rule without a
    /// path is one for `/`. A URL the agent may not fetch has no preference. Categories as in
    /// [`super::content_usage()`]. A refusal outside any group counts for every agent. For a
    /// URL or agent that cannot be read any refusal in the file counts.
    pub fn content_usage(&self, url: &str, agent: &str, category: &str) -> Option<bool> {
        let (Some(target), Some(agent)) = (Target::new(url), product_token(agent.as_bytes()))
        else {
            return self.any_refusal(SignalKind::ContentUsage, category);
        };
        let groups = self.groups_of(agent);
        if !self.target_allowed(&target, groups) {
            return None;
        }
        self.signal(SignalKind::ContentUsage, &target, groups, category)
    }

    /// What the `Content-Signal` lines of the agent's groups say of a use, `search`,
    /// `ai-input` or `ai-train`: `Some(true)` for `yes`, `Some(false)` for `no` and for a value
    /// that cannot be read, `None` for nothing.
    ///
    /// A line may begin with a path. Of the lines that name the use, the one with the longest
    /// matching path decides, `no` among equals. A refusal outside any group counts for every
    /// agent. For a URL or agent that cannot be read any refusal in the file counts.
    pub fn content_signal(&self, url: &str, agent: &str, category: &str) -> Option<bool> {
        let (Some(target), Some(agent)) = (Target::new(url), product_token(agent.as_bytes()))
        else {
            return self.any_refusal(SignalKind::ContentSignal, category);
        };
        let groups = self.groups_of(agent);
        self.signal(SignalKind::ContentSignal, &target, groups, category)
    }

    fn any_refusal(&self, kind: SignalKind, category: &str) -> Option<bool> {
        self.signals
            .iter()
            .filter(|rule| rule.kind == kind)
            .any(|rule| self.read(rule, category).is_refusal())
            .then_some(false)
    }

    fn read(&self, rule: &SignalRule, category: &str) -> Preference {
        let value = rule.value.of(&self.text);
        match rule.kind {
            SignalKind::ContentUsage => preference_in_usage(value, category),
            SignalKind::ContentSignal => preference_in_signal(value, category),
        }
    }

    fn signal(
        &self,
        kind: SignalKind,
        target: &Target,
        groups: &[AgentGroup],
        category: &str,
    ) -> Option<bool> {
        if self.signals.is_empty() {
            return None;
        }
        let outside = &self.signals[..self.groups[0].signals_end as usize];
        let refused_outside = self.longest(kind, [outside], target, category).is_refusal();
        if refused_outside {
            return Some(false);
        }
        let groups = groups.iter().map(|entry| {
            let (start, _) = self.starts(entry.group);
            &self.signals[start..self.groups[entry.group as usize].signals_end as usize]
        });
        self.longest(kind, groups, target, category).permission()
    }

    fn longest<'a>(
        &self,
        kind: SignalKind,
        groups: impl IntoIterator<Item = &'a [SignalRule]>,
        target: &Target,
        category: &str,
    ) -> Preference {
        let mut longest = None;
        let mut preference = Preference::Unknown;
        let rules = groups.into_iter().flatten();
        for rule in rules.filter(|rule| rule.kind == kind) {
            let len = rule.pattern.len;
            if longest > Some(len) || !target.matches(rule.pattern.of(&self.text)) {
                continue;
            }
            let found = self.read(rule, category);
            // A Content-Usage rule speaks of every category, a signal of those it names.
            if kind == SignalKind::ContentSignal && found == Preference::Unknown {
                continue;
            }
            if longest < Some(len) {
                longest = Some(len);
                preference = found;
            } else {
                preference = preference.max(found);
            }
        }
        preference
    }

    /// The URLs of the `License` lines (RSL 1.0), in the order of the file, as written.
    pub fn license_urls(&self) -> &[String] {
        &self.licenses
    }

    /// Whether the file was longer than [`Robots::MAX_BYTES`], so that its end was not read.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// The bytes this holds on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.text.len()
            + size_of_val(&*self.agents)
            + size_of_val(&*self.groups)
            + size_of_val(&*self.access)
            + size_of_val(&*self.signals)
            + size_of_val(&*self.licenses)
            + self.licenses.iter().map(String::capacity).sum::<usize>()
    }
}

fn precedence(rule: AccessRule) -> (u32, bool) {
    (rule.pattern.len, rule.allows())
}

/// Orders a token in lower case and one in any case: by length, which nearly always decides.
pub(super) fn compare(token: &[u8], agent: &[u8]) -> Ordering {
    let lower = |bytes: &[u8], at: usize| bytes[at].to_ascii_lowercase();
    token.len().cmp(&agent.len()).then_with(|| {
        (0..token.len())
            .map(|at| token[at].cmp(&lower(agent, at)))
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    })
}

fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// The product token at the start of a `User-agent` value; `*` for all agents.
pub(super) fn leading_token(value: &[u8]) -> &[u8] {
    if let [b'*'] | [b'*', b' ' | b'\t' | b',', ..] = value {
        return b"*";
    }
    let end = value.iter().position(|&byte| !is_token_byte(byte));
    &value[..end.unwrap_or(value.len())]
}

/// The product token an agent calls itself by: `*`, or a token with or without `/version`.
pub(super) fn product_token(agent: &[u8]) -> Option<&[u8]> {
    if agent == b"*" {
        return Some(agent);
    }
    let token = leading_token(agent);
    match &agent[token.len()..] {
        _ if token.is_empty() => None,
        [] => Some(token),
        [b'/', version @ ..] if version.iter().all(|&byte| is_token_byte(byte)) => Some(token),
        _ => None,
    }
}

/// Whether `agent` may fetch `url` under the robots.txt `robots_txt`: parses it and asks
/// [`Robots::allowed`].
///
/// ```
/// use tamis_consent::signals::robots_allowed;
///
/// let robots_txt = "User-agent: GPTBot\nDisallow: /\n\nUser-agent: *\nDisallow: /private/\n";
/// assert!(!robots_allowed(robots_txt, "https://example.org/page", "gptbot"));
/// assert!(robots_allowed(robots_txt, "https://example.org/page", "OtherBot"));
/// assert!(!robots_allowed(robots_txt, "https://example.org/private/1", "OtherBot"));
/// ```
pub fn robots_allowed(robots_txt: &str, url: &str, agent: &str) -> bool {
    Robots::parse(robots_txt.as_bytes()).allowed(url, agent)
}
