//! Folds the snapshots in force into a verdict.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::OnceLock;

use url::Url;

use crate::address::Address;
use crate::signals::{
    AgentsApart, FlatRobots, Rsl, Said, Target, Tdm, content_signal, content_usage,
    robots_tag_allowed,
};

use super::answer::{Level, OptOutCheck, OptOutSignal};
use super::content::{Content, Document, PageSignals};
use super::digest::Sha256Hex;
use super::question::{Asked, OptOutRules, end_of};
use super::registry::{OptOutRegistry, Seen};
use super::snapshot::SnapshotKind;

/// The category of AIPREF and the uses of Content-Signal and RSL that stand for training.
const TRAIN_AI: &str = "train-ai";
const AI_TRAIN: &str = "ai-train";
/// The most bytes of a header or of a link that evidence repeats.
const SHOWN: usize = 200;

impl OptOutRegistry {
    /// What the snapshots say of using `url` for training at the instant `at`.
    ///
    /// Of each kind (of ai.txt each place, of RSL each document) the latest snapshot fetched
    /// at or before `at` counts; of several at one instant all do. The most restrictive signal
    /// wins: disallowed, conditional, unknown, allowed. `allowed` takes a robots.txt snapshot
    /// not older than `max_age` that allows the URL (a 404 counts, RFC 9309, section 2.3.1.3):
    /// a positive signal elsewhere does not replace it. Older snapshots restrict and never
    /// allow. With `also_at` the restrictions in force then count as well; they never allow.
    ///
    /// An `at` that is a whole second stands for all of it, see [`OptOutRegistry::check_span`].
    ///
    /// A null URL, one that is not `http` or `https`, and one of an unknown site are `unknown`.
    /// For many URLs see [`OptOutRegistry::answer_batch`].
    pub fn check(&self, url: Option<&str>, at: i64, rules: &OptOutRules) -> OptOutCheck {
        self.check_span(url, at, at, rules)
    }

    /// What the snapshots say of a URL that was collected at some instant from `from` to
    /// `until`, both included, microseconds UTC: a day, where no more than the date is known.
    ///
    /// The verdict is the one of `from`, or a more restrictive one that holds later in the
    /// span. What allows only later does not count. An `until` that is a whole second stands for
    /// all of it, as its fraction may have been cut; one before `from` counts as `from`.
    pub fn check_span(
        &self,
        url: Option<&str>,
        from: i64,
        until: i64,
        rules: &OptOutRules,
    ) -> OptOutCheck {
        let Some(asked) = self.asked(url) else {
            return OptOutCheck::unknown();
        };
        let mut snapshots = Vec::new();
        let pages_from = asked.snapshots(self, &mut snapshots);
        let (site, page) = snapshots.split_at(pages_from);
        let (mut found, mut signals) = (Vec::new(), Vec::new());
        let span = (from, until);
        let level = self.answer(&asked, [site, page], span, rules, &mut found, &mut signals);
        OptOutCheck {
            verdict: level.as_str(),
            signals,
        }
    }

    /// The level of an answer; its signals are appended. `found` is only there to be used
    /// again: it is empty before and after.
    pub(super) fn answer(
        &self,
        asked: &Asked<'_>,
        snapshots: [&[Seen]; 2],
        (from, until): (i64, i64),
        rules: &OptOutRules,
        found: &mut Vec<Evidence>,
        signals: &mut Vec<OptOutSignal>,
    ) -> Level {
        if snapshots == [&[], &[]] {
            return Level::Unknown;
        }
        let target = asked.address.target();
        if let [[seen], []] = snapshots
            && let Some(level) = self.plain(*seen, target.as_ref(), from, rules, signals)
        {
            return level;
        }
        let judge = |at, until, found: &mut Vec<Evidence>| {
            let judge = Judge {
                registry: self,
                address: &asked.address,
                target: target.as_ref(),
                rules,
                at,
                until,
                next: None,
                found,
                tdm: [None, None, None],
                is_open: false,
            };
            judge.all(snapshots)
        };
        let until = end_of(from).max(end_of(until));
        let (mut level, next) = judge(from, until, found);
        let mut later = Vec::new();
        let mut restrict = |mut at: Option<i64>, until, least| {
            while let Some(instant) = at {
                (_, at) = judge(instant, until, &mut later);
                for evidence in later.drain(..) {
                    if evidence.level >= least && !found.contains(&evidence) {
                        level = level.max(evidence.level);
                        found.push(evidence);
                    }
                }
            }
        };
        // The snapshot that could not be read may be the one in force when it was collected.
        restrict(next, until, Level::Unknown);
        if let Some(also_at) = rules.also_at {
            restrict(Some(also_at), end_of(also_at), Level::Conditional);
        }
        // The first is what a reason names.
        found.sort_by_key(|evidence| Reverse(evidence.level));
        signals.extend(found.drain(..).map(|evidence| OptOutSignal {
            signal: evidence.signal,
            value: evidence.value,
            fetched_at: evidence.seen.fetched_at,
            sha256: Sha256Hex::of(self.bodies.sha256(self.document(evidence.seen).place)),
        }));
        level
    }

