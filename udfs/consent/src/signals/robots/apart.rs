//! What a file says to all agents of a list, without asking for each of them.

use super::flat::View;
use super::{AgentGroup, FlatRobots, Robots, Scope, SignalKind, Target, product_token, stricter};

/// Agents of a list that a file tells apart, see [`Robots::agents_apart`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentsApart(Set);

/// Most files tell no agents apart, so one needs no allocation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Set {
    One(Apart),
    Some(Box<[Apart]>),
}

/// An agent that stands for others, and where the groups that apply to it lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Apart {
    agent: u32,
    start: u32,
    end: u32,
}

impl AgentsApart {
    fn of(found: Vec<Apart>) -> Self {
        Self(match found[..] {
            [one] => Set::One(one),
            _ => Set::Some(found.into()),
        })
    }

    fn all(&self) -> &[Apart] {
        match &self.0 {
            Set::One(one) => std::slice::from_ref(one),
            Set::Some(all) => all,
        }
    }

    /// The numbers of the agents, ascending; one whose groups can be read in two ways may stand
    /// twice.
    pub fn agents(&self) -> impl Iterator<Item = u32> {
        self.all().iter().map(|apart| apart.agent)
    }

    /// The bytes this holds on the heap.
    pub fn heap_bytes(&self) -> usize {
        match &self.0 {
            Set::One(_) => 0,
            Set::Some(all) => size_of_val(&**all),
        }
    }
}

/// What a file says to all agents of a list together: the most restrictive of what it says to
/// each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// The number of an agent that may not fetch the URL.
    pub refused: Option<u32>,
    /// See [`Robots::content_usage`].
    pub content_usage: Option<bool>,
    /// See [`Robots::content_signal`].
    pub content_signal: Option<bool>,
}

impl Robots {
    /// Agents that stand for all of `agents`: the first of each set that the same groups apply
    /// to. What holds for them holds for every agent of the list.
    ///
    /// Most files have rules for `*` alone, so one agent stands for all. An agent that is no
    /// product token stands for itself, as it is disallowed everywhere.
    pub fn agents_apart<'a>(&self, agents: impl IntoIterator<Item = &'a str>) -> AgentsApart {
        self.flat().agents_apart(agents)
    }

    /// What the file says of `url` to all agents of a list: whether one of them may not fetch
    /// it, and the preferences for the category `usage` (AIPREF) and the use `signal`
    /// (Content-Signal), a refusal to one of them before a permission to others.
    ///
    /// `agents` must come from this file's [`Robots::agents_apart`].
    pub fn said_to_all(&self, agents: &AgentsApart, url: &str, usage: &str, signal: &str) -> Said {
        let target = Target::new(url);
        self.flat().said_of(agents, target.as_ref(), usage, signal)
    }
}

impl FlatRobots<'_> {
    /// [`Robots::agents_apart`]
    pub(crate) fn agents_apart<'a>(self, agents: impl IntoIterator<Item = &'a str>) -> AgentsApart {
        let view = self.0;
        let mut found: Vec<Apart> = Vec::new();
        for (number, agent) in agents.into_iter().enumerate() {
            let ranges = match product_token(agent.as_bytes()) {
                // No range: it cannot be read.
                None => [Some((1, 0)), None],
                // Where the status decided there are no groups.
                Some(_) if view.scope != Scope::Rules => [Some((0, 0)), None],
                Some(token) => view.ranges_of(token),
            };
            for (start, end) in ranges.into_iter().flatten() {
                let (start, end) = if start == end { (0, 0) } else { (start, end) };
                if found.iter().all(|known| !view.is_same(known, start, end)) {
                    found.push(Apart {
                        agent: number as u32,
                        start,
                        end,
                    });
                }
            }
        }
        AgentsApart::of(found)
    }

    /// The number of an agent that may not fetch the URL, as [`FlatRobots::said_of`] finds it in
    /// a file of which [`FlatRobots::is_access_alone`].
    #[inline]
    pub(crate) fn refused(self, agents: &AgentsApart, target: Option<&Target>) -> Option<u32> {
        let view = self.0;
        let is_open = |apart: &Apart| {
            let groups = view.agents.part(apart.start, apart.end);
            matches!((target, groups), (Some(target), Some(groups)) if view.allows(target, groups))
        };
        let refused = agents.all().iter().find(|apart| !is_open(apart));
        refused.map(|apart| apart.agent)
    }

    /// [`Robots::said_to_all`] with the URL already read; `None` for one that cannot be.
    pub(crate) fn said_of(
        self,
        agents: &AgentsApart,
        target: Option<&Target>,
        usage: &str,
        signal: &str,
    ) -> Said {
        let view = self.0;
        let mut said = Said {
            refused: None,
            content_usage: None,
            content_signal: None,
        };
        for apart in agents.all() {
            let groups = view.agents.part(apart.start, apart.end);
            let (Some(target), Some(groups)) = (target, groups) else {
                said.refused = said.refused.or(Some(apart.agent));
                for (kind, category, told) in [
                    (SignalKind::ContentUsage, usage, &mut said.content_usage),
                    (SignalKind::ContentSignal, signal, &mut said.content_signal),
                ] {
                    *told = stricter(*told, view.any_refusal(kind, category));
                }
                continue;
            };
            let is_open = view.allows(target, groups);
            if !is_open {
                said.refused = said.refused.or(Some(apart.agent));
                if view.signals.is_empty() {
                    break;
                }
            } else if !view.signals.is_empty() {
                let told = view.signal(SignalKind::ContentUsage, target, groups, usage);
                said.content_usage = stricter(said.content_usage, told);
            }
            let told = view.signal(SignalKind::ContentSignal, target, groups, signal);
            said.content_signal = stricter(said.content_signal, told);
        }
        said
    }
}

