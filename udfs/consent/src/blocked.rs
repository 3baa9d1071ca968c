//! The block list: addresses and documents that must not be used, each with its dates.

use tamis_resource::{Identity, ResourceError, Result};

use crate::address::Address;
use crate::field::{name_problem, shown};
use crate::intake::read_error_of;
use crate::keyed::{Key, Keyed};

/// What an entry names, from the most to the least specific.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BlockKind {
    /// A document, by the SHA-256 of its text.
    Sha256,
    /// A page, or with a trailing `*` all pages whose address begins so.
    Url,
    /// One host, with a port only that port.
    Host,
    /// A domain and all domains below it.
    Domain,
}

impl BlockKind {
    const ALL: [Self; 4] = [Self::Sha256, Self::Url, Self::Host, Self::Domain];

    /// The name tables use: `domain`, `host`, `url` or `sha256`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Url => "url",
            Self::Host => "host",
            Self::Domain => "domain",
        }
    }

    fn key(self, name: &str) -> Key {
        Key::of(format!("{} {name}", self.as_str()).as_bytes())
    }
}

/// One row of a block list. Times are microseconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRow<'a> {
    /// What is blocked, written as its kind asks.
    pub entry: &'a str,
    /// `domain`, `host`, `url` or `sha256`, in any case.
    pub kind: &'a str,
    /// The first instant at which the entry is in force; null: it always was.
    pub listed_at: Option<i64>,
    /// The first instant at which it no longer is; null: open-ended.
    pub removed_at: Option<i64>,
    /// Why, as a code of the list's own.
    pub reason_code: Option<&'a str>,
    /// Who asked for it, or where it was published.
    pub source: Option<&'a str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    kind: BlockKind,
    entry: Box<str>,
    listed_at: Option<i64>,
    removed_at: Option<i64>,
    reason_code: Option<Box<str>>,
    source: Option<Box<str>>,
}

impl Entry {
    /// Whether it is in force at some instant of the span.
    fn is_in_force(&self, (first, last): (i64, i64)) -> bool {
        self.listed_at.is_none_or(|listed_at| listed_at <= last)
            && self.removed_at.is_none_or(|removed_at| first < removed_at)
    }
}

/// What a block list says of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockCheck<'a> {
    /// `listed`, `not_listed`, or `missing`: there is nothing to look up.
    pub verdict: &'static str,
    /// The kind of the entry that decided: the most specific in force.
    pub kind: Option<BlockKind>,
    /// That entry as the list writes it.
    pub entry: Option<&'a str>,
    /// Its number, from 0 in the order of the pushes.
    pub entry_index: Option<usize>,
    /// From when it is in force; null: always.
    pub listed_at: Option<i64>,
    /// Its reason code.
    pub reason_code: Option<&'a str>,
    /// Its source.
    pub source: Option<&'a str>,
}

impl BlockCheck<'_> {
    fn without_entry(verdict: &'static str) -> Self {
        Self {
            verdict,
            kind: None,
            entry: None,
            entry_index: None,
            listed_at: None,
            reason_code: None,
            source: None,
        }
    }
}

/// Takes the rows of a block list one by one.
#[derive(Debug)]
pub struct BlockListBuilder {
    uri: String,
    entries: Vec<Entry>,
    exact: Vec<(Key, u32)>,
    prefixes: Vec<(Key, u32)>,
    prefix_lengths: Vec<(Key, u32)>,
}

impl BlockListBuilder {
    /// An empty list; `uri` is the table the rows come from.
    pub fn new(uri: &str) -> Self {
        Self {
            uri: uri.to_owned(),
            entries: Vec::new(),
            exact: Vec::new(),
            prefixes: Vec::new(),
            prefix_lengths: Vec::new(),
        }
    }