    /// The answer for the usual site: one robots.txt with rules for access alone, which is in
    /// force all the time. Its signal is appended.
    #[inline]
    fn plain(
        &self,
        seen: Seen,
        target: Option<&Target<'_>>,
        at: i64,
        rules: &OptOutRules,
        signals: &mut Vec<OptOutSignal>,
    ) -> Option<Level> {
        let document = self.document(seen);
        let Content::Robots(apart) = &document.content else {
            return None;
        };
        let robots = self.robots(document);
        if seen.fetched_at > at || !robots.is_access_alone() {
            return None;
        }
        let agents = self.agents_apart(apart, robots, &rules.agents);
        let (level, value) = self.access(rules, robots.refused(&agents, target));
        let is_fresh = rules.is_fresh(seen, at);
        signals.push(OptOutSignal {
            signal: document.kind.signal(),
            value: aged(level, value, is_fresh),
            fetched_at: seen.fetched_at,
            sha256: Sha256Hex::of(self.bodies.sha256(document.place)),
        });
        let is_unknown = level == Level::Allowed && !is_fresh;
        Some(if is_unknown { Level::Unknown } else { level })
    }

    /// What a robots.txt says by its rules for access; `refused` is the number of an agent.
    #[inline]
    fn access(&self, rules: &OptOutRules, refused: Option<u32>) -> (Level, Cow<'static, str>) {
        match refused {
            None => (Level::Allowed, "allow".into()),
            Some(number) => (Level::Disallowed, self.refusal(&rules.agents, number)),
        }
    }

    fn said(
        &self,
        robots: FlatRobots<'_>,
        apart: &OnceLock<AgentsApart>,
        target: Option<&Target<'_>>,
        rules: &OptOutRules,
    ) -> Said {
        let agents = self.agents_apart(apart, robots, &rules.agents);
        robots.said_of(&agents, target, TRAIN_AI, AI_TRAIN)
    }

    /// The rules of a document that is [`Content::Robots`].
    fn robots(&self, document: &Document) -> FlatRobots<'_> {
        FlatRobots::of(self.bodies.rules(document.place))
    }

    pub(super) fn document(&self, seen: Seen) -> &Document {
        &self.documents[seen.document as usize]
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    level: Level,
    signal: &'static str,
    value: Cow<'static, str>,
    seen: Seen,
}

/// The places of TDMRep; the first has precedence.
fn tdm_place(kind: SnapshotKind) -> usize {
    match kind {
        SnapshotKind::Html => 0,
        SnapshotKind::Headers => 1,
        _ => 2,
    }
}

struct Judge<'a> {
    registry: &'a OptOutRegistry,
    address: &'a Address<'a>,
    /// The same for robots.txt; `None` where it cannot be compared.
    target: Option<&'a Target<'a>>,
    rules: &'a OptOutRules,
    at: i64,
    /// The end of the span that is asked about.
    until: i64,
    /// The first instant after `at` and within the span at which another snapshot is in force.
    next: Option<i64>,
    found: &'a mut Vec<Evidence>,
    /// By place, see [`tdm_place`].
    tdm: [Option<(Tdm, Seen)>; 3],
    /// A robots.txt that is recent enough allows the URL.
    is_open: bool,
}

