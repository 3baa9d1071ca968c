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
//! - Of several agents in one line with commas between them the grammar (§2.2) knows the first.
//!   The others are refused what the group refuses, and granted nothing by it.
//! - UTF-16 with a byte order mark is decoded, though §2.3 asks for UTF-8.
//! - An URL that cannot be read and an agent that is no product token are disallowed.

mod apart;
mod flat;
#[cfg(test)]
mod reference;

use std::cmp::Ordering;

use super::content_signal::preference_in_signal;
use super::content_usage::{Preference, preference_in_usage};
use super::path::Target;
use super::robots_parse::Builder;
pub use apart::{AgentsApart, Said};
pub(super) use flat::{AccessRule, AgentGroup, Group, Parts, SignalRule, Span};
use flat::{Agents, View};

/// The rules of one robots.txt, parsed once to answer for many URLs and agents.
///
/// One allocation, see the module `flat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Robots(Box<[u8]>);

/// Whether the rules decide, or the way the file was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Rules = 0,
    AllAllowed = 1,
    AllDisallowed = 2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignalKind {
    ContentUsage,
    ContentSignal,
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

/// The same where it lies together with others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlatRobots<'a>(View<'a>);

impl Robots {
    /// How many bytes of a file are read: four times the 500 KiB of RFC 9309 §2.5.
    pub const MAX_BYTES: usize = 4 * 500 * 1024;

    /// The rules of a robots.txt that was fetched.
    ///
    /// Never fails: lines that are no rule are ignored (RFC 9309 §2.2), so any bytes that hold
    /// none allow everything.
    pub fn parse(body: &[u8]) -> Self {
        Self(Builder::read(body, Scope::Rules).flatten())
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
        Self(Builder::read(b"", scope).flatten())
    }

    #[inline]
    fn view(&self) -> View<'_> {
        View::of(&self.0)
    }

    /// The bytes [`FlatRobots::of`] reads.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn flat(&self) -> FlatRobots<'_> {
        FlatRobots(self.view())
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
        let view = self.view();
        let mut readings = view.readings_of(agent);
        readings.all(|groups| view.allows(&target, groups))
    }

    /// The rule [`Robots::allowed`] follows; `None` where none matches, where the status
    /// decided, and where the URL or the agent cannot be read.
    pub fn deciding_rule(&self, url: &str, agent: &str) -> Option<Rule> {
        let target = Target::new(url)?;
        if target.path() == b"/robots.txt" {
            return None;
        }
        let view = self.view();
        let readings = view.readings_of(product_token(agent.as_bytes())?);
        let rules = readings.filter_map(|groups| view.best(&target, groups));
        // Of two readings one that refuses.
        let rule = rules.min_by_key(|rule| rule.allows())?;
        Some(Rule {
            allow: rule.allows(),
            path: String::from_utf8_lossy(rule.pattern.of(view.text)).into_owned(),
            line: rule.line(),
        })
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
            return self.view().any_refusal(SignalKind::ContentUsage, category);
        };
        let view = self.view();
        let readings = view.readings_of(agent);
        let open = readings.filter(|groups| view.allows(&target, *groups));
        let said =
            open.map(|groups| view.signal(SignalKind::ContentUsage, &target, groups, category));
        said.fold(None, stricter)
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
            return self.view().any_refusal(SignalKind::ContentSignal, category);
        };
        let view = self.view();
        let said = view
            .readings_of(agent)
            .map(|groups| view.signal(SignalKind::ContentSignal, &target, groups, category));
        said.fold(None, stricter)
    }

    /// The URLs of the `License` lines (RSL 1.0), in the order of the file, as written.
    pub fn license_urls(&self) -> impl Iterator<Item = &str> {
        self.flat().license_urls()
    }

    /// Whether the file was longer than [`Robots::MAX_BYTES`], so that its end was not read.
    pub fn is_truncated(&self) -> bool {
        self.view().truncated
    }

    /// The bytes this holds on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.0.len()
    }
}

impl<'a> FlatRobots<'a> {
    /// Reads the bytes of [`Robots::as_bytes`], and no others.
    #[inline]
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        Self(View::of(bytes))
    }

    /// [`Robots::license_urls`]
    pub(crate) fn license_urls(self) -> impl Iterator<Item = &'a str> {
        let view = self.0;
        let spans = view.licenses.iter::<Span>();
        // They were stored as text.
        spans.map(move |span| std::str::from_utf8(span.of(view.text)).unwrap_or_default())
    }

    /// Whether the file has rules for access and no preferences or licences.
    #[inline]
    pub(crate) fn is_access_alone(self) -> bool {
        self.0.signals.is_empty() && self.0.licenses.is_empty()
    }
}