    /// Adds a row. `location` says where it stands (`line 3`, `row 12`) and is called only
    /// for an error.
    ///
    /// # Errors
    /// [`ResourceError::Malformed`] for an empty or padded entry, an unknown kind, an entry
    /// that is not of its kind (a domain with a path, a digest that is not 64 hexadecimal
    /// digits ...), a `domain` that is a public suffix such as `cn` or `com.cn` (it would
    /// block a country) or an IP address, a `removed_at` before `listed_at`.
    pub fn push(&mut self, location: impl FnOnce() -> String, row: BlockRow<'_>) -> Result<()> {
        self.add(row).map_err(|message| ResourceError::Malformed {
            uri: self.uri.clone(),
            location: location(),
            message,
        })
    }

    fn add(&mut self, row: BlockRow<'_>) -> Result<(), String> {
        if let Some(problem) = name_problem("entry", row.entry) {
            return Err(problem);
        }
        let kind = BlockKind::ALL
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(row.kind))
            .ok_or_else(|| {
                let kind = shown(row.kind);
                format!("unknown kind {kind} (domain, host, url, sha256)")
            })?;
        if let (Some(from), Some(to)) = (row.listed_at, row.removed_at)
            && to < from
        {
            return Err("removed_at is before listed_at".into());
        }
        let number = u32::try_from(self.entries.len())
            .map_err(|_| format!("a block list holds at most {} entries", u32::MAX))?;
        let entry = shown(row.entry);
        match kind {
            BlockKind::Sha256 => {
                let digest = sha256_key(row.entry)
                    .ok_or_else(|| format!("entry {entry} is not 64 hex digits"))?;
                self.exact.push((digest, number));
            }
            BlockKind::Domain => {
                let address = bare_host(row.entry)
                    .filter(|address| address.port().is_none())
                    .ok_or_else(|| format!("entry {entry} is not a domain"))?;
                let domain = address.host();
                if address.is_ip() {
                    return Err(format!("entry {entry} is an IP address: use kind host"));
                }
                if is_public_suffix(domain) {
                    return Err(format!(
                        "entry {entry} is a public suffix: it would block all domains under it"
                    ));
                }
                self.exact.push((kind.key(domain), number));
            }
            BlockKind::Host => {
                let address =
                    bare_host(row.entry).ok_or_else(|| format!("entry {entry} is not a host"))?;
                self.exact.push((kind.key(&address.site()), number));
            }
            BlockKind::Url => {
                let (url, is_prefix) = match row.entry.strip_suffix('*') {
                    Some(url) => (url, true),
                    None => (row.entry, false),
                };
                let no_url = || format!("entry {entry} is not a URL");
                let address = Address::parse(url).ok_or_else(no_url)?;
                let page = address.page();
                if is_prefix {
                    // Without its path, `https://example.co*` would look like a prefix of hosts.
                    if !has_path(url) {
                        return Err(format!("entry {entry} ends in * but has no path"));
                    }
                    self.prefixes.push((kind.key(&page), number));
                    let length = u32::try_from(page.len()).map_err(|_| no_url())?;
                    self.prefix_lengths.push((address.site_key(), length));
                } else {
                    self.exact.push((kind.key(&page), number));
                }
            }
        }
        let text = |text: Option<&str>| text.filter(|text| !text.trim().is_empty()).map(Box::from);
        self.entries.push(Entry {
            kind,
            entry: row.entry.into(),
            listed_at: row.listed_at,
            removed_at: row.removed_at,
            reason_code: text(row.reason_code),
            source: text(row.source),
        });
        Ok(())
    }

    /// Closes the list. `version` and `sha256` are those of the table the rows came from.
    ///
    /// # Errors
    /// [`ResourceError::Read`] when there is not enough memory.
    pub fn finish(mut self, version: &str, sha256: &str) -> Result<BlockList> {
        self.prefix_lengths.sort_unstable();
        self.prefix_lengths.dedup();
        self.entries.shrink_to_fit();
        let read = |error| read_error_of("tamis.blocked", &self.uri, &error);
        let exact = Keyed::new(self.exact).map_err(read)?;
        let prefixes = Keyed::new(self.prefixes).map_err(read)?;
        let prefix_lengths = Keyed::new(self.prefix_lengths).map_err(read)?;
        Ok(BlockList {
            identity: Identity {
                uri: self.uri,
                version: version.to_owned(),
                sha256: sha256.to_owned(),
            },
            has_kind: BlockKind::ALL
                .map(|kind| self.entries.iter().any(|entry| entry.kind == kind)),
            entries: self.entries,
            exact,
            prefixes,
            prefix_lengths,
        })
    }
}

