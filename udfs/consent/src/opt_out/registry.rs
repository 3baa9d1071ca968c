//! The opt-out registry: snapshots by site and by page.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use tamis_resource::Identity;

use crate::keyed::{Keyed, table_bytes};
use crate::signals::{AgentList, AgentsApart, Robots};

use super::content::Document;

/// A snapshot in the index: in the order of slot, then time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Seen {
    /// Kind and place; a later snapshot of the same slot supersedes an earlier one.
    pub(super) slot: u32,
    pub(super) fetched_at: i64,
    pub(super) document: u32,
}

/// An immutable opt-out registry.
///
/// The index takes 34 bytes a site, each further snapshot 32; every distinct body is held once,
/// parsed.
#[derive(Debug)]
pub struct OptOutRegistry {
    pub(super) identity: Identity,
    pub(super) documents: Vec<Document>,
    pub(super) rsl_slots: HashMap<Box<str>, u32>,
    pub(super) sites: Keyed<Seen>,
    pub(super) pages: Keyed<Seen>,
    /// The list of the first check. Its agents are sorted into groups once for every
    /// robots.txt; those of another list anew for every check.
    pub(super) usual_agents: OnceLock<Arc<AgentList>>,
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
        robots: &Robots,
        list: &Arc<AgentList>,
    ) -> Cow<'a, AgentsApart> {
        let find = || robots.agents_apart(list.training().map(|listed| listed.agent.as_str()));
        let usual = self.usual_agents.get_or_init(|| Arc::clone(list));
        if Arc::ptr_eq(usual, list) {
            Cow::Borrowed(known.get_or_init(find))
        } else {
            Cow::Owned(find())
        }
    }

    /// About the bytes the index and the bodies take, without what the allocator adds.
    pub fn memory_bytes(&self) -> usize {
        let heap: usize = self.documents.iter().map(Document::heap_bytes).sum();
        let paths: usize = self.rsl_slots.keys().map(|path| path.len()).sum();
        self.sites.memory_bytes()
            + self.pages.memory_bytes()
            + self.documents.capacity() * size_of::<Document>()
            + heap
            + table_bytes(&self.rsl_slots)
            + paths
    }
}
