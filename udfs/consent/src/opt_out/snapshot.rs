//! Rows of a snapshot table.

use tamis_resource::sha256_hex;

/// What a snapshot is a snapshot of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SnapshotKind {
    /// The robots.txt of a site (RFC 9309).
    Robots,
    /// The `/.well-known/tdmrep.json` of a site (TDMRep).
    TdmRep,
    /// The `/ai.txt` or `/.well-known/ai.txt` of a site.
    AiTxt,
    /// An RSL document.
    Rsl,
    /// Header fields of the answer a page came with.
    Headers,
    /// A page, or only its elements that carry a signal.
    Html,
    /// The C2PA manifest of an asset, as JSON.
    C2pa,
}

impl SnapshotKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Robots,
        Self::TdmRep,
        Self::AiTxt,
        Self::Rsl,
        Self::Headers,
        Self::Html,
        Self::C2pa,
    ];

    /// The name tables use: `robots.txt`, `tdmrep.json`, `ai.txt`, `rsl`, `headers`, `html` or
    /// `c2pa`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Robots => "robots.txt",
            Self::TdmRep => "tdmrep.json",
            Self::AiTxt => "ai.txt",
            Self::Rsl => "rsl",
            Self::Headers => "headers",
            Self::Html => "html",
            Self::C2pa => "c2pa",
        }
    }

    /// The name of the signal that a file of the kind carries.
    pub(super) fn signal(self) -> &'static str {
        match self {
            Self::TdmRep => "tdmrep",
            _ => self.as_str(),
        }
    }

    /// The kind of that name, in any case.
    pub fn parse(name: &str) -> Option<Self> {
        let named = |kind: &Self| kind.as_str().eq_ignore_ascii_case(name);
        Self::ALL.into_iter().find(named)
    }

    /// Whether it speaks for a whole site and not for one page.
    pub fn is_of_site(self) -> bool {
        !matches!(self, Self::Headers | Self::Html | Self::C2pa)
    }

    /// Where the kind stands on a site; empty for those that can stand anywhere.
    pub fn paths(self) -> &'static [&'static str] {
        match self {
            Self::Robots => &["/robots.txt"],
            Self::TdmRep => &["/.well-known/tdmrep.json"],
            Self::AiTxt => &["/ai.txt", "/.well-known/ai.txt"],
            _ => &[],
        }
    }

    /// The kind that stands at that path of every site.
    pub fn of_path(path: &str) -> Option<Self> {
        let stands = |kind: &Self| kind.paths().contains(&path);
        Self::ALL.into_iter().find(stands)
    }
}

/// One row of a snapshot table. Times are microseconds UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotRow<'a> {
    /// The URL that was fetched. For the kinds of a site a bare host (`example.com`,
    /// `example.com:8080`) will do.
    pub url: &'a str,
    /// When it was fetched.
    pub fetched_at: i64,
    /// `robots.txt`, `tdmrep.json`, `ai.txt`, `rsl`, `headers`, `html` or `c2pa`, in any case.
    pub kind: &'a str,
    /// The HTTP status of the answer. Null for robots.txt: there was no answer; for the other
    /// kinds: it was not recorded, and the body counts.
    pub status: Option<u16>,
    /// The body of the answer; for `headers` the text of its header fields.
    pub body: &'a [u8],
    /// The SHA-256 of `body`, 64 hexadecimal digits in any case. Null: it is computed.
    pub sha256: Option<&'a str>,
}

/// A snapshot as the importers make it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The URL that was fetched.
    pub url: String,
    /// When it was fetched, microseconds UTC.
    pub fetched_at: i64,
    /// What it is.
    pub kind: SnapshotKind,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// The body, decoded.
    pub body: Vec<u8>,
    /// The SHA-256 of `body`, 64 hexadecimal digits in lower case.
    pub sha256: String,
}

impl Snapshot {
    pub(crate) fn new(
        url: String,
        fetched_at: i64,
        kind: SnapshotKind,
        status: Option<u16>,
        body: Vec<u8>,
    ) -> Self {
        let sha256 = sha256_hex(&body);
        Self {
            url,
            fetched_at,
            kind,
            status,
            body,
            sha256,
        }
    }

    /// The row for [`super::OptOutRegistryBuilder::push`].
    pub fn row(&self) -> SnapshotRow<'_> {
        SnapshotRow {
            url: &self.url,
            fetched_at: self.fetched_at,
            kind: self.kind.as_str(),
            status: self.status,
            body: &self.body,
            sha256: Some(&self.sha256),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names_and_places() {
        for kind in SnapshotKind::ALL {
            let upper = kind.as_str().to_ascii_uppercase();
            assert_eq!(SnapshotKind::parse(&upper), Some(kind));
            for path in kind.paths() {
                assert_eq!(SnapshotKind::of_path(path), Some(kind));
            }
        }
        assert_eq!(SnapshotKind::parse("robots"), None);
        assert_eq!(SnapshotKind::of_path("/robots.txt/"), None);
        assert!(SnapshotKind::Rsl.is_of_site() && !SnapshotKind::C2pa.is_of_site());
    }
}
