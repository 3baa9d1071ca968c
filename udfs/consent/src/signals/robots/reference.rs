//! A robots.txt read and asked as plainly as possible, for comparison.

use proptest::prelude::*;

use super::*;
use crate::signals::content_usage::split_path;
use crate::signals::lines::lines;
use crate::signals::path;
use crate::signals::robots_parse::{DISALLOW, USER_AGENT};

#[derive(Default)]
struct PlainGroup {
    agents: Vec<Vec<u8>>,
    /// Those that stand behind a comma.
    listed: Vec<Vec<u8>>,
    rules: Vec<(Vec<u8>, bool, usize)>,
    signals: Vec<(SignalKind, Vec<u8>, Vec<u8>)>,
}

/// The groups in the order of the file; the first is what stands outside any.
struct Plain(Vec<PlainGroup>);

impl Plain {
    fn read(body: &[u8]) -> Self {
        let mut groups = vec![PlainGroup::default()];
        let mut has_rules = true;
        for line in lines(body) {
            let last = groups.len() - 1;
            let pattern = |written: &[u8]| {
                let mut pattern = Vec::new();
                path::pattern(written, &mut pattern);
                pattern
            };
            if line.is(USER_AGENT) {
                if std::mem::take(&mut has_rules) {
                    groups.push(PlainGroup::default());
                }
                let last = groups.len() - 1;
                let token = leading_token(line.value).to_ascii_lowercase();
                groups[last].agents.push(token);
                let named = String::from_utf8_lossy(line.value).to_ascii_lowercase();
                let listed = named.split(',').skip(1).map(str::trim);
                let listed = listed.map(|token| leading_token(token.as_bytes()).to_vec());
                groups[last].listed.extend(listed);
            } else if line.is(DISALLOW) || line.is(&["allow"]) && line.colon {
                if last == 0 {
                    continue;
                }
                has_rules = true;
                let allow = !line.is(DISALLOW);
                let written = match line.value {
                    [] => continue,
                    [b'/' | b'*', ..] => line.value.to_vec(),
                    _ if allow => continue,
                    value => path::path_of(value)
                        .map_or_else(|| [b"/", value].concat(), |path| path.into_owned()),
                };
                let rule = (pattern(&written), allow, line.number as usize);
                groups[last].rules.push(rule);
            } else if line.is(&["content-usage"]) || line.is(&["content-signal"]) {
                has_rules = true;
                let kind = match line.is(&["content-usage"]) {
                    true => SignalKind::ContentUsage,
                    false => SignalKind::ContentSignal,
                };
                let (written, value) = split_path(line.value);
                let signal = (kind, pattern(written), value.to_vec());
                groups[last].signals.push(signal);
            }
        }
        Self(groups)
    }

    /// The groups of an agent by the RFC, and those that name it in a list, if any.
    fn readings_of(&self, agent: &str) -> Option<Vec<Vec<&PlainGroup>>> {
        let agent = product_token(agent.as_bytes())?.to_ascii_lowercase();
        let named = |agent: &[u8], of: fn(&PlainGroup) -> &Vec<Vec<u8>>| {
            let is_named = |group: &&PlainGroup| of(group).iter().any(|token| token == agent);
            self.0.iter().filter(is_named).collect::<Vec<_>>()
        };
        let own = named(&agent, |group| &group.agents);
        let mut listed = named(&agent, |group| &group.listed);
        if own.is_empty() && listed.is_empty() {
            listed = named(b"*", |group| &group.listed);
        }
        let own = if own.is_empty() {
            named(b"*", |group| &group.agents)
        } else {
            own
        };
        let listed = Some(listed).filter(|listed| !listed.is_empty());
        Some([Some(own), listed].into_iter().flatten().collect())
    }

    fn best(groups: &[&PlainGroup], target: &Target) -> Option<(bool, usize)> {
        let mut best = None;
        for (pattern, allow, line) in groups.iter().flat_map(|group| &group.rules) {
            let rank = (pattern.len(), *allow);
            if target.matches(pattern) && best.is_none_or(|(_, known)| rank > known) {
                best = Some(((*allow, *line), rank));
            }
        }
        best.map(|(rule, _)| rule)
    }

