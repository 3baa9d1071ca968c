//! Reads a robots.txt into its compact form.

use std::borrow::Cow;

use super::content_usage::split_path;
use super::lines::{Line, lines, trim};
use super::path;
use super::robots::{
    AccessRule, AgentGroup, Group, LISTED, Parts, Robots, Scope, SignalKind, SignalRule, Span,
    compare, leading_token,
};

/// `user-agent` as it is written and misspelt.
pub(super) const USER_AGENT: &[&str] = &[
    "user-agent",
    "useragent",
    "user agent",
    "user_agent",
    "user-agents",
];
/// `disallow` likewise.
pub(super) const DISALLOW: &[&str] = &[
    "disallow",
    "disalow",
    "dissallow",
    "dissalow",
    "diasllow",
    "disallaw",
    "dissalllow",
    "disalllow",
    "disallows",
    "disallowed",
];

pub(super) struct Builder {
    text: Vec<u8>,
    agents: Vec<AgentGroup>,
    groups: Vec<Group>,
    access: Vec<AccessRule>,
    signals: Vec<SignalRule>,
    licenses: Vec<Span>,
    /// The current group has a rule, so that the next `User-agent` begins a new one.
    has_rules: bool,
}

impl Builder {
    pub(super) fn read(body: &[u8], scope: Scope) -> Parts {
        let (body, truncated) = bounded(body);
        let mut builder = Self {
            text: Vec::new(),
            agents: Vec::new(),
            groups: Vec::new(),
            access: Vec::new(),
            signals: Vec::new(),
            licenses: Vec::new(),
            has_rules: true,
        };
        for line in lines(&decoded(body)) {
            builder.line(line);
        }
        builder.end_group();
        let text = builder.text;
        builder
            .agents
            .sort_by(|a, b| compare(a.token.of(&text), b.token.of(&text)));
        // A list may name an agent any number of times.
        let key = |entry: &AgentGroup| (entry.token.of(&text), entry.group);
        builder.agents.dedup_by(|a, b| key(a) == key(b));
        Parts {
            scope,
            truncated,
            groups: builder.groups,
            agents: builder.agents,
            access: builder.access,
            signals: builder.signals,
            licenses: builder.licenses,
            text,
        }
    }

    fn line(&mut self, line: Line) {
        if line.is(USER_AGENT) {
            self.agent(line.value);
        } else if line.is(DISALLOW) {
            self.access(line, false);
        } else if line.is(&["allow"]) && line.colon {
            self.access(line, true);
        } else if line.is(&["content-usage"]) {
            self.signal(SignalKind::ContentUsage, line.value);
        } else if line.is(&["content-signal", "content-signals"]) {
            self.signal(SignalKind::ContentSignal, line.value);
        } else if line.is(&["license"]) && line.colon && !line.value.is_empty() {
            let license = String::from_utf8_lossy(line.value);
            let license = self.store(|text| text.extend_from_slice(license.as_bytes()));
            self.licenses.push(license);
        }
    }

    fn agent(&mut self, value: &[u8]) {
        if self.has_rules {
            self.end_group();
            self.has_rules = false;
        }
        let mut named = value.split(|&byte| byte == b',');
        self.bind(b"", leading_token(named.next().unwrap_or_default()));
        for listed in named {
            self.bind(&[LISTED], leading_token(trim(listed)));
        }
    }

    fn bind(&mut self, mark: &[u8], token: &[u8]) {
        // A group for an agent that cannot be read is nobody's, not that of the one before.
        if !token.is_empty() {
            let token = self.store(|text| {
                text.extend_from_slice(mark);
                text.extend(token.iter().map(u8::to_ascii_lowercase));
            });
            let group = index(self.groups.len());
            self.agents.push(AgentGroup { token, group });
        }
    }

    /// Ends the current group; the first one ended is what stands outside any.
    fn end_group(&mut self) {
        let start = self
            .groups
            .last()
            .map_or(0, |group| group.access_end as usize);
        self.access[start..]
            .sort_by_key(|rule| std::cmp::Reverse((rule.pattern.len, rule.allows())));
        self.groups.push(Group {
            access_end: index(self.access.len()),
            signals_end: index(self.signals.len()),
        });
    }

    fn access(&mut self, line: Line, allow: bool) {
        // Access rules before the first group are ignored (RFC 9309 §2.2.1).
        if self.groups.is_empty() {
            return;
        }
        self.has_rules = true;
        let written: Cow<[u8]> = match line.value {
            // An empty path matches nothing (§2.2, `empty-pattern`).
            [] => return,
            [b'/' | b'*', ..] => Cow::Borrowed(line.value),
            _ if allow => return,
            // An operator who writes the whole URL means its path.
            value => path::path_of(value).unwrap_or_else(|| Cow::Owned([b"/", value].concat())),
        };
        let pattern = self.store(|text| {
            let mut pattern = Vec::with_capacity(written.len());
            path::pattern(&written, &mut pattern);
            text.append(&mut pattern);
        });
        let rule = AccessRule::new(pattern, pattern.of(&self.text), line.number, allow);
        self.access.push(rule);
    }

    fn signal(&mut self, kind: SignalKind, value: &[u8]) {
        self.has_rules = true;
        let (written, value) = split_path(value);
        let pattern = self.store(|text| {
            let mut pattern = Vec::with_capacity(written.len());
            path::pattern(written, &mut pattern);
            text.append(&mut pattern);
        });
        // Files repeat one preference in every group; it is kept once.
        let known = self
            .signals
            .last()
            .map(|rule| rule.value)
            .filter(|known| known.of(&self.text) == value);
        let value = known.unwrap_or_else(|| self.store(|text| text.extend_from_slice(value)));
        self.signals.push(SignalRule {
            kind,
            pattern,
            value,
        });
    }

    fn store(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = self.text.len();
        write(&mut self.text);
        Span {
            start: index(start),
            len: index(self.text.len() - start),
        }
    }
}

/// Percent-encoding triples the length at most, so every place in a file within the limit fits.
fn index(place: usize) -> u32 {
    u32::try_from(place).expect("robots.txt within the limit")
}

/// The file up to the limit and whether that is not all of it. A line that was cut is left out:
/// its path would be another one.
pub(super) fn bounded(body: &[u8]) -> (&[u8], bool) {
    let Some((head, _)) = body.split_at_checked(Robots::MAX_BYTES + 1) else {
        return (body, false);
    };
    let end = head[..Robots::MAX_BYTES]
        .iter()
        .rposition(|byte| matches!(byte, b'\n' | b'\r'));
    (&head[..end.unwrap_or(0)], true)
}

/// The file as UTF-8, without byte order mark.
fn decoded(body: &[u8]) -> Cow<'_, [u8]> {
    let decode = |unit: fn([u8; 2]) -> u16| {
        let units = body[2..].as_chunks::<2>().0.iter().map(|pair| unit(*pair));
        let text: String = char::decode_utf16(units)
            .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
        Cow::Owned(text.into_bytes())
    };
    match body {
        [0xFF, 0xFE, ..] => decode(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => decode(u16::from_be_bytes),
        _ => Cow::Borrowed(body),
    }
}
