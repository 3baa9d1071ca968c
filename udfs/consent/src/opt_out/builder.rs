//! Builds an opt-out registry row by row.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};
use tamis_resource::{Identity, ResourceError, Result};

use crate::address::Address;
use crate::field::{name_problem, shown};
use crate::intake::read_error_of;
use crate::keyed::{Key, Keyed};
use crate::signals::Robots;

use super::bodies::BodiesBuilder;
use super::content::{Content, Document};
use super::registry::{OptOutRegistry, Seen};
use super::snapshot::{SnapshotKind, SnapshotRow};

/// Slots below are those of the places that every site has.
const FIRST_RSL_SLOT: u32 = 16;

/// Takes the snapshots of a registry one by one.
///
/// Each distinct body is parsed once, and only what was parsed is kept; of a page only its
/// signals.
#[derive(Debug)]
pub struct OptOutRegistryBuilder {
    uri: String,
    documents: Vec<Document>,
    bodies: BodiesBuilder,
    by_digest: HashMap<(SnapshotKind, Option<u16>, [u8; 32]), u32>,
    rsl_slots: HashMap<Box<str>, u32>,
    sites: Vec<(Key, Seen)>,
    pages: Vec<(Key, Seen)>,
}

impl OptOutRegistryBuilder {
    /// An empty registry; `uri` is the table the rows come from.
    pub fn new(uri: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            documents: Vec::new(),
            bodies: BodiesBuilder::default(),
            by_digest: HashMap::new(),
            rsl_slots: HashMap::new(),
            sites: Vec::new(),
            pages: Vec::new(),
        }
    }

    /// Adds a row. `location` says where it stands (`line 3`, `row 12`) and is called only
    /// for an error.
    ///
    /// # Errors
    /// [`ResourceError::Malformed`] for a URL that is none or has white space around it, an
    /// unknown kind, a robots.txt, tdmrep.json or ai.txt from another place than its own, and a
    /// `sha256` that is not the body's. What is wrong with a body is no error: its parser
    /// decides (it restricts).
    pub fn push(&mut self, location: impl FnOnce() -> String, row: SnapshotRow<'_>) -> Result<()> {
        self.add(row).map_err(|message| ResourceError::Malformed {
            uri: self.uri.clone(),
            location: location(),
            message,
        })
    }

    fn add(&mut self, row: SnapshotRow<'_>) -> Result<(), String> {
        if let Some(problem) = name_problem("url", row.url) {
            return Err(problem);
        }
        let kind = SnapshotKind::parse(row.kind).ok_or_else(|| {
            let known = SnapshotKind::ALL.map(SnapshotKind::as_str).join(", ");
            format!("unknown kind {} ({known})", shown(row.kind))
        })?;
        let address = Address::parse(row.url)
            .or_else(|| {
                // A host without a dot (`localhost`) is a host all the same where one is asked for.
                let is_bare = kind.is_of_site() && !row.url.contains(['/', '@', '?', '#', '\\']);
                is_bare.then(|| Address::parse_owned(&format!("https://{}", row.url)))?
            })
            .filter(Address::is_http)
            .ok_or_else(|| format!("url {} is not an http or https URL", shown(row.url)))?;
        let slot = self.slot(kind, &address).ok_or_else(|| {
            let places = kind.paths().join(" or ");
            format!(
                "url {} is not where {} stands ({places})",
                shown(row.url),
                kind.as_str()
            )
        })?;
        let sha256: [u8; 32] = Sha256::digest(row.body).into();
        if let Some(given) = row.sha256 {
            let mut bytes = [0; 32];
            if hex::decode_to_slice(given, &mut bytes).is_err() {
                return Err("sha256 is not 64 hex digits".into());
            }
            if bytes != sha256 {
                return Err(format!(
                    "sha256 of {} {} is {}, the body's is {}",
                    kind.as_str(),
                    shown(row.url),
                    hex::encode(bytes),
                    hex::encode(sha256)
                ));
            }
        }
        let seen = Seen {
            slot,
            fetched_at: row.fetched_at,
            document: self.document(kind, row.status, sha256, row.body)?,
        };
        let level = if kind.is_of_site() {
            &mut self.sites
        } else {
            &mut self.pages
        };
        if level.len() == u32::MAX as usize {
            return Err(format!("a registry holds at most {} snapshots", u32::MAX));
        }
        let key = if kind.is_of_site() {
            address.site_key()
        } else {
            address.page_key()
        };
        level.push((key, seen));
        Ok(())
    }

    /// Snapshots of one slot follow each other; those of different slots stand side by side:
    /// the two places of ai.txt, every RSL document.
    fn slot(&mut self, kind: SnapshotKind, address: &Address<'_>) -> Option<u32> {
        let rest = address.rest();
        let place = match kind {
            SnapshotKind::Rsl => {
                if let Some(slot) = self.rsl_slots.get(rest) {
                    return Some(*slot);
                }
                let slot = FIRST_RSL_SLOT + self.rsl_slots.len() as u32;
                self.rsl_slots.insert(rest.into(), slot);
                return Some(slot);
            }
            _ if kind.paths().is_empty() || rest == "/" => 0,
            _ => kind.paths().iter().position(|path| *path == rest)?,
        };
        Some(kind as u32 * 2 + place as u32)
    }

    fn document(
        &mut self,
        kind: SnapshotKind,
        status: Option<u16>,
        sha256: [u8; 32],
        body: &[u8],
    ) -> Result<u32, String> {
        let too_many = || format!("a registry holds at most {} bodies", u32::MAX);
        let number = u32::try_from(self.documents.len()).map_err(|_| too_many())?;
        match self.by_digest.entry((kind, status, sha256)) {
            Entry::Occupied(known) => Ok(*known.get()),
            Entry::Vacant(new) => {
                let (content, rules) = Content::read(kind, status, body);
                let rules = rules.as_ref().map_or(&[][..], Robots::as_bytes);
                let place = self.bodies.push(&sha256, rules);
                self.documents.push(Document {
                    kind,
                    place: place.ok_or_else(too_many)?,
                    content,
                });
                Ok(*new.insert(number))
            }
        }
    }

    /// Sorts the snapshots and closes the registry. `version` and `sha256` are those of the
    /// table the rows came from.
    ///
    /// # Errors
    /// [`ResourceError::Read`] when there is not enough memory.
    pub fn finish(mut self, version: &str, sha256: &str) -> Result<OptOutRegistry> {
        drop(self.by_digest);
        self.documents.shrink_to_fit();
        // The same body at the same instant, reached by http and by https, is one snapshot.
        for level in [&mut self.sites, &mut self.pages] {
            level.sort_unstable();
            level.dedup();
        }
        let read = |error| read_error_of("tamis.opt_out", &self.uri, &error);
        let mut uses = vec![0_u32; self.documents.len()];
        for (_, seen) in self.sites.iter().chain(&self.pages) {
            let uses = &mut uses[seen.document as usize];
            *uses = uses.saturating_add(1);
        }
        let places = self
            .documents
            .iter_mut()
            .map(|document| &mut document.place);
        let bodies = self
            .bodies
            .finish(uses.into_iter().zip(places))
            .map_err(read)?;
        let sites = Keyed::new(self.sites).map_err(read)?;
        let pages = Keyed::new(self.pages).map_err(read)?;
        Ok(OptOutRegistry {
            identity: Identity {
                uri: self.uri,
                version: version.to_owned(),
                sha256: sha256.to_owned(),
            },
            documents: self.documents,
            bodies,
            rsl_slots: self.rsl_slots,
            sites,
            pages,
            usual_agents: OnceLock::new(),
        })
    }
}