impl View<'_> {
    /// Several tokens may share their groups.
    fn is_same(&self, known: &Apart, start: u32, end: u32) -> bool {
        let groups = |start: u32, end: u32| {
            let entries = self.agents.part(start, end)?.iter::<AgentGroup>();
            Some(entries.map(|entry| entry.group))
        };
        match (groups(known.start, known.end), groups(start, end)) {
            (Some(known), Some(new)) => known.eq(new),
            (None, None) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_agent_for_each_set_of_groups() {
        let apart = |text: &str, agents: &[&str]| {
            let robots = Robots::parse(text.as_bytes());
            let apart = robots.agents_apart(agents.iter().copied());
            apart.agents().collect::<Vec<u32>>()
        };
        let agents = ["GPTBot", "CCBot", "ClaudeBot/1.0", "no token", "gptbot"];
        assert_eq!(apart("", &agents), [0, 3]);
        assert_eq!(apart("User-agent: *\nDisallow: /a", &agents), [0, 3]);
        let text = "User-agent: ccbot\nUser-agent: claudebot\nDisallow: /\n";
        assert_eq!(apart(text, &agents), [0, 1, 3]);
        let text = "User-agent: ccbot\nDisallow: /\n\nUser-agent: claudebot\nDisallow: /a\n";
        assert_eq!(apart(text, &agents), [0, 1, 2, 3]);
        let text = "User-agent: gptbot\nDisallow: /a\n\nUser-agent: *\nDisallow: /b\n";
        assert_eq!(apart(text, &agents), [0, 1, 3]);
        assert_eq!(apart(text, &[]), [0_u32; 0]);
        let gone = Robots::of_status(Some(404), b"User-agent: ccbot\nDisallow: /");
        let gone = gone.agents_apart(["GPTBot", "CCBot"]);
        assert_eq!(gone.agents().collect::<Vec<u32>>(), [0]);
    }

    proptest! {
        #[test]
        fn all_agents_together_are_each_of_them(
            lines in prop::collection::vec(
                prop::sample::select(vec![
                    "User-agent: *", "User-agent: a", "User-agent: b", "User-agent: c",
                    "User-agent: x, A ,c/2", "User-agent: a, *",
                    "Disallow: /", "Disallow: /x", "Allow: /x", "Allow: /",
                    "Content-Usage: train-ai=n", "Content-Usage: /x train-ai=y",
                    "Content-Signal: ai-train=no", "Content-Signal: ai-train=yes",
                ]),
                0..12,
            ),
            agents in prop::collection::vec(
                prop::sample::select(vec!["A", "b", "c/1", "d", "no token"]), 0..5,
            ),
            url in prop::sample::select(vec!["https://h/", "https://h/xy", "/robots.txt", "no url"]),
            status in prop::sample::select(vec![200, 200, 200, 404, 500]),
        ) {
            let robots = Robots::of_status(Some(status), lines.join("\n").as_bytes());
            let apart = robots.agents_apart(agents.iter().copied());
            let said = robots.said_to_all(&apart, url, "train-ai", "ai-train");
            let refused = agents.iter().position(|agent| !robots.allowed(url, agent));
            prop_assert_eq!(said.refused, refused.map(|number| number as u32));
            let usage = agents.iter().filter_map(|agent| robots.content_usage(url, agent, "train-ai"));
            prop_assert_eq!(said.content_usage, usage.min());
            let signal = agents.iter().filter_map(|agent| robots.content_signal(url, agent, "ai-train"));
            prop_assert_eq!(said.content_signal, signal.min());
        }
    }
}