    fn rule(&self, url: &str, agent: &str) -> Option<(bool, usize)> {
        let target = Target::new(url).filter(|target| target.path() != b"/robots.txt")?;
        let readings = self.readings_of(agent)?;
        let rules = readings
            .iter()
            .filter_map(|groups| Self::best(groups, &target));
        let rules: Vec<(bool, usize)> = rules.collect();
        let refusal = rules.iter().find(|(allow, _)| !allow);
        refusal.or(rules.first()).copied()
    }

    fn allowed(&self, url: &str, agent: &str) -> bool {
        Target::new(url).is_some()
            && self.readings_of(agent).is_some()
            && self.rule(url, agent).is_none_or(|(allow, _)| allow)
    }

    fn signal(&self, kind: SignalKind, url: &str, agent: &str, category: &str) -> Option<bool> {
        let read = |value: &[u8]| match kind {
            SignalKind::ContentUsage => preference_in_usage(value, category),
            SignalKind::ContentSignal => preference_in_signal(value, category),
        };
        let (Some(target), Some(readings)) = (Target::new(url), self.readings_of(agent)) else {
            let mut all = self.0.iter().flat_map(|group| &group.signals);
            let refuses = all.any(|(of, _, value)| *of == kind && read(value).is_refusal());
            return refuses.then_some(false);
        };
        let said = |groups: &[&PlainGroup]| {
            let all = groups.iter().flat_map(|group| &group.signals);
            let matching: Vec<(usize, Preference)> = all
                .filter(|(of, pattern, _)| *of == kind && target.matches(pattern))
                .map(|(_, pattern, value)| (pattern.len(), read(value)))
                .filter(|(_, preference)| {
                    kind == SignalKind::ContentUsage || *preference != Preference::Unknown
                })
                .collect();
            let longest = matching.iter().map(|(len, _)| *len).max();
            let deciding = matching.iter().filter(|(len, _)| Some(*len) == longest);
            let preference = deciding.map(|(_, preference)| *preference).max();
            preference.unwrap_or(Preference::Unknown)
        };
        let mut open = readings.iter().filter(|groups| {
            kind == SignalKind::ContentSignal
                || target.path() == b"/robots.txt"
                || Self::best(groups, &target).is_none_or(|(allow, _)| allow)
        });
        if said(&[&self.0[0]]).is_refusal() {
            return open.next().map(|_| false);
        }
        open.filter_map(|groups| said(groups).permission()).min()
    }
}

fn line() -> impl Strategy<Value = String> {
    let path = "/?(|a|ab|[*]|[$]|abc/|%61|%2F|é|[?]q=|:|%3a|[.]){0,5}[$]?";
    prop_oneof![
        3 => "User-agent: ([*]|aBot|bbot|cbot/1)",
        1 => "User-agent: ([*]|bbot|-)( ?, ?([*]|ABOT|bbot|cbot/1|)){1,2}",
        3 => path.prop_map(|path| format!("Disallow: {path}")),
        3 => path.prop_map(|path| format!("Allow: {path}")),
        1 => path.prop_map(|path| format!("Content-Usage: /{path} train-ai=n")),
        1 => path.prop_map(|path| format!("Content-Signal: /{path} ai-train=yes, search=no")),
        1 => "(Content-Usage: train-ai=[yn]|Content-Signal: ai-train=(yes|no|x)|# x|Sitemap: /a)",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn a_flat_file_answers_as_a_plain_one(
        lines in prop::collection::vec(line(), 0..16),
        url in "(https://h)?/(a|ab|abc/|[*]|%61|%2F|é|[?]q=|:|%3a|[.]|[.][.]/|[$]){0,6}",
        agent in "(ABOT|bbot/2|cbot|other|[*]|no bot)",
    ) {
        let text = lines.join("\n");
        let (flat, plain) = (Robots::parse(text.as_bytes()), Plain::read(text.as_bytes()));
        prop_assert_eq!(flat.allowed(&url, &agent), plain.allowed(&url, &agent));
        let rule = flat.deciding_rule(&url, &agent);
        prop_assert_eq!(rule.map(|rule| (rule.allow, rule.line)), plain.rule(&url, &agent));
        for category in ["train-ai", "search"] {
            prop_assert_eq!(
                flat.content_usage(&url, &agent, category),
                plain.signal(SignalKind::ContentUsage, &url, &agent, category)
            );
        }
        for category in ["ai-train", "search"] {
            prop_assert_eq!(
                flat.content_signal(&url, &agent, category),
                plain.signal(SignalKind::ContentSignal, &url, &agent, category)
            );
        }
    }
}