/// An immutable block list.
#[derive(Debug)]
pub struct BlockList {
    identity: Identity,
    /// By [`BlockKind`]: a list of domains alone need not look for hosts and pages.
    has_kind: [bool; 4],
    entries: Vec<Entry>,
    exact: Keyed<u32>,
    prefixes: Keyed<u32>,
    prefix_lengths: Keyed<u32>,
}

impl BlockList {
    /// Which table this is.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// How many entries there are, in force or not.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether any entry is a digest: without one nobody has to compute digests.
    pub fn has_digests(&self) -> bool {
        self.has(BlockKind::Sha256)
    }

    /// The bytes the index and the entries take.
    pub fn memory_bytes(&self) -> usize {
        let text = |text: &Option<Box<str>>| text.as_ref().map_or(0, |text| text.len());
        let texts =
            |entry: &Entry| entry.entry.len() + text(&entry.reason_code) + text(&entry.source);
        self.entries.capacity() * size_of::<Entry>()
            + self.entries.iter().map(texts).sum::<usize>()
            + self.exact.memory_bytes()
            + self.prefixes.memory_bytes()
            + self.prefix_lengths.memory_bytes()
    }

    /// Whether an entry in force at the instant `at` names the document: its address `url`
    /// or the SHA-256 of its text, 64 hexadecimal digits in any case.
    ///
    /// An entry is in force from `listed_at` until `removed_at`, that instant excluded.
    /// `missing`: both are null, or nothing is listed and what was given cannot be read (a URL
    /// that is none, a digest that is none). A listed document is always `listed`. Of several
    /// entries the most specific kind decides (sha256, url, host, domain), then the nearest
    /// domain or longest prefix, then the first row.
    pub fn check(&self, url: Option<&str>, text_sha256: Option<&str>, at: i64) -> BlockCheck<'_> {
        self.check_span(url, text_sha256, (at, at))
    }

    /// As [`Self::check`] for an instant that is known as a span only, first and last: an entry
    /// that is in force at any instant of it counts.
    pub fn check_span(
        &self,
        url: Option<&str>,
        text_sha256: Option<&str>,
        at: (i64, i64),
    ) -> BlockCheck<'_> {
        let digest = text_sha256.map(sha256_key);
        let address = url.map(Address::parse);
        let by_digest = match digest {
            Some(Some(key)) if self.has(BlockKind::Sha256) => self.in_force(&self.exact, key, at),
            _ => None,
        };
        let found = by_digest.or_else(|| {
            let address = address.as_ref()?.as_ref()?;
            self.by_page(address, at)
                .or_else(|| self.by_host(address, at))
                .or_else(|| self.by_domain(address, at))
        });
        if let Some(index) = found {
            let entry = &self.entries[index];
            return BlockCheck {
                verdict: "listed",
                kind: Some(entry.kind),
                entry: Some(&entry.entry),
                entry_index: Some(index),
                listed_at: entry.listed_at,
                reason_code: entry.reason_code.as_deref(),
                source: entry.source.as_deref(),
            };
        }
        let is_unreadable = matches!(digest, Some(None)) || matches!(address, Some(None));
        let is_missing = is_unreadable || (digest.is_none() && address.is_none());
        BlockCheck::without_entry(if is_missing { "missing" } else { "not_listed" })
    }

    fn has(&self, kind: BlockKind) -> bool {
        self.has_kind[kind as usize]
    }

    fn in_force(&self, index: &Keyed<u32>, key: Key, at: (i64, i64)) -> Option<usize> {
        let mut entries = index.get(key).iter().map(|entry| entry as usize);
        entries.find(|&entry| self.entries[entry].is_in_force(at))
    }

    fn by_page(&self, address: &Address<'_>, at: (i64, i64)) -> Option<usize> {
        if !self.has(BlockKind::Url) {
            return None;
        }
        let page = address.page();
        let exact = self.in_force(&self.exact, BlockKind::Url.key(&page), at);
        exact.or_else(|| {
            let lengths = self.prefix_lengths.get(address.site_key());
            lengths.iter().rev().find_map(|length| {
                let prefix = page.get(..length as usize)?;
                self.in_force(&self.prefixes, BlockKind::Url.key(prefix), at)
            })
        })
    }

    fn by_host(&self, address: &Address<'_>, at: (i64, i64)) -> Option<usize> {
        if !self.has(BlockKind::Host) {
            return None;
        }
        let of = |name: &str| self.in_force(&self.exact, BlockKind::Host.key(name), at);
        let with_port = address.port().and_then(|_| of(&address.site()));
        with_port.or_else(|| of(address.host()))
    }

    fn by_domain(&self, address: &Address<'_>, at: (i64, i64)) -> Option<usize> {
        if !self.has(BlockKind::Domain) || address.is_ip() {
            return None;
        }
        let mut rest = Some(address.host());
        while let Some(domain) = rest {
            let found = self.in_force(&self.exact, BlockKind::Domain.key(domain), at);
            if found.is_some() {
                return found;
            }
            rest = domain.split_once('.').map(|(_, parent)| parent);
        }
        None
    }
}