impl<'a> View<'a> {
    #[inline]
    fn allows(&self, target: &Target, groups: Agents<'a>) -> bool {
        if target.path() == b"/robots.txt" {
            return true;
        }
        match self.scope {
            Scope::AllAllowed => true,
            Scope::AllDisallowed => false,
            Scope::Rules => self.best(target, groups).is_none_or(AccessRule::allows),
        }
    }

    fn best(&self, target: &Target, groups: Agents<'a>) -> Option<AccessRule> {
        let mut best: Option<AccessRule> = None;
        for entry in groups.iter::<AgentGroup>() {
            let (_, start) = self.starts(entry.group);
            let end = self.groups.get::<Group>(entry.group).access_end;
            let rules = self.access.part(start, end).expect("a piece of the rules");
            let mut rules = rules.iter::<AccessRule>();
            if let Some(found) = rules.find(|rule| rule.matches(self.text, target))
                && best.is_none_or(|best| precedence(found) > precedence(best))
            {
                best = Some(found);
            }
        }
        best
    }

    /// The groups that apply to a product token, in each way to read the file.
    fn readings_of(&self, agent: &[u8]) -> impl Iterator<Item = Agents<'a>> + use<'a> {
        let agents = self.agents;
        let ranges = self.ranges_of(agent).into_iter().flatten();
        ranges.map(move |(start, end)| agents.part(start, end).expect("a piece of the agents"))
    }

    /// Where they stand: its own groups or those of `*`, which the RFC knows; and where there
    /// are any, those that name it in a list.
    fn ranges_of(&self, agent: &[u8]) -> [Option<(u32, u32)>; 2] {
        let is_named = |&(start, end): &(u32, u32)| start < end;
        let own = Some(self.range_named(None, agent)).filter(is_named);
        let listed = Some(self.range_named(Some(LISTED), agent)).filter(is_named);
        // `*` in a list is for agents without a group, too.
        let all = || Some(self.range_named(Some(LISTED), b"*")).filter(is_named);
        let listed = listed.or_else(|| if own.is_none() { all() } else { None });
        [own.or_else(|| Some(self.range_named(None, b"*"))), listed]
    }

    fn range_named(&self, mark: Option<u8>, agent: &[u8]) -> (u32, u32) {
        let order = |entry: AgentGroup| compare_marked(entry.token.of(self.text), mark, agent);
        let start = self.agents.partition_point(|entry| order(entry).is_lt());
        let end = self.agents.partition_point(|entry| order(entry).is_le());
        (start as u32, end as u32)
    }

    fn any_refusal(&self, kind: SignalKind, category: &str) -> Option<bool> {
        self.signals
            .iter::<SignalRule>()
            .filter(|rule| rule.kind == kind)
            .any(|rule| self.read(rule, category).is_refusal())
            .then_some(false)
    }

    fn read(&self, rule: SignalRule, category: &str) -> Preference {
        let value = rule.value.of(self.text);
        match rule.kind {
            SignalKind::ContentUsage => preference_in_usage(value, category),
            SignalKind::ContentSignal => preference_in_signal(value, category),
        }
    }

    fn signal(
        &self,
        kind: SignalKind,
        target: &Target,
        groups: Agents<'a>,
        category: &str,
    ) -> Option<bool> {
        if self.signals.is_empty() {
            return None;
        }
        let outside = self.signals_of(0);
        if self.longest(kind, outside, target, category).is_refusal() {
            return Some(false);
        }
        let entries = groups.iter::<AgentGroup>();
        let rules = entries.flat_map(|entry| self.signals_of(entry.group));
        self.longest(kind, rules, target, category).permission()
    }

    fn signals_of(&self, group: u32) -> impl Iterator<Item = SignalRule> + use<'a> {
        let (start, _) = self.starts(group);
        let end = self.groups.get::<Group>(group).signals_end;
        let rules = self.signals.part(start, end);
        rules.expect("a piece of the signals").iter()
    }

    fn longest(
        &self,
        kind: SignalKind,
        rules: impl Iterator<Item = SignalRule>,
        target: &Target,
        category: &str,
    ) -> Preference {
        let mut longest = None;
        let mut preference = Preference::Unknown;
        for rule in rules.filter(|rule| rule.kind == kind) {
            let len = rule.pattern.len;
            if longest > Some(len) || !target.matches(rule.pattern.of(self.text)) {
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

/// What stands before a token that a `User-agent` line names behind a comma. No token has it.
pub(super) const LISTED: u8 = b',';

/// [`compare`] with a mark before the agent.
fn compare_marked(token: &[u8], mark: Option<u8>, agent: &[u8]) -> Ordering {
    let (Some(mark), Some((first, rest))) = (mark, token.split_first()) else {
        return compare(token, agent);
    };
    let length = rest.len().cmp(&agent.len());
    length
        .then_with(|| first.cmp(&mark))
        .then_with(|| compare(rest, agent))
}

/// One refusal refuses; without one, one permission permits.
fn stricter(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one && other),
        (one, other) => one.or(other),
    }
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