impl Judge<'_> {
    /// The level at the instant, and the next instant at which to judge.
    fn all(mut self, snapshots: [&[Seen]; 2]) -> (Level, Option<i64>) {
        for level in snapshots {
            for slot in level.chunk_by(|a, b| a.slot == b.slot) {
                for &seen in self.latest(slot) {
                    self.judge(seen);
                }
            }
        }
        if let Some((tdm, seen)) = self.tdm.iter_mut().find_map(Option::take) {
            let mut value = format!("tdm-reservation={}", u8::from(tdm.reserved));
            value.push_str(&format!("; via={}", tdm.via.as_str()));
            let level = match (tdm.reserved, tdm.policy) {
                (false, _) => Level::Allowed,
                (true, None) => Level::Disallowed,
                (true, Some(policy)) => {
                    value.push_str(&format!("; policy={}", cut(&policy)));
                    Level::Conditional
                }
            };
            self.add(seen, "tdmrep", level, value.into());
        }
        let base = if self.is_open {
            Level::Allowed
        } else {
            Level::Unknown
        };
        let level = self.found.iter().map(|evidence| evidence.level).max();
        (level.map_or(base, |level| level.max(base)), self.next)
    }

    /// The latest snapshots of a slot fetched at or before the instant: all of that instant.
    fn latest<'s>(&mut self, slot: &'s [Seen]) -> &'s [Seen] {
        let (past, later) = slot.split_at(slot.partition_point(|seen| seen.fetched_at <= self.at));
        if let Some(seen) = later.first()
            && seen.fetched_at <= self.until
            && self.next.is_none_or(|next| seen.fetched_at < next)
        {
            self.next = Some(seen.fetched_at);
        }
        let Some(last) = past.last() else {
            return past;
        };
        &past[past.partition_point(|seen| seen.fetched_at < last.fetched_at)..]
    }

    fn is_fresh(&self, seen: Seen) -> bool {
        self.rules.is_fresh(seen, self.at)
    }

    fn add(&mut self, seen: Seen, signal: &'static str, level: Level, value: Cow<'static, str>) {
        self.found.push(Evidence {
            level,
            signal,
            value: aged(level, value, self.is_fresh(seen)),
            seen,
        });
    }

    fn judge(&mut self, seen: Seen) {
        let registry = self.registry;
        let document = registry.document(seen);
        let url = self.address.url();
        match &document.content {
            Content::Absent => {}
            Content::Unseen(status) => {
                let value = format!("status {status}");
                self.add(seen, document.kind.signal(), Level::Unknown, value.into());
            }
            Content::Unreachable(status) => {
                let value = match status {
                    Some(status) => format!("status {status}").into(),
                    None => "no answer".into(),
                };
                self.add(seen, document.kind.signal(), Level::Disallowed, value);
            }
            Content::Robots(apart) => self.robots(seen, registry.robots(document), apart),
            Content::TdmRep(rules) => {
                if let Some(tdm) = rules.reserved(url) {
                    self.declared(document.kind, tdm, seen);
                }
            }
            Content::AiTxt(file) => {
                if let Some(allowed) = file.allowed(url) {
                    let value = if allowed { "allow" } else { "disallow" };
                    self.add(seen, "ai.txt", Level::of(allowed), value.into());
                }
            }
            Content::Rsl(document) => self.rsl(seen, document),
            Content::Page(signals) => self.page(seen, document.kind, signals),
            Content::C2pa(Some(permission)) => {
                let value = permission.as_str().into();
                self.add(seen, "c2pa", (*permission).into(), value);
            }
            Content::C2pa(None) => {}
        }
    }

    fn robots(&mut self, seen: Seen, robots: FlatRobots<'_>, apart: &OnceLock<AgentsApart>) {
        let said = self.registry.said(robots, apart, self.target, self.rules);
        let (level, value) = self.registry.access(self.rules, said.refused);
        self.is_open |= level == Level::Allowed && self.is_fresh(seen);
        self.add(seen, "robots.txt", level, value);
        self.preference(seen, said.content_usage, said.content_signal);
        for link in robots.license_urls() {
            self.linked(seen, link);
        }
    }

    fn preference(&mut self, seen: Seen, usage: Option<bool>, signal: Option<bool>) {
        if let Some(allowed) = usage {
            let value = format!("{TRAIN_AI}={}", if allowed { "y" } else { "n" });
            self.add(seen, "content-usage", Level::of(allowed), value.into());
        }
        if let Some(allowed) = signal {
            let value = format!("{AI_TRAIN}={}", if allowed { "yes" } else { "no" });
            self.add(seen, "content-signal", Level::of(allowed), value.into());
        }
    }

    fn page(&mut self, seen: Seen, kind: SnapshotKind, signals: &PageSignals) {
        let url = self.address.url();
        let signal = match kind {
            SnapshotKind::Html => "meta-robots",
            _ => "x-robots-tag",
        };
        for (whose, tag) in &signals.robots {
            let applies = |agent: &str| {
                let is_for = |whose: &String| whose.eq_ignore_ascii_case(agent);
                whose.as_ref().is_none_or(is_for)
            };
            let agents = self
                .rules
                .agents
                .training()
                .map(|agent| agent.agent.as_str());
            let agents = agents.filter(|agent| applies(agent));
            // Only what stands before a colon can be for one agent and not for another.
            let asked = if tag.contains(':') { usize::MAX } else { 1 };
            let agents = agents.take(asked);
            let allowed = most_restrictive(agents.map(|agent| robots_tag_allowed(tag, agent)));
            if let Some(allowed) = allowed {
                self.add(seen, signal, Level::of(allowed), cut(tag).into());
            }
        }
        if let Some(tdm) = &signals.tdm {
            self.declared(kind, tdm.clone(), seen);
        }
        let values = signals.content_usage.iter();
        let usage = most_restrictive(values.map(|value| content_usage(value, url, TRAIN_AI)));
        let values = signals.content_signal.iter();
        let signal = most_restrictive(values.map(|value| content_signal(value, url, AI_TRAIN)));
        self.preference(seen, usage, signal);
        for document in &signals.rsl_inline {
            self.rsl(seen, document);
        }
        for link in &signals.rsl_links {
            self.linked(seen, link);
        }
    }

    /// Of several declarations in one place the most restrictive counts. One that is too old
    /// to allow must not supersede those of other places either.
    fn declared(&mut self, kind: SnapshotKind, tdm: Tdm, seen: Seen) {
        if !tdm.reserved && !self.is_fresh(seen) {
            return;
        }
        let rank = |tdm: &Tdm| (tdm.reserved, tdm.policy.is_none());
        let known = &mut self.tdm[tdm_place(kind)];
        if known
            .as_ref()
            .is_none_or(|(known, _)| rank(known) < rank(&tdm))
        {
            *known = Some((tdm, seen));
        }
    }

    fn rsl(&mut self, seen: Seen, document: &Rsl) {
        if let Some(permission) = document.permission(self.address.url(), AI_TRAIN) {
            let value = format!("{AI_TRAIN}={}", permission.as_str());
            self.add(seen, "rsl", permission.into(), value.into());
        }
    }

    /// An RSL document that something points to. One that is not in the registry may say
    /// anything, so it is unknown; one of the same site counts already.
    fn linked(&mut self, from: Seen, link: &str) {
        // A whole address in normal form is the same from everywhere.
        let target = Address::parse_plain(link).map_or_else(
            || {
                let base = Url::parse(self.address.url()).ok()?;
                Address::parse_owned(base.join(link).ok()?.as_str())
            },
            Some,
        );
        if let Some(target) = target
            && let Some(&slot) = self.registry.rsl_slots.get(target.rest())
        {
            let site = self.registry.sites.get(target.site_key());
            let of_slot = site.equal(|seen| seen.slot.cmp(&slot));
            let of_slot: Vec<Seen> = of_slot.iter().collect();
            let documents = self.latest(&of_slot);
            if target.site() != self.address.site() {
                for &seen in documents {
                    self.judge(seen);
                }
            }
            if !documents.is_empty() {
                return;
            }
        }
        let value = format!("not fetched: {}", cut(link));
        self.add(from, "rsl", Level::Unknown, value.into());
    }
}

fn aged(level: Level, mut value: Cow<'static, str>, is_fresh: bool) -> Cow<'static, str> {
    if level == Level::Allowed && !is_fresh {
        value.to_mut().push_str(" (too old to allow)");
    }
    value
}

/// One refusal refuses; without one, one permission permits.
fn most_restrictive(said: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    said.flatten().min()
}

fn cut(text: &str) -> String {
    let mut end = text.len().min(SHOWN);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}