fn sha256_key(digest: &str) -> Option<Key> {
    let is_digest = digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_digest.then(|| BlockKind::Sha256.key(&digest.to_ascii_lowercase()))
}

/// A host as an entry writes it: no scheme, user info, path or query.
fn bare_host(entry: &str) -> Option<Address<'static>> {
    if entry.contains(['/', '\\', '?', '#', '@', '*']) {
        return None;
    }
    let address = Address::parse_owned(&format!("https://{entry}"))?;
    (address.rest() == "/").then_some(address)
}

/// Whether a URL, as written, has a path (`Address` gives it one).
fn has_path(url: &str) -> bool {
    let after_scheme = url.find("//").map_or(0, |at| at + 2);
    url[after_scheme..].contains(['/', '\\'])
}

/// Whether the registries of the Public Suffix List let anybody register below `domain`, or it
/// has a single label. The list's private part (`github.io`) does not count: such a domain has
/// an owner, and blocking it is a decision about that owner.
fn is_public_suffix(domain: &str) -> bool {
    !domain.contains('.')
        || psl::suffix(domain.as_bytes()).is_some_and(|suffix| {
            suffix.as_bytes() == domain.as_bytes() && suffix.typ() != Some(psl::Type::Private)
        })
}

/// The registrable domain of a URL: `example.com.cn` of `https://www.example.com.cn/a`, by the
/// Public Suffix List, private part included, that this program was built with.
///
/// The host itself when it is an IP address, a public suffix or a single label. `None` when
/// `url` is not an address of the web. For grouping by owner; what a site says about its use is
/// never looked up by it (robots.txt speaks for one host, RFC 9309, section 2.3).
pub fn registrable_domain(url: &str) -> Option<String> {
    let address = Address::parse(url)?;
    let host = address.host();
    let domain = if address.is_ip() {
        host
    } else {
        psl::domain_str(host).unwrap_or(host)
    };
    Some(domain.to_owned())
}

#[cfg(test)]
mod tests;
