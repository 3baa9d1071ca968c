//! What is asked, and how it is judged.

use std::sync::Arc;

use crate::address::Address;
use crate::keyed::Key;
use crate::signals::AgentList;

use super::registry::{OptOutRegistry, Seen};

/// 30 days.
const USUAL_MAX_AGE: i64 = 30 * 24 * 3600 * 1_000_000;

/// How snapshots are judged. The use asked about is training.
#[derive(Debug, Clone)]
pub struct OptOutRules {
    /// The crawlers whose rules count: what is closed to one of its training agents is closed.
    pub agents: Arc<AgentList>,
    /// How old a snapshot may be to allow something, microseconds.
    pub max_age: i64,
    /// A second, later instant: what was reserved by then restricts as well. A whole second
    /// stands for all of it.
    pub also_at: Option<i64>,
}

impl OptOutRules {
    /// The rules for a list of agents: snapshots allow for 30 days, no second instant.
    pub fn new(agents: Arc<AgentList>) -> Self {
        Self {
            agents,
            max_age: USUAL_MAX_AGE,
            also_at: None,
        }
    }

    /// Whether a snapshot is recent enough at an instant to allow something.
    pub(super) fn is_fresh(&self, seen: Seen, at: i64) -> bool {
        at.saturating_sub(seen.fetched_at) <= self.max_age
    }
}

/// One question of a batch: an address, and when it was collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct OptOutQuestion<'a> {
    /// The address. Null: the answer is `unknown`.
    pub url: Option<&'a str>,
    /// The first instant at which it may have been collected, microseconds UTC.
    pub from: i64,
    /// The last one, see [`OptOutRegistry::check_span`].
    pub until: i64,
}

const SECOND: i64 = 1_000_000;

/// The last instant that an instant may stand for: a whole second may be one that was cut, and
/// stands for all of it.
pub(super) fn end_of(at: i64) -> i64 {
    match at % SECOND {
        0 => at.saturating_add(SECOND - 1),
        _ => at,
    }
}

/// An address, and where its snapshots are found.
#[derive(Debug)]
pub(super) struct Asked<'a> {
    pub(super) address: Address<'a>,
    pub(super) site: Key,
    /// Not needed where no page has a snapshot.
    pub(super) page: Option<Key>,
}

impl Asked<'_> {
    /// Appends the snapshots of the site, then those of the page; gives where the latter begin.
    #[inline]
    pub(super) fn snapshots(&self, registry: &OptOutRegistry, out: &mut Vec<Seen>) -> usize {
        out.extend(registry.sites.get(self.site).iter());
        let pages_from = out.len();
        if let Some(page) = self.page {
            out.extend(registry.pages.get(page).iter());
        }
        pages_from
    }
}

impl OptOutRegistry {
    /// `None` for what is not an address of the web.
    #[inline]
    pub(super) fn asked<'a>(&self, url: Option<&'a str>) -> Option<Asked<'a>> {
        let address = Address::parse(url?).filter(Address::is_http)?;
        Some(Asked {
            site: address.site_key(),
            page: (self.pages.len() > 0).then(|| address.page_key()),
            address,
        })
    }
}
