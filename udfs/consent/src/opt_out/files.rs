//! Snapshots out of a directory of fetched files.
//!
//! The layout is that of a mirror: a folder for each host, in it the files at their paths.
//!
//! ```text
//! example.com/robots.txt
//! example.com/.well-known/tdmrep.json
//! example.com/ai.txt
//! example.com+8080/robots.txt          a port, + for :
//! example.com/terms/license.rsl.xml    RSL: any name that ends in .rsl or .rsl.xml
//! ```
//!
//! A file that is there was fetched with status 200. That a site has no robots.txt cannot be
//! said this way: it stays unknown.

use crate::address::Address;

use super::snapshot::{Snapshot, SnapshotKind};

/// What a file is, by its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchedFile {
    /// Its kind.
    pub kind: SnapshotKind,
    /// The URL it was fetched from; `https`, as `http` has the same key.
    pub url: String,
}

impl FetchedFile {
    /// What the file at `path` is: relative to the root, parts separated by `/`. `None` for a
    /// file that carries no signal.
    ///
    /// # Errors
    /// A file that should carry one in a folder whose name is no host.
    pub fn of_path(path: &str) -> Result<Option<Self>, String> {
        let Some((folder, file)) = path.split_once('/') else {
            return Ok(None);
        };
        let place = format!("/{file}");
        let name = file.rsplit('/').next().unwrap_or_default();
        let is_rsl = name.ends_with(".rsl") || name.ends_with(".rsl.xml");
        let kind = SnapshotKind::of_path(&place).or(is_rsl.then_some(SnapshotKind::Rsl));
        let Some(kind) = kind else {
            return Ok(None);
        };
        let host = folder.replace('+', ":");
        let address = Address::parse_owned(&format!("https://{host}/"));
        let address = address.filter(|address| address.rest() == "/" && !folder.contains('@'));
        let address = address.ok_or_else(|| format!("the folder of {path:?} is not a host"))?;
        // A file name is not encoded, a path is.
        let place = place
            .replace('%', "%25")
            .replace('?', "%3F")
            .replace('#', "%23");
        Ok(Some(Self {
            kind,
            url: format!("https://{}{place}", address.site()),
        }))
    }

    /// The snapshot of the file with the content `body`, fetched at `fetched_at` (microseconds
    /// UTC).
    pub fn snapshot(self, fetched_at: i64, body: Vec<u8>) -> Snapshot {
        Snapshot::new(self.url, fetched_at, self.kind, Some(200), body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_kind_and_url() {
        for (path, kind, url) in [
            (
                "example.com/robots.txt",
                "robots.txt",
                "https://example.com/robots.txt",
            ),
            (
                "Example.com./.well-known/tdmrep.json",
                "tdmrep.json",
                "https://example.com/.well-known/tdmrep.json",
            ),
            (
                "a.example/.well-known/ai.txt",
                "ai.txt",
                "https://a.example/.well-known/ai.txt",
            ),
            (
                "a.example+8080/ai.txt",
                "ai.txt",
                "https://a.example:8080/ai.txt",
            ),
            (
                "例子.中国/robots.txt",
                "robots.txt",
                "https://xn--fsqu00a.xn--fiqs8s/robots.txt",
            ),
            (
                "a.example/x/50%.rsl.xml",
                "rsl",
                "https://a.example/x/50%25.rsl.xml",
            ),
        ] {
            let file = FetchedFile::of_path(path).expect("a host").expect("a kind");
            assert_eq!((file.kind.as_str(), file.url.as_str()), (kind, url));
            let snapshot = file.snapshot(7, b"abc".to_vec());
            assert_eq!((snapshot.fetched_at, snapshot.status), (7, Some(200)));
            assert!(snapshot.sha256.starts_with("ba7816bf"));
        }
    }

    #[test]
    fn other_files() {
        for path in [
            "robots.txt",
            "a.example/index.html",
            "a.example/x/robots.txt",
            "",
        ] {
            assert_eq!(FetchedFile::of_path(path), Ok(None), "{path}");
        }
        for path in [
            "a..b/robots.txt",
            "a b/robots.txt",
            "u@a.example/robots.txt",
            "/robots.txt",
        ] {
            assert!(FetchedFile::of_path(path).is_err(), "{path}");
        }
    }
}
