//! The opt-out registry: snapshots by site and by page.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, OnceLock};

use tamis_resource::Identity;

use crate::keyed::{Keyed, Stored, array, table_bytes};
use crate::signals::{AgentList, AgentsApart, FlatRobots, ListedAgent};

use super::bodies::Bodies;
use super::content::Document;

/// A snapshot in the index: in the order of slot, then time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seen {
    /// Kind and place; a later snapshot of the same slot supersedes an earlier one.
    pub(super) slot: u32,
    pub(super) fetched_at: i64,
    pub(super) document: u32,
}

impl Stored for Seen {
    const BYTES: usize = 16;

    fn write(self, to: &mut [u8]) {
        to[..8].copy_from_slice(&self.fetched_at.to_le_bytes());
        to[8..12].copy_from_slice(&self.slot.to_le_bytes());
        to[12..].copy_from_slice(&self.document.to_le_bytes());
    }

    #[inline]
    fn read(from: &[u8]) -> Self {
        Self {
            slot: u32::from_le_bytes(array(from, 8)),
            fetched_at: i64::from_le_bytes(array(from, 0)),
            document: u32::from_le_bytes(array(from, 12)),
        }
    }
}

/// The list of the first check. Its agents are sorted into groups once for every robots.txt;
/// those of another list anew for every check.
#[derive(Debug)]
pub(super) struct UsualAgents {
    list: Arc<AgentList>,
    /// Of each training agent what evidence says when it is refused.
    refusals: Box<[Cow<'static, str>]>,
}

impl UsualAgents {
    fn of(list: &Arc<AgentList>) -> Self {
        // Those of the embedded list are made once for the process: such evidence then takes
        // no allocation of its own.
        static EMBEDDED: LazyLock<Box<[String]>> = LazyLock::new(|| {
            let training = AgentList::builtin().training();
            training.map(|listed| refusal(&listed.agent)).collect()
        });
        let of = |listed: &ListedAgent| {
            let value = refusal(&listed.agent);
            let embedded = EMBEDDED.iter().find(|known| **known == value);
            embedded.map_or(Cow::Owned(value), |known| Cow::Borrowed(known.as_str()))
        };
        Self {
            list: Arc::clone(list),
            refusals: list.training().map(of).collect(),
        }
    }
}

fn refusal(agent: &str) -> String {
    ["disallow: ", agent].concat()
}

/// An immutable opt-out registry.
///
/// The index takes 34 bytes a site, each further snapshot 32; every distinct body is held once,
/// parsed.
#[derive(Debug)]
pub struct OptOutRegistry {
    pub(super) identity: Identity,
    pub(super) documents: Vec<Document>,
    pub(super) bodies: Bodies,
    pub(super) rsl_slots: HashMap<Box<str>, u32>,
    pub(super) sites: Keyed<Seen>,
    pub(super) pages: Keyed<Seen>,
    pub(super) usual_agents: OnceLock<UsualAgents>,
}

impl OptOutRegistry {
    /// Which table this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How many snapshots there are.
    pub fn len(&self) -> usize {
        self.sites.len() + self.pages.len()
    }

    /// Whether there is no snapshot.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many sites (hosts, with their port where it is not the usual one) it knows.
    pub fn sites(&self) -> usize {
        self.sites.keys()
    }

    /// How many different bodies it holds.
    pub fn bodies(&self) -> usize {
        self.documents.len()
    }

    /// The training agents of `list` that a robots.txt tells apart. `known` keeps them for the
    /// list that asked first.
    pub(super) fn agents_apart<'a>(
        &self,
        known: &'a OnceLock<AgentsApart>,
        robots: FlatRobots<'_>,
        list: &Arc<AgentList>,
    ) -> Cow<'a, AgentsApart> {
        let find = || robots.agents_apart(list.training().map(|listed| listed.agent.as_str()));
        if Arc::ptr_eq(&self.usual(list).list, list) {
            Cow::Borrowed(known.get_or_init(find))
        } else {
            Cow::Owned(find())
        }
    }

    fn usual(&self, list: &Arc<AgentList>) -> &UsualAgents {
        self.usual_agents.get_or_init(|| UsualAgents::of(list))
    }

    /// What evidence says when the training agent of that number in `list` is refused.
    pub(super) fn refusal(&self, list: &Arc<AgentList>, number: u32) -> Cow<'static, str> {
        let usual = self.usual(list);
        if Arc::ptr_eq(&usual.list, list)
            && let Some(value) = usual.refusals.get(number as usize)
        {
            return value.clone();
        }
        let agent = list.training().nth(number as usize);
        Cow::Owned(refusal(agent.map_or("*", |listed| listed.agent.as_str())))
    }

    /// About the bytes the index and the bodies take, without what the allocator adds.
    pub fn memory_bytes(&self) -> usize {
        let heap: usize = self.documents.iter().map(Document::heap_bytes).sum();
        let paths: usize = self.rsl_slots.keys().map(|path| path.len()).sum();
        self.sites.memory_bytes()
            + self.pages.memory_bytes()
            + self.documents.capacity() * size_of::<Document>()
            + self.bodies.memory_bytes()
            + heap
            + table_bytes(&self.rsl_slots)
            + paths
    }
}
